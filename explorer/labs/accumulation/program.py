"""What the lab runs: one model trained on the full batch, its twin on micro-batches."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from explorer.i18n import Language, text
from explorer.labs.settings import LabSettings

MOST_SAMPLES = 16

Model = Literal["linear", "mlp", "batch_norm"]
Loss = Literal["mean", "sum"]
Scaling = Literal["share", "count", "nothing", "size"]
Between = Literal["one_step", "none", "zeros", "keep"]


class AccumulationSettings(LabSettings, frozen=True, kw_only=True):
    """What decides about the program.

    Args:
        model: One linear layer, two with tanh between them, or the same with batch norm.
        samples: How many there are, 2 to 16.
        size: How many of them make a micro-batch; the last one may hold fewer.
        loss: Whether a batch's loss is the mean or the sum of its samples' losses.
        scaling: What a micro-batch's loss is multiplied with: its share of the samples, one over the number of
            micro-batches, nothing, or one over its own size.
        between: "one_step", or how `.grad` is cleared before a second training step: set to None, zeroed, or kept.
    """

    model: Model = "mlp"
    samples: Annotated[int, msgspec.Meta(ge=2, le=MOST_SAMPLES)] = 8
    size: Annotated[int, msgspec.Meta(ge=1, le=MOST_SAMPLES)] = 2
    loss: Loss = "mean"
    scaling: Scaling = "share"
    between: Between = "one_step"


LAYERS: dict[Model, tuple[str, ...]] = {
    "linear": ("Linear(3, 1)",),
    "mlp": ("Linear(3, 4)", "Tanh()", "Linear(4, 1)"),
    "batch_norm": ("Linear(3, 4)", "BatchNorm1d(4)", "Tanh()", "Linear(4, 1)"),
}
SCALED: dict[Scaling, str] = {
    "share": " * len(x) / len(inputs)",
    "count": " / len(parts)",
    "nothing": "",
    "size": " / len(x)",
}
CLEARED: dict[Between, str] = {
    "none": "micro.zero_grad(set_to_none=True)",
    "zeros": "micro.zero_grad(set_to_none=False)",
}


def part_sizes(settings: AccumulationSettings) -> tuple[int, ...]:
    """How many samples each micro-batch holds."""
    whole, rest = divmod(settings.samples, settings.size)
    return (settings.size,) * whole + ((rest,) if rest else ())


def program_text(settings: AccumulationSettings, language: Language = "en") -> str:
    """The program, plain PyTorch.

    Args:
        settings: What it trains, and how.
        language: Of its comments.
    """

    def comment(name: str) -> str:
        return f"# {text(f'lab_accumulation.comment.{name}', language)}"

    layers = "".join(f"        torch.nn.{layer},\n" for layer in LAYERS[settings.model])
    return f"""import torch

torch.manual_seed(0)
inputs = torch.randn({settings.samples}, 3)
targets = inputs @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1 * torch.randn({settings.samples}, 1)
parts = list(zip(inputs.split({settings.size}), targets.split({settings.size})))


def new_model():
    torch.manual_seed(1)  {comment("same_weights")}
    return torch.nn.Sequential(
{layers}    )


def loss_of(model, x, y):
    return torch.nn.functional.mse_loss(model(x), y, reduction="{settings.loss}")


{comment("full")}
full = new_model()
{_full_steps(settings)}
{comment("micro")}
micro = new_model()
{_micro_steps(settings)}"""


def _full_steps(settings: AccumulationSettings) -> str:
    if settings.between == "one_step":
        return "loss = loss_of(full, inputs, targets)\nloss.backward()\n"
    return """optimizer = torch.optim.SGD(full.parameters(), lr=0.01)
for step in range(2):
    full.zero_grad()
    loss = loss_of(full, inputs, targets)
    loss.backward()
    optimizer.step()
"""


def _micro_steps(settings: AccumulationSettings) -> str:
    body = f"""for x, y in parts:
    loss = loss_of(micro, x, y){SCALED[settings.scaling]}
    loss.backward()
"""
    if settings.between == "one_step":
        return body
    lines = [*body.splitlines(), "optimizer.step()"]
    if settings.between in CLEARED:
        lines.insert(0, CLEARED[settings.between])
    steps = "".join(f"    {line}\n" for line in lines)
    return f"optimizer = torch.optim.SGD(micro.parameters(), lr=0.01)\nfor step in range(2):\n{steps}"

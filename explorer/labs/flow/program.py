"""What the lab runs: one forward and one backward pass of a network with depth."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from explorer.i18n import Language, text
from explorer.labs.settings import LabSettings
from explorer.model.values import Frozen
from explorer.runner import Limits

MOST_LEVELS = 40
BINS, LEAST_POWER, MOST_POWER = 168, -45, 39
"""Of the histograms of log10 |gradient|: two bins per power of ten, over all that float32 can hold."""

FLOW_LIMITS = Limits(values=BINS)
"""Histograms whole; of larger tensors a sample with torch's own norm, which travels faster."""

Kind = Literal["mlp", "rnn"]
Activation = Literal["none", "sigmoid", "tanh", "relu", "gelu"]
Initialisation = Literal["default", "xavier", "kaiming", "orthogonal", "normal"]
Aid = Literal["nothing", "shortcut", "layer_norm"]
Width = Literal[4, 8, 16, 32]
Depth = Annotated[int, msgspec.Meta(ge=2, le=MOST_LEVELS)]
Gain = Annotated[float, msgspec.Meta(ge=0.1, le=8.0)]


class Network(Frozen, frozen=True, kw_only=True):
    """One network.

    Args:
        kind: A stack of linear layers, or one recurrent cell that is unrolled.
        depth: How many layers or time steps, 2 to 40.
        width: Of every layer.
        activation: After every layer or time step.
        initialisation: Of the weights that the gradient goes through again and again.
        gain: What these weights are multiplied with afterwards.
        aid: What keeps gradients alive: shortcuts around every layer, or layer norm in it.
    """

    kind: Kind
    depth: Depth
    width: Width
    activation: Activation
    initialisation: Initialisation
    gain: Gain
    aid: Aid


class FlowSettings(LabSettings, frozen=True, kw_only=True):
    """What the lab shows: network A, and network B beside it.

    Args:
        compare: Whether B is shown.
        kind_a, depth_a, width_a, activation_a, initialisation_a, gain_a, aid_a: See `Network`.
        kind_b, depth_b, width_b, activation_b, initialisation_b, gain_b, aid_b: See `Network`.
    """

    compare: bool = True
    kind_a: Kind = "mlp"
    depth_a: Depth = 16
    width_a: Width = 8
    activation_a: Activation = "sigmoid"
    initialisation_a: Initialisation = "xavier"
    gain_a: Gain = 1.0
    aid_a: Aid = "nothing"
    kind_b: Kind = "mlp"
    depth_b: Depth = 16
    width_b: Width = 8
    activation_b: Activation = "relu"
    initialisation_b: Initialisation = "kaiming"
    gain_b: Gain = 1.0
    aid_b: Aid = "nothing"

    @property
    def networks(self) -> dict[str, Network]:
        """The networks that are shown, by letter."""
        letters = "ab" if self.compare else "a"
        return {
            letter: Network(**{name: getattr(self, f"{name}_{letter}") for name in Network.__struct_fields__})
            for letter in letters
        }


INITIALISED: dict[Initialisation, str] = {
    "default": "",
    "xavier": "torch.nn.init.xavier_normal_({weight})",
    "kaiming": 'torch.nn.init.kaiming_normal_({weight}, nonlinearity="relu")',
    "orthogonal": "torch.nn.init.orthogonal_({weight})",
    "normal": "torch.nn.init.normal_({weight})",
}
ACTIVATED: dict[Activation, str] = {
    "none": "{value}",
    "sigmoid": "torch.sigmoid({value})",
    "tanh": "torch.tanh({value})",
    "relu": "torch.relu({value})",
    "gelu": "torch.nn.functional.gelu({value})",
}


def program_text(network: Network, language: Language = "en") -> str:
    """The program, plain PyTorch.

    Args:
        network: What it builds.
        language: Of its comments.
    """
    histograms = f"""{_comment("histograms", language)}
for parameter in layers.parameters():
    histogram = torch.histc(parameter.grad.abs().log10(), bins={BINS}, min={LEAST_POWER}, max={MOST_POWER})
"""
    return (_mlp if network.kind == "mlp" else _rnn)(network, language) + "\n" + histograms


def _mlp(network: Network, language: Language) -> str:
    weights = "".join(f"    {line}\n" for line in _initialised(network, "layer.weight"))
    loop = f"for layer in layers:\n{weights}" if weights else ""
    return f"""import torch

torch.manual_seed(0)
h = torch.randn(8, {network.width})
layers = torch.nn.ModuleList(torch.nn.Linear({network.width}, {network.width}) for _ in range({network.depth}))
{loop}
{_comment("mlp", language)}
for layer in layers:
    h = {_level(network, "layer(h)")}
loss = h.pow(2).mean()
loss.backward()
"""


def _rnn(network: Network, language: Language) -> str:
    weights = "".join(f"{line}\n" for line in _initialised(network, "layers.recurrent.weight"))
    width = network.width
    return f"""import torch

torch.manual_seed(0)
x = torch.randn({network.depth}, 8, {width})
layers = torch.nn.ModuleDict()
layers["inputs"] = torch.nn.Linear({width}, {width})
layers["recurrent"] = torch.nn.Linear({width}, {width}, bias=False)
{weights}
{_comment("rnn", language)}
h = torch.zeros(8, {width})
for t in range({network.depth}):
    h = {_level(network, "layers.inputs(x[t]) + layers.recurrent(h)")}
loss = h.pow(2).mean()
loss.backward()
"""


def _level(network: Network, value: str) -> str:
    """The expression of one layer or time step."""
    if network.aid == "layer_norm":
        value = f"torch.nn.functional.layer_norm({value}, ({network.width},))"
    value = ACTIVATED[network.activation].format(value=value)
    return f"h + {value}" if network.aid == "shortcut" else value


def _initialised(network: Network, weight: str) -> list[str]:
    lines = [INITIALISED[network.initialisation].format(weight=weight)]
    if network.gain != 1:
        lines += ["with torch.no_grad():", f"    {weight}.mul_({network.gain:g})"]
    return [line for line in lines if line]


def _comment(name: str, language: Language) -> str:
    return f"# {text(f'lab_flow.comment.{name}', language)}"

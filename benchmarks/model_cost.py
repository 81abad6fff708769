"""Records the models in a process of its own: `python -m benchmarks.model_cost ours|torchlens`.

Apart from the other recorder, for TorchLens wraps torch's functions for good, and whoever comes next pays for that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.recorder_cost import forget_grads
from benchmarks.rows import median, milliseconds
from benchmarks.workloads import FILENAME, TUTORIAL_MODEL, WORKLOADS, Workload

LEAST_REPETITIONS, MOST_REPETITIONS, SECONDS = 3, 25, 2
"""How often each is timed: until so many seconds have passed, within these bounds."""

FORWARD, BOTH = "forward", "forward and backward"

ASKED = "both, with arguments, source and statistics"
"""Both passes, and TorchLens asked for what ours records: what a function took that is no tensor, the program's lines,
and statistics of each tensor."""

Acts = dict[str, Callable[[], Any]]
"""What is recorded, by what the table calls it."""


def main(side: str) -> None:
    """Prints the median milliseconds of each program that is a model, as JSON: {what: {program: …}}."""
    import torch

    torch.set_num_threads(1)
    recorder = {"ours": ours, "torchlens": torchlens}[side]
    found: dict[str, dict[str, float]] = {}
    for name, workload in {"tutorial function": TUTORIAL_MODEL, **WORKLOADS}.items():
        variables, _ = workload.prepare()
        if "net" in variables:
            for what, act in recorder(workload, variables).items():
                found.setdefault(what, {})[name] = median(timed(act, variables))
    print(json.dumps(found))


def timed(act: Callable[[], Any], variables: dict[str, Any]) -> list[float]:
    """Milliseconds of each repetition; the first one, which warms up, does not count."""
    times: list[float] = []
    while len(times) <= LEAST_REPETITIONS or (len(times) <= MOST_REPETITIONS and sum(times) < SECONDS * 1000):
        forget_grads(variables)
        times.append(milliseconds(act))
    return times[1:]


def ours(workload: Workload, variables: dict[str, Any]) -> Acts:
    """What records a model with our recorder, without a limit that it would reach."""
    from explorer.recorder import RecordingLimits, record

    limits = RecordingLimits(events=10**6, nodes=10**6, edges=10**6, elements=10**9)

    def forward() -> None:
        with record(source=workload.source, filename=FILENAME, limits=limits):
            variables["net"](*variables["inputs"])

    def both() -> None:
        with record(source=workload.source, filename=FILENAME, limits=limits, jacobians=False):
            variables["net"](*variables["inputs"]).backward()

    return {FORWARD: forward, BOTH: both, ASKED: both}


def torchlens(workload: Workload, variables: dict[str, Any]) -> Acts:
    """What records a model with TorchLens: the numbers of each operation, and the gradients if it runs backward."""
    from torchlens import trace
    from torchlens.options import CaptureOptions, SaveOptions

    net, inputs = variables["net"], variables["inputs"]
    as_it_comes = CaptureOptions(save_grads=True)
    as_ours = CaptureOptions(save_grads=True, save_arg_values=True, save_code_context=True)

    def both(capture: Any, save: Any = None) -> None:
        log = trace(net, inputs, capture=capture, save=save)
        log.log_backward(log[log.output_layers[0]].out)

    return {
        FORWARD: lambda: trace(net, inputs),
        BOTH: lambda: both(as_it_comes),
        ASKED: lambda: both(as_ours, SaveOptions(activation_transform=described, grad_transform=described)),
    }


def described(tensor: Any) -> Any:
    """What ours says of a large tensor: the least, the greatest, mean, norm and how many zeros."""
    import torch

    tensor = tensor.detach()
    if not tensor.is_floating_point():
        return tensor
    return torch.stack([tensor.min(), tensor.max(), tensor.mean(), tensor.norm(), (tensor == 0).sum()])


if __name__ == "__main__":
    main(sys.argv[1])

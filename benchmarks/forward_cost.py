"""Records the forward passes of the models in a process of its own: `python -m benchmarks.forward_cost ours|torchlens`.

Apart from the other recorder, for TorchLens wraps torch's functions for good, and whoever comes next pays for that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.recorder_cost import forget_grads
from benchmarks.rows import median, milliseconds
from benchmarks.workloads import FILENAME, WORKLOADS, Workload

REPETITIONS = 7


def main(side: str) -> None:
    """Prints the median milliseconds of each program that is a model, as JSON."""
    import torch

    torch.set_num_threads(1)
    recorder = {"ours": ours, "torchlens": torchlens}[side]
    found = {}
    for name, workload in WORKLOADS.items():
        variables, _ = workload.prepare()
        if "net" in variables:
            found[name] = median(list(timed(recorder(workload, variables), variables)))
    print(json.dumps(found))


def timed(act: Callable[[], None], variables: dict[str, Any]) -> list[float]:
    """Milliseconds of each repetition; the first one, which warms up, does not count."""
    times = []
    for _ in range(REPETITIONS + 1):
        forget_grads(variables)
        times.append(milliseconds(act))
    return times[1:]


def ours(workload: Workload, variables: dict[str, Any]) -> Callable[[], None]:
    """What records a model with our recorder, without a limit that it would reach."""
    from explorer.recorder import RecordingLimits, record

    limits = RecordingLimits(events=10**6, nodes=10**6, edges=10**6, elements=10**9)

    def act() -> None:
        with record(source=workload.source, filename=FILENAME, limits=limits):
            variables["net"](*variables["inputs"])

    return act


def torchlens(workload: Workload, variables: dict[str, Any]) -> Callable[[], None]:
    """What records a model with TorchLens."""
    from torchlens import trace

    return lambda: trace(variables["net"], variables["inputs"])


if __name__ == "__main__":
    main(sys.argv[1])

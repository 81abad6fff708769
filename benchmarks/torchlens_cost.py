"""Recording a forward pass, beside TorchLens, which logs every operation of a model's forward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.recorder_cost import forget_grads
from benchmarks.rows import Row, median, milliseconds
from benchmarks.workloads import FILENAME, WORKLOADS, Workload

REPETITIONS = 7
TIMES_FASTER = 10


def rows() -> list[Row]:
    """The programs that are a model, by turns, in this process, on one thread."""
    import torch
    import torchlens

    torch.set_num_threads(1)
    models = {name: workload for name, workload in WORKLOADS.items() if "net" in workload.prepare()[0]}
    return [_compared(name, workload, torchlens.trace) for name, workload in models.items()]


def _compared(name: str, workload: Workload, trace: Callable[..., Any]) -> Row:
    from explorer.recorder import RecordingLimits, record

    variables, _ = workload.prepare()
    net, inputs = variables["net"], variables["inputs"]
    limits = RecordingLimits(events=10**6, nodes=10**6, edges=10**6, elements=10**9)

    def ours() -> None:
        with record(source=workload.source, filename=FILENAME, limits=limits):
            net(*inputs)

    pairs = []
    for _ in range(REPETITIONS + 1):
        forget_grads(variables)
        pairs.append((milliseconds(ours), milliseconds(lambda: trace(net, inputs))))
    mine, theirs = zip(*pairs[1:], strict=True)
    ratio = median([b / a for a, b in pairs[1:]])
    figure = f"{ratio:.1f} × ({median(theirs):,.0f} ms / {median(mine):,.1f} ms)"
    return Row(f"TorchLens / ours, forward: {name}", figure, f"≥ {TIMES_FASTER} ×", ratio >= TIMES_FASTER)

"""What recording adds to a forward and backward pass, and how it grows with their length."""

from __future__ import annotations

import contextlib
import gc
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.curve import Curve, draw
from benchmarks.rows import Row, at_most, median, milliseconds, shown
from benchmarks.workloads import FILENAME, WORKLOADS, Workload, chain

REPETITIONS = 25
MOST_TIMES = 6
LENGTHS = (100, 300, 1_000, 3_000, 10_000)
PLOT = Path(__file__).parent / "recorder_cost.svg"


def rows() -> list[Row]:
    """Recorded and plain runs by turns, in this process, on one thread and with garbage collected as in a worker."""
    import torch

    from explorer.recorder.taps import GARBAGE_AFTER

    torch.set_num_threads(1)
    gc.set_threshold(GARBAGE_AFTER)
    made = [row for name, workload in WORKLOADS.items() for row in _compared(name, workload)]
    return [*made, *_floor(), *_growth()]


def _compared(name: str, workload: Workload) -> list[Row]:
    plain, recorded, ratio = by_turns(workload, jacobians=False)
    with_jacobians = by_turns(workload, jacobians=True)[2]
    recording = record_once(workload).recording
    assert not recording.truncated
    size = len(recording.to_json()) / len(recording.nodes)
    detail = f" ({plain:.2f} → {recorded:.1f} ms)"
    return [
        at_most(f"recorded / plain: {name}", ratio, MOST_TIMES, "×", detail),
        Row("  and small nodes asked for their Jacobians", shown(with_jacobians, "×")),
        Row("  JSON for each node", f"{size:,.0f} bytes, {len(recording.nodes):,} nodes"),
    ]


def by_turns(workload: Workload, *, jacobians: bool, repetitions: int = REPETITIONS) -> tuple[float, float, float]:
    """Milliseconds without and with the recorder, and the median of the pairs' ratios."""
    variables, step = workload.prepare()

    def plain() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(step, variables)

    def recorded() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            record_once(workload, variables, step, jacobians=jacobians)

    pairs = []
    for _ in range(repetitions + 2):
        pair = []
        for act in (plain, recorded):
            forget_grads(variables)
            pair.append(milliseconds(act))
        pairs.append(pair)
    without, with_recorder = zip(*pairs[2:], strict=True)
    return median(without), median(with_recorder), median([b / a for a, b in pairs[2:]])


def record_once(workload: Workload, variables: Any = None, step: Any = None, *, jacobians: bool = False) -> Any:
    """A session that has recorded the workload's step, without a limit that it would reach."""
    from explorer.recorder import RecordingLimits, record

    if step is None:
        variables, step = workload.prepare()
    limits = RecordingLimits(events=10**6, nodes=10**6, edges=10**6, elements=10**9)
    session = record(source=workload.source, filename=FILENAME, seed=0, limits=limits, jacobians=jacobians)
    with contextlib.redirect_stdout(io.StringIO()), session:
        exec(step, variables)
    assert session.recording.nodes
    return session


def forget_grads(variables: dict[str, Any]) -> None:
    """Puts the tensors back to where they were before the first pass."""
    for thing in (variables.get("net"), *variables.get("inputs", ())):
        if hasattr(thing, "zero_grad"):
            thing.zero_grad()
        elif getattr(thing, "requires_grad", False):
            thing.grad = None


def _floor() -> list[Row]:
    """What any recorder pays that is written in Python: a mode that does nothing, and two empty hooks on each node."""
    from torch.overrides import TorchFunctionMode

    class Empty(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            if (node := getattr(result, "grad_fn", None)) is not None:
                handles.extend((node.register_prehook(_nothing), node.register_hook(_nothing)))
            return result

    handles: list[Any] = []
    variables, step = WORKLOADS["chain of 1,000 operations"].prepare()

    def watched() -> None:
        with Empty():
            exec(step, variables)
        while handles:
            handles.pop().remove()

    pairs = [(milliseconds(lambda: exec(step, variables)), milliseconds(watched)) for _ in range(REPETITIONS)]
    ratio = median([b / a for a, b in pairs])
    return [Row("  of that: an empty mode and two empty hooks on each node", shown(ratio, "×"))]


def _nothing(*grads: Any) -> None:
    """A hook that looks at nothing."""


def _growth() -> list[Row]:
    found, plain_curve, recorded_curve, memory_curve = [], [], [], []
    for length in LENGTHS:
        plain, recorded, _ = by_turns(Workload(chain(length)), jacobians=False, repetitions=7)
        kibibytes = _memory(length)
        plain_curve.append((length, plain))
        recorded_curve.append((length, recorded))
        memory_curve.append((length, kibibytes / 1024))
        found.append(
            Row(
                f"chain of {length:,} operations",
                f"{recorded:,.0f} ms, {recorded / length * 1000:.0f} µs each; {kibibytes / length:.1f} KiB each",
            )
        )
    curves = (
        Curve("plain, ms", plain_curve),
        Curve("recorded, ms", recorded_curve),
        Curve("memory of the recording, MiB", memory_curve),
    )
    PLOT.write_text(draw("operations in a chain", curves), encoding="utf-8")
    return found


def _memory(length: int) -> float:
    """KiB that a process has grown by once it has recorded a chain and holds the recording."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.recorder_memory", str(length)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)

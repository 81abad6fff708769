"""Recording a model, beside TorchLens, which logs each operation of a forward pass, and of a backward pass if asked."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.rows import Row, median

TURNS = 3
TIMES_FASTER = 10

Times = dict[str, dict[str, float]]
"""Milliseconds by what is recorded and by program."""


def rows() -> list[Row]:
    """The programs that are a model, by turns, each recorder in a process of its own, on one thread."""
    turns = [(_milliseconds("ours"), _milliseconds("torchlens")) for _ in range(TURNS)]
    return [
        _compared(f"{what}: {name}", [(mine[what][name], theirs[what][name]) for mine, theirs in turns])
        for what, programs in turns[0][0].items()
        for name in programs
    ]


def _milliseconds(side: str) -> Times:
    command = [sys.executable, "-m", "benchmarks.model_cost", side]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: Times = json.loads(done.stdout.splitlines()[-1])
    return found


def _compared(name: str, pairs: list[tuple[float, float]]) -> Row:
    mine, theirs = zip(*pairs, strict=True)
    ratio = median([b / a for a, b in pairs])
    figure = f"{ratio:.1f} × ({median(theirs):,.0f} ms / {median(mine):,.1f} ms)"
    return Row(f"TorchLens / ours, {name}", figure, f"≥ {TIMES_FASTER} ×", ratio >= TIMES_FASTER)

"""Recording a forward pass, beside TorchLens, which logs every operation of a model's forward pass."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.rows import Row, median

TURNS = 3
TIMES_FASTER = 10


def rows() -> list[Row]:
    """The programs that are a model, by turns, each recorder in a process of its own, on one thread."""
    turns = [(_milliseconds("ours"), _milliseconds("torchlens")) for _ in range(TURNS)]
    return [_compared(name, [(mine[name], theirs[name]) for mine, theirs in turns]) for name in turns[0][0]]


def _milliseconds(side: str) -> dict[str, float]:
    """By program."""
    command = [sys.executable, "-m", "benchmarks.forward_cost", side]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _compared(name: str, pairs: list[tuple[float, float]]) -> Row:
    mine, theirs = zip(*pairs, strict=True)
    ratio = median([b / a for a, b in pairs])
    figure = f"{ratio:.1f} × ({median(theirs):,.0f} ms / {median(mine):,.1f} ms)"
    return Row(f"TorchLens / ours, forward: {name}", figure, f"≥ {TIMES_FASTER} ×", ratio >= TIMES_FASTER)

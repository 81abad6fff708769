"""`run()` on a warm machine, with the picture and the JSON, beside a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.programs import TUTORIAL
from benchmarks.rows import Row, at_most, median, milliseconds, percentile, shown
from explorer import Completed, run
from explorer.model import Recording
from explorer.render.dot import to_dot
from explorer.runner import lay_out

REPETITIONS = 40
COLD_EVERY = 10
"""Fresh interpreters are slow: one for so many warm runs."""


def rows() -> list[Row]:
    """Median and 90th percentile of the whole way from program text to picture and JSON, and its parts."""
    parts: dict[str, list[float]] = {}
    whole, cold = [], []
    _from_text_to_picture({})
    for repetition in range(REPETITIONS):
        whole.append(milliseconds(lambda: _from_text_to_picture(parts)))
        if repetition % COLD_EVERY == 0:
            cold.append(milliseconds(_fresh_interpreter))
    return [
        at_most("run(): program to picture and JSON, median", median(whole), 60, "ms"),
        Row("run(): fastest, least disturbed by other processes", shown(min(whole), "ms")),
        Row("run(): 90th percentile", shown(percentile(whole, 90), "ms")),
        *(Row(f"  of that: {name}", shown(median(values), "ms")) for name, values in parts.items()),
        Row(
            "plain `python program.py` / run()",
            shown(median(cold) / median(whole), "×"),
            "",
        ),
    ]


def _from_text_to_picture(parts: dict[str, list[float]]) -> None:
    def timed(name: str, act: object) -> None:
        parts.setdefault(name, []).append(milliseconds(act))  # type: ignore[arg-type]

    made: dict[str, object] = {}
    timed("run (process, recording, checked JSON)", lambda: made.update(recording=_recording()))
    recording = made["recording"]
    assert isinstance(recording, Recording)
    timed("to_dot", lambda: made.update(dot=to_dot(recording)))
    timed("lay_out (process, Graphviz)", lambda: lay_out(str(made["dot"])))
    timed("to_json", recording.to_json)


def _recording() -> Recording:
    ending = run(TUTORIAL)
    assert isinstance(ending, Completed), ending
    return ending.recording


def _fresh_interpreter() -> None:
    subprocess.run([sys.executable, "-c", TUTORIAL], check=True, capture_output=True)

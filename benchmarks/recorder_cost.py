"""What recording adds to a forward and backward pass."""

from __future__ import annotations

import contextlib
import io

from benchmarks.programs import MLP, TUTORIAL, chain
from benchmarks.rows import Row, median, milliseconds, shown

REPETITIONS = 25
PROGRAMS = {"tutorial program": TUTORIAL, "three-layer perceptron": MLP, "chain of 1,000 operations": chain(1000)}


def rows() -> list[Row]:
    """Recorded and plain runs of one program by turns, in this process, on one thread as in a worker."""
    import torch

    torch.set_num_threads(1)
    return [_row(name, code) for name, code in PROGRAMS.items()]


def _row(name: str, code: str) -> Row:
    from explorer.recorder import record

    compiled = compile(code, "<program>", "exec")

    def plain() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compiled, {"__name__": "__main__"})

    def recorded() -> None:
        session = record(source=code, filename="<program>", seed=0)
        with contextlib.redirect_stdout(io.StringIO()), session:
            exec(compiled, {"__name__": "__main__"})
        assert session.recording.nodes

    for act in (plain, recorded):
        act()
    pairs = [(milliseconds(plain), milliseconds(recorded)) for _ in range(REPETITIONS)]
    ratio = median([with_recorder / without for without, with_recorder in pairs])
    without, with_recorder = (median(side) for side in zip(*pairs, strict=True))
    return Row(f"recorded / plain: {name}", f"{shown(ratio, '×')} ({without:.2f} → {with_recorder:.1f} ms)")

"""How the time from a program to all that the page says of it grows with the program, whichever way it is written."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.rows import Row, at_most, milliseconds
from explorer import Completed, run
from explorer.render.dot import to_dot
from explorer.render.ledger import ledger
from explorer.render.tracks import tracks
from explorer.rules import notices
from explorer.rules.sentences import sentences

FEW, MANY = 100, 400
MOST_TIMES = 6
"""Four times as much to do, and something for the noise."""

TURNS = 3

X = "import torch\nx = torch.ones(3, requires_grad=True)\n"
LOOP = "for i in range({}):\n"

PROGRAMS: dict[str, Callable[[int], str]] = {
    "lines": lambda n: X + "y = x\n" + "y = y * 1.01\n" * n + "y.sum().backward()\n",
    "variables": lambda n: (
        X + "y0 = x\n" + "".join(f"y{i + 1} = y{i} * 1.01\n" for i in range(n)) + f"y{n}.sum().backward()"
    ),
    "leaves": lambda n: X + f"sum((torch.ones(3, requires_grad=True) * x).sum() for _ in range({n})).backward()\n",
    "steps in place": lambda n: X + LOOP.format(n) + "    (x * x).sum().backward()\n    x.data -= 0.1 * x.grad\n",
    "steps to new leaves": lambda n: (
        X + LOOP.format(n) + "    (x * x).sum().backward()\n    x = (x - 0.1 * x.grad).detach().requires_grad_()\n"
    ),
    "second names": lambda n: (
        X + "x.sum().backward()\ng = x.grad\n" + LOOP.format(n) + "    (x * x).sum().backward()\n"
    ),
    "cuts": lambda n: X + "y = x\n" + LOOP.format(n) + "    y = y + y.detach()\ny.sum().backward()\n",
    "hundred pairs of data": lambda n: (
        X + f"data = [(float(i), i) for i in range({100 * n})]\n" + LOOP.format(50) + "    (x * x).sum().backward()\n"
    ),
    "writes into one tensor": lambda n: (
        X + f"y = torch.zeros({n})\n" + LOOP.format(n) + "    y[i] = x[0] * i\ny.sum().backward()\n"
    ),
}
"""What grows, and a program with so many of it."""


def rows() -> list[Row]:
    """For each way of writing, how many times as long four times as much takes."""
    run(X)
    return [_row(name, write) for name, write in PROGRAMS.items()]


def _row(name: str, write: Callable[[int], str]) -> Row:
    turns = [(milliseconds(lambda: _show(write(FEW))), milliseconds(lambda: _show(write(MANY)))) for _ in range(TURNS)]
    few, many = map(min, zip(*turns, strict=True))
    return at_most(f"{MANY} / {FEW} {name}", many / few, MOST_TIMES, "×", f" ({few:.0f} → {many:.0f} ms)")


def _show(program: str) -> None:
    ending = run(program)
    assert isinstance(ending, Completed), ending
    for view in (notices, ledger, tracks, to_dot):
        view(ending.recording)
    sentences(ending.recording, "en")

"""What is written to `h[t]` is called by the number that t was."""

import pytest

import explorer
from explorer.recorder.indices import indices, with_numbers

HEAD = "import torch\nw = torch.tensor(1.5, requires_grad=True)\n"


def names(program: str, kind: str = "MulBackward0") -> list[str | None]:
    ending = explorer.run(HEAD + program)
    assert isinstance(ending, explorer.Completed)
    return [node.variable for node in ending.recording.nodes if node.name == kind]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("h = torch.zeros(3)\nfor t in range(2):\n    h[t] = w * t", ["h[0]", "h[1]"]),
        ("h = [None] * 3\nfor t in range(2):\n    h[t + 1] = w * t", ["h[1]", "h[2]"]),
        ("h = {}\nfor t in (5, 7):\n    h[-t] = w * t", ["h[-5]", "h[-7]"]),
        ("h = torch.zeros(2, 2)\nfor i in range(2):\n    h[i, 2 * i - i] = w * i", ["h[0, 0]", "h[1, 1]"]),
        ("h = torch.zeros(3, 2)\nfor t in range(2):\n    h[t:t + 1, :] = w * t", ["h[0:1, :]", "h[1:2, :]"]),
        ("h = [[None], [None]]\nfor t in range(2):\n    h[t][0] = w * t", ["h[0][0]", "h[1][0]"]),
        ("def f(h):\n    for t in range(2):\n        h[t] = w * t\nf({})", ["h[0]", "h[1]"]),
        ("t = 4\ndef f(h):\n    h[t] = w * t\nf({})", ["h[4]"]),
        ("h = torch.zeros(3)\nt = torch.tensor(1)\nh[t] = w * 2", ["h[t]"]),
        ("h = torch.zeros(3)\nh[int(1)] = w * 2", ["h[int(1)]"]),
        ("h = {}\nk = 'a'\nh[k] = w * 2", ["h[k]"]),
        ("h = [w + 1]\nt = 0\nh[t] *= 2", ["h[0]"]),
        ("h = {}\nfor t in range(2):\n    h[t], y = w * t, 1", ["h[0]", "h[1]"]),
    ],
)
def test_a_name_has_the_number_of_its_turn(program: str, expected: list[str]) -> None:
    assert [name for name in names(program) if name is not None] == expected


def test_only_what_needs_none_of_the_programs_code_is_worked_out() -> None:
    class Odd(int):
        def __add__(self, other: object) -> int:
            raise AssertionError

    assert with_numbers("h[t + 1]", {"t": Odd(1)}) == "h[t + 1]"
    assert with_numbers("h[t * t]", {"t": 2**62}) == "h[t * t]"
    assert with_numbers("h[flag]", {"flag": True}) == "h[flag]"
    assert with_numbers("名[i].é[j]", {"i": 1, "j": 2}) == "名[1].é[2]"


def test_what_no_variable_decides_about_costs_nothing() -> None:
    assert indices("h") == indices("h[0]") == indices("h[f(t)]") == indices("h[") == ()

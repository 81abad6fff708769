"""Which moments of two recordings belong together, and what is marked as different."""

from __future__ import annotations

import itertools

import pytest
from render_samples import recorded

from explorer.render.comparison import compare, line_marks, moments, parts_on_lines

X = "x = torch.tensor([1., 2.], requires_grad=True)\n"


def named(recording, marks):
    """Marks by what a reader calls the part."""
    names = {node.id: node.name for node in recording.nodes} | {cut.id: cut.operation for cut in recording.cuts}
    names |= {leaf.node_id or leaf.id: leaf.name for leaf in recording.leaves}
    return {names.get(id_, "edge"): mark for id_, mark in marks.items()}


def compared(left, right):
    one, other = recorded(X + left), recorded(X + right)
    found = compare(one, other)
    return named(one, found.left), named(other, found.right), found.moments


def test_equal_programs_have_no_marks_and_step_together() -> None:
    left, right, pairs = compared("(x * x).sum().backward()", "(x * x).sum().backward()")
    assert left == right == {}
    assert all(one == other for one, other in pairs)


def test_what_only_one_side_has() -> None:
    left, right, _ = compared("y = x * x\ny.sum().backward()", "y = x * x\nz = y.exp()\nz.sum().backward()")
    assert "ExpBackward0" not in left
    assert right["ExpBackward0"] == "added"
    assert "MulBackward0" not in {**left, **right}
    assert left["x"] == right["x"] == "changed"
    reversed_left, reversed_right, _ = compared("z = x.exp()\nz.sum().backward()", "x.sum().backward()")
    assert reversed_left["ExpBackward0"] == "removed"
    assert "ExpBackward0" not in reversed_right


def test_of_two_loops_each_round_belongs_to_the_one_with_its_number() -> None:
    turns = "for turn in range(6):\n    y = x.exp(){}\n    y.sum().backward()\n"
    one, other = recorded(X + turns.format(" if turn else x")), recorded(X + turns.format(""))
    found = compare(one, other)
    pairs = list(zip(one.rounds, other.rounds, strict=True))
    assert {(left.first, right.first) for left, right in pairs[1:]} <= set(found.moments)
    assert "added" in {found.right.get(id_) for id_ in pairs[0][1].node_ids}
    assert "added" not in {found.right.get(id_) for _, right in pairs[1:] for id_ in right.node_ids}


def test_numbers_that_differ() -> None:
    left, right, _ = compared("y = 2 * x\ny.sum().backward()", "y = 3 * x\ny.sum().backward()")
    assert left == right
    assert left == {"MulBackward0": "changed", "SumBackward0": "changed", "edge": "changed", "x": "changed"}


def test_saved_tensors_that_differ_or_were_changed_in_place() -> None:
    one, other = (
        recorded(X + f"y = x.exp()\n{change}\ny.sum().backward()") for change in ("y.add_(1)", "y = y.add(1)")
    )
    found = compare(one, other)
    exp, same = (next(node.id for node in side.nodes if node.name == "ExpBackward0") for side in (one, other))
    assert found.left[f"{exp}-s0"] == found.right[f"{same}-s0"] == "changed"
    one, other = (recorded(X + f"y = x * {factor}\n") for factor in ("x", "x.detach()"))
    found = compare(one, other)
    assert [mark for part, mark in found.left.items() if "-s" in part] == ["removed"]


def test_a_leaf_that_lost_its_mark_is_the_same_leaf() -> None:
    one, other = recorded(X + "y = x * 2"), recorded("x = torch.tensor([1., 2.])\ny = x * 2")
    found = compare(one, other)
    assert named(one, found.left)["x"] == named(other, found.right)["x"] == "changed"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("", "(x * x).sum().backward()"),
        ("(x * x).sum().backward()", ""),
        ("y = x.exp()\ny.add_(1)\ny.sum().backward()", "y = x.exp()\ny = y + 1\ny.sum().backward()\nprint(x.grad)"),
        ("x.backward()", "x.sum().backward()"),
        ("for _ in range(9):\n    x.sum().backward()", "for _ in range(4):\n    x.sum().backward()"),
    ],
)
def test_moments_lead_from_start_to_both_ends(left: str, right: str) -> None:
    one, other = recorded(X + left), recorded(X + right)
    pairs = moments(one, other)
    assert (pairs[0], pairs[-1]) == ((0, 0), (len(one.events), len(other.events)))
    for (a, b), (c, d) in itertools.pairwise(pairs):
        assert (c - a, d - b) in {(0, 1), (1, 0), (1, 1)}


def test_equal_events_happen_at_the_same_moment() -> None:
    one, other = (
        recorded(X + "y = x.exp()\ny.sum().backward()"),
        recorded(X + "y = x.exp()\nz = y * y\ny.sum().backward()"),
    )
    names = [[type(event).__name__ for event in recording.events] for recording in (one, other)]
    starts = [kinds.index("BackwardStarted") + 1 for kinds in names]
    assert tuple(starts) in moments(one, other)


def test_lines() -> None:
    assert line_marks("a\nb\nc\n", "a\nx\ny\nc\n") == ({2: "removed"}, {2: "added", 3: "added"})
    assert line_marks("a\n", "a\n") == ({}, {})
    assert line_marks("a\n\n", "a") == ({}, {})


def test_lines_end_where_python_ends_them() -> None:
    assert line_marks("'\x0c\u2028'\rb", "'\x0c\u2028'\rc") == ({2: "removed"}, {2: "added"})


@pytest.mark.parametrize(
    ("program", "line", "names"),
    [
        ("y = x.exp()\ny.add_(1)", 4, {"AddBackward0"}),
        ("y = x.detach()", 3, {"detach"}),
        ("x.sum().backward()\nx.sum().backward()", 4, {"SumBackward0", "x"}),
        ("x.sum().backward()\nkept = x.grad", 4, {"x"}),
        ("y = x.exp()\ny.add_(1)\ny.backward()", 5, set()),
        ("\rfor k in ():\r    x.sum()\r", 5, {"x"}),
    ],
)
def test_parts_on_lines(program: str, line: int, names: set[str]) -> None:
    recording = recorded(X + program)
    found = named(recording, dict.fromkeys(parts_on_lines(recording, [line]), ""))
    assert names <= found.keys()

"""Memory and versions of saved tensors, as torch has them."""

from __future__ import annotations

import pytest

from checker import events_of, recorded
from explorer.model import BackwardEnded, Modified, Recording, SavedTensor

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"


def saved(recording: Recording, name: str) -> dict[str, SavedTensor]:
    """The tensors that the first node of that name saved."""
    node = next(node for node in recording.nodes if node.name == name)
    return {kept.name: kept for kept in node.saved if kept.value is not None}


def test_tensors_that_share_memory_have_the_same_number() -> None:
    recording = recorded(X + "y = x.exp()\nz = y * x\nw = (x * 1)[1:] * y[1:]")
    exp, mul = saved(recording, "ExpBackward0"), saved(recording, "MulBackward0")
    assert exp["result"].storage == mul["self"].storage != mul["other"].storage
    slices = saved(Recording(nodes=recording.nodes[-1:]), "MulBackward0")
    assert slices["other"].storage == exp["result"].storage, "a view"
    assert slices["other"].storage_bytes == exp["result"].storage_bytes == 12


def test_memory_used_again_is_not_taken_for_the_same() -> None:
    code = "for _ in range(5):\n    x = torch.ones(1000, requires_grad=True)\n    (x * x).sum().backward()\n    del x"
    recording = recorded(code)
    numbers = {kept.storage for node in recording.nodes for kept in node.saved if kept.value is not None}
    assert len(numbers) == 5


@pytest.mark.parametrize(
    ("change", "is_counted"),
    [
        ("y.add_(1)", True),
        ("y[0] = 5", True),
        ("y[1:].mul_(2)", True),
        ("y.detach().mul_(2)", True),
        ("y.data.mul_(2)", False),
        ("y.clone().mul_(2)", False),
    ],
)
def test_a_change_is_counted_with_what_it_changes(change: str, is_counted: bool) -> None:
    recording = recorded(f"{X}y = x.exp()\n{change}\nnow = y._version\nprint(now)")
    changed = events_of(recording, Modified)[-1]
    node_id = saved(recording, "ExpBackward0")["result"].node_id
    assert (node_id in changed.counted_with) == is_counted
    assert recording.printed == f"{changed.version if is_counted else 0}\n"


def test_the_node_that_complained_is_known_though_the_error_was_caught() -> None:
    code = f"{X}y = x.exp().sum()\ny.backward()\ntry:\n    y.backward()\nexcept RuntimeError:\n    pass"
    ended = events_of(recorded(code), BackwardEnded)
    assert [end.failed_node for end in ended] == [
        None,
        next(n.id for n in recorded(code).nodes if n.name == "ExpBackward0"),
    ]

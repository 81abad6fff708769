"""Memory and versions of saved tensors, as torch has them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from checker import events_of, recorded
from explorer.model import BackwardEnded, Modified, Recording, SavedTensor
from explorer.recorder.graph import nodes_behind

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


FAILING = {
    "freed": "a = x.exp()\nb = (a * 2).sin()\na.sum().backward()\nb.sum().backward()",
    "changed": "a = x.exp()\nb = a.sin() + x.cos() * a.tanh()\na.add_(1)\nb.sum().backward()",
    "in the branch that was made first": "a = x.exp()\nb = x.cos()\nc = (a * b).sum() + b.sum()\na.add_(1)\nc.backward()",
    "at the root": "y = x.exp()\ny.add_(1)\ny.backward(torch.ones(3))",
    "for some gradients": "a = x.exp()\nb = a.tanh()\nc = (b * x.sin()).sum()\nb.add_(1)\ntorch.autograd.grad(c, a)",
    "beside a hook": "a = x.exp()\na.register_hook(lambda g: g * 2)\nb = a.sin().cos()\na.add_(1)\nb.sum().backward()",
    "two roots": "a = x.exp()\nb = x.tan()\nb.sub_(1)\ntorch.autograd.backward([a.sum(), b.sum()])",
}


def place_in_queue(numbers: list[int], number: int) -> int:
    """How many nodes of a program were made before one, given torch's numbers of all."""
    return sorted(numbers).index(number)


@pytest.mark.parametrize("code", FAILING.values(), ids=FAILING)
def test_the_node_that_failed_is_the_one_that_torch_was_running(code: str) -> None:
    """The oracle: hooks before all nodes, put there just before the pass; the last that was called."""
    *before, last = (X + code).splitlines()
    variables: dict[str, Any] = {"torch": torch}
    exec("\n".join(before), variables)
    roots = [thing.grad_fn for thing in variables.values() if isinstance(thing, torch.Tensor)]
    nodes, reached = nodes_behind(roots), []
    for node in nodes:
        node.register_prehook(lambda _, node=node: reached.append((node.name(), node._sequence_nr())))
    with pytest.raises(RuntimeError):
        exec(last, variables)
    numbers = [node._sequence_nr() for node in nodes]

    recording = recorded(X + code)
    assert recording.error is not None
    failed = recording.node(recording.error.node_id)
    known = [node.sequence_nr for node in recording.nodes]
    assert (failed.name, place_in_queue(known, failed.sequence_nr)) == (
        reached[-1][0],
        place_in_queue(numbers, reached[-1][1]),
    )

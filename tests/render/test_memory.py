"""Saved tensors and the memory they hold; torch's own counters are the oracle."""

from __future__ import annotations

import pytest
import torch

from checker import recorded
from explorer.model import NodeRan, Recording
from explorer.render.memory import boxes, bytes_text, held, second_pass

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"
PACKING = "with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 1, lambda t: t):\n"


def node_of(recording: Recording, name: str) -> object:
    return next(node for node in recording.nodes if node.name == name)


def states(recording: Recording, name: str, step: int | None = None) -> list[tuple[str, str, int | None]]:
    """(name, state, version now) of what the first node of that name saved, at a step or at the end."""
    step = len(recording.events) if step is None else step
    found = boxes(recording, node_of(recording, name), step)  # type: ignore[arg-type]
    return [(box.saved.name, box.state, box.version_now) for box in found]


def total_bytes(code: str) -> list[int]:
    return [at.total_bytes for at in held(recorded(code))]


def test_memory_grows_forward_and_is_freed_backward() -> None:
    code = f"{X}y = x.exp()\nz = y.sin()\nz.sum().backward()"
    recording = recorded(code)
    result = torch.ones(3).untyped_storage().nbytes()
    assert max(total_bytes(code)) == result, "exp saves its result, sin saves the same tensor: one piece of memory"
    first, *_, last = held(recording)
    assert (first.total_bytes, last.total_bytes) == (0, 0)
    freeing = next(
        step
        for step, event in enumerate(recording.events, 1)
        if isinstance(event, NodeRan) and recording.node(event.node_id).name == "ExpBackward0"
    )
    assert [at.total_bytes for at in held(recording)][freeing - 1 : freeing + 1] == [result, 0]


def test_memory_of_leaves_is_told_apart() -> None:
    peak = max(held(recorded(f"{X}(x * x).exp().sum().backward()")), key=lambda at: at.total_bytes)
    assert (peak.leaf_bytes, peak.result_bytes) == (12, 12)


def test_retain_graph_keeps_it() -> None:
    assert total_bytes(f"{X}x.exp().sum().backward(retain_graph=True)")[-1] == 12


def test_boxes_empty_when_they_are_freed() -> None:
    recording = recorded(f"{X}y = x * x\ny.sum().backward()")
    steps = [states(recording, "MulBackward0", step) for step in range(len(recording.events) + 1)]
    assert steps[0] == []
    assert steps[-1] == [("other", "freed", 0), ("self", "freed", 0)]
    assert [("other", "kept", 0), ("self", "kept", 0)] in steps


@pytest.mark.parametrize(("change", "expected"), [("y.add_(1)", ("stale", 1)), ("y.data.add_(1)", ("kept", 0))])
def test_a_change_in_place_bumps_the_version(change: str, expected: tuple[str, int]) -> None:
    recording = recorded(f"{X}y = x.exp()\n{change}")
    assert states(recording, "ExpBackward0") == [("result", *expected)]


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("y = x.exp().sum()", "ExpBackward0", "waiting"),
        ("y = x.exp().sum()\ny.backward()", "ExpBackward0", "freed"),
        ("y = x.exp().sum()\ny.backward()", "SumBackward0", "nothing"),
        ("y = x.exp().sum()\ny.backward(retain_graph=True)", "ExpBackward0", "kept"),
        ("y = x.exp().sum()\ny.backward(retain_graph=True)\ny.backward(retain_graph=True)", "ExpBackward0", "again"),
        ("y = x.exp().sum()\ny.backward()\ny.backward()", "ExpBackward0", "complained"),
        ("y = x.exp().sum()\ny.backward()\ny.backward()", "SumBackward0", "nothing_again"),
        ("y = x.exp()\ny.add_(1)\ny.sum().backward()", "ExpBackward0", "complained_stale"),
        (f"{PACKING}    y = x.exp().sum()", "ExpBackward0", "packed"),
        (f"{PACKING}    y = x.exp().sum()\ny.backward(retain_graph=True)", "ExpBackward0", "packed"),
        (f"{PACKING}    y = x.exp().sum()", "SumBackward0", "nothing"),
    ],
)
def test_what_a_second_pass_does(code: str, name: str, expected: str) -> None:
    recording = recorded(X + code)
    assert second_pass(recording, node_of(recording, name), len(recording.events)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (4000, "3.9 KiB"), (2**20 - 1, "1.0 MiB"), (3 * 2**30, "3.0 GiB")]
)
def test_bytes_are_written_in_few_digits(count: int, text: str) -> None:
    assert bytes_text(count) == text

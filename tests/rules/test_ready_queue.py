"""The engine's queue, replayed; the order in which the engine ran is the oracle."""

from __future__ import annotations

import msgspec
import pytest
from test_recorder import PROGRAMS

from checker import recorded
from explorer.gallery import functions
from explorer.model import NodeRan, Recording
from explorer.rules.ready_queue import queue_after, queue_at

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"


def check(recording: Recording) -> int:
    """At each step the node that ran stood first in the queue, or was one of equal rank; the number of steps."""
    steps = 0
    for one in recording.backward_passes:
        for count, ran in enumerate(one.steps):
            queue = queue_after(recording, one, count)
            assert queue is not None
            assert ran.node_id in queue.ready
            assert recording.node(ran.node_id).sequence_nr == recording.node(queue.ready[0]).sequence_nr
            steps += 1
    return steps


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_engine_always_took_the_first_of_the_queue(name: str) -> None:
    check(recorded(PROGRAMS[name]))


@pytest.mark.parametrize("function", functions(), ids=lambda function: function.id)
def test_also_for_the_functions_of_the_gallery(function: object) -> None:
    assert check(recorded(function.code)) > 0  # type: ignore[attr-defined]


def test_a_leaf_waits_for_all_its_gradients() -> None:
    recording = recorded(f"{X}(x * x).sum().backward()")
    one = recording.backward_passes[0]
    total, product, leaf = (ran.node_id for ran in one.steps)
    queue = queue_at(recording, one.first)
    assert queue is not None
    assert (queue.ready, queue.waiting) == ((total,), ((product, 1), (leaf, 2)))
    after = next(step for step, event in enumerate(recording.events, 1) if isinstance(event, NodeRan))
    queue = queue_at(recording, after)
    assert queue is not None
    assert (queue.ready, queue.waiting) == ((product,), ((leaf, 2),))


def test_outside_a_pass_there_is_no_queue() -> None:
    recording = recorded(f"{X}(x * x).sum().backward()")
    assert queue_at(recording, 1) is None
    assert queue_at(recording, len(recording.events)) is None


def test_an_order_that_is_not_the_engines_is_not_explained() -> None:
    recording = recorded(f"{X}((x * 2).sum() + (x * 3).sum()).backward()")
    one = recording.backward_passes[0]
    swapped = msgspec.structs.replace(one, steps=(one.steps[0], one.steps[2], one.steps[1], *one.steps[3:]))
    assert queue_after(recording, one, 2) is not None
    assert queue_after(recording, swapped, 2) is None


def test_a_pass_inside_a_pass_has_a_queue_of_its_own() -> None:
    code = (
        f"{X}from torch.utils.checkpoint import checkpoint\n"
        "y = checkpoint(lambda a: (a * a).exp(), x * 1, use_reentrant=True)\ny.sum().backward()"
    )
    recording = recorded(code)
    outer, inner = recording.backward_passes
    assert outer.first < inner.first < inner.last < outer.last
    assert check(recording) == len(outer.steps) + len(inner.steps)
    queue = queue_at(recording, inner.first)
    assert queue is not None
    assert queue.ready == (inner.steps[0].node_id,)
    queue = queue_at(recording, inner.last)
    assert queue is not None
    assert outer.steps[-1].node_id in {*queue.ready, *(node_id for node_id, _ in queue.waiting)}


def test_nodes_an_error_kept_from_running_still_wait() -> None:
    recording = recorded(f"{X}y = x.exp().sum()\ny.backward()\ny.backward()")
    broken = recording.backward_passes[1]
    queue = queue_at(recording, broken.last - 1)
    assert queue is not None
    assert [recording.node(node_id).name for node_id in queue.ready] == ["ExpBackward0"]

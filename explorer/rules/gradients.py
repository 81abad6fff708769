"""Where the gradient that a node received came from, and where the one it sent on went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from explorer.model import NodeRan, Recording, Root, TensorValue
from explorer.model.values import floats
from explorer.rules.precision import EPSILONS

ONE = 1.0
TOLERANCE = 1e-3
"""Of a sum; a hook that changed the gradient on its way shows all the same."""


class Change(NamedTuple):
    """A gradient that came in as another than was sent.

    Args:
        sent: What the nodes before it sent, and what the pass started with: it should have been their sum.
        came: What came in instead.
    """

    sent: tuple[TensorValue, ...]
    came: TensorValue | None


def changed_on_the_way(recording: Recording, ran: NodeRan) -> Change | None:
    """The first gradient of a node's that code of the program's, mostly a hook, has changed before it came in.

    None unless the numbers prove it. Between two nodes torch itself does nothing but add up.
    """
    if recording.truncated:
        return None  # not all that was sent is known
    for input_nr, came in enumerate(ran.grad_outputs):
        sent = tuple(gradient for _, gradient in arrivals(recording, ran, input_nr))
        if sent and _is_another(sent, came):
            return Change(sent, came)
    return None


def changed_after(ran: NodeRan) -> tuple[TensorValue | None, TensorValue | None] | None:
    """The first gradient that a hook after a node has changed: what the node had computed, and what was sent on."""
    pairs = zip(ran.before_hooks or (), ran.grad_inputs, strict=False)
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


def _is_another(sent: tuple[TensorValue, ...], came: TensorValue | None) -> bool:
    """Whether it is certain that what came is not what was sent."""
    if came is None:
        return True
    if any((one.shape, one.dtype, one.indices) != (came.shape, came.dtype, came.indices) for one in sent):
        return False
    if len(sent) == 1:
        return sent[0].values != came.values
    return not came.dtype.startswith("complex") and not adds_up(sent, came)


def addends(recording: Recording, ran: NodeRan) -> tuple[TensorValue, ...]:
    """The gradients that torch added up for this node; () unless they are two or more and their sum is what it got."""
    received = [gradient for gradient in ran.grad_outputs if gradient is not None]
    if len(ran.grad_outputs) != 1 or not received:
        return ()
    came = tuple(gradient for _, gradient in arrivals(recording, ran))
    return came if len(came) > 1 and adds_up(came, received[0]) else ()


def sent(recording: Recording, ran: NodeRan) -> tuple[tuple[str, TensorValue | None], ...]:
    """(target, gradient) for every edge that leaves a node, by slot."""
    return tuple(
        (edge.target, ran.grad_inputs[edge.slot] if edge.slot < len(ran.grad_inputs) else None)
        for edge in recording.edges_from(ran.node_id)
    )


def adds_up(parts: Sequence[TensorValue], total: TensorValue) -> bool:
    """Whether the total is the sum of the parts, to rounding, as far as their elements are known."""
    if any(part.shape != total.shape or part.indices != total.indices for part in parts):
        return False
    columns = zip(*(floats(part.values) for part in parts), strict=True)
    tolerance = max(TOLERANCE, len(parts) * EPSILONS.get(total.dtype, 0.0))
    return all(
        _is_sum(column, expected, tolerance) for column, expected in zip(columns, floats(total.values), strict=True)
    )


def _is_sum(column: tuple[float, ...], expected: float, tolerance: float) -> bool:
    found = sum(column)
    if not math.isfinite(expected):
        return True  # numbers that are finite may have a sum that is none in their type
    return math.isfinite(found) and abs(found - expected) <= tolerance * max(abs(expected), max(column), -min(column))


def arrivals(recording: Recording, ran: NodeRan, input_nr: int = 0) -> tuple[tuple[str | None, TensorValue], ...]:
    """(node it came from, gradient) for every gradient that reached one of a node's results.

    None stands for what the pass started with.
    """
    return (*_from_edges(recording, ran, input_nr), *((None, seed) for seed in _from_roots(recording, ran, input_nr)))


def _from_edges(recording: Recording, ran: NodeRan, input_nr: int) -> tuple[tuple[str, TensorValue], ...]:
    came: list[tuple[str, TensorValue]] = []
    for edge, sender in recording.senders(ran.backward_pass, ran.node_id):
        if edge.input_nr == input_nr and edge.slot < len(sender.grad_inputs):
            gradient = sender.grad_inputs[edge.slot]
            came += [(edge.source, gradient)] if gradient is not None else []
    return tuple(came)


def _from_roots(recording: Recording, ran: NodeRan, input_nr: int) -> tuple[TensorValue, ...]:
    started = recording.backward_passes[ran.backward_pass].started
    seeds = (seed_grad(root) for root in started.roots if (root.node_id, root.input_nr) == (ran.node_id, input_nr))
    return tuple(seed for seed in seeds if seed is not None)


def seed_grad(root: Root) -> TensorValue | None:
    """The gradient that a pass starts with: the program's own, or the 1 that torch puts for a single real number."""
    value = root.value
    if root.seed_grad is not None or value is None or value.numel != 1 or value.dtype.startswith("complex"):
        return root.seed_grad
    return TensorValue(shape=value.shape, dtype=value.dtype, values=(ONE,))

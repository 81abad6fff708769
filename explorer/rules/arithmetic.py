"""The arithmetic of single elements: each element of a gradient as a sum of products of numbers that were recorded.

Nothing is claimed that does not add up: a sum stands here only if it reproduces the number that torch returned.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from explorer.model import NodeRan, Recording, TensorValue
from explorer.model.values import Frozen, floats
from explorer.rules.gradients import adds_up, arrivals
from explorer.rules.local_jacobian import came_in, elements, is_sum, sent_on
from explorer.rules.story import expression
from explorer.rules.terms import SOURCES, Term, Terms
from explorer.rules.verification import TOLERANCES

MOST_CHARACTERS = 24
"""Of a sub-expression that names where a gradient came through."""


class ElementSum(Frozen, frozen=True, kw_only=True):
    """One element of a gradient that was sent on.

    Args:
        terms: What it is the sum of, in order of rows; what is multiplied by 0 is left out.
        is_plain: Whether every factor is 1.
    """

    terms: tuple[Term, ...]
    is_plain: bool


class SlotSums(Frozen, frozen=True, kw_only=True):
    """The arithmetic of a whole gradient that was sent on.

    Args:
        sums: One for each element; None for one whose numbers do not add up (nan and inf, or a hook that changed it).
        summed_dimensions: The dimensions of what came in that were added up because the input had been broadcast.
    """

    sums: tuple[ElementSum | None, ...]
    summed_dimensions: tuple[int, ...] = ()


def slot_sums(recording: Recording, ran: NodeRan, slot: int) -> SlotSums | None:
    """How a gradient that a node sent on is made of what came in; None where that is not known for any element."""
    sent, came = sent_on(ran, slot), came_in(ran)
    if sent is None or not came or not all(_is_plain(value) for value in (sent, *came)):
        return None
    node = recording.node(ran.node_id)
    for source in SOURCES:
        terms = source(node, ran, slot)
        sums = () if terms is None else _sums(terms, came, sent)
        if any(sums):
            return SlotSums(sums=sums, summed_dimensions=_summed_dimensions(came, sent, sums))
    return None


def fan_out(recording: Recording, ran: NodeRan) -> tuple[tuple[str | None, TensorValue], ...]:
    """(through which variable or node, gradient) for the gradients that torch added up at a node.

    None stands for what the pass started with. () unless they are two or more and their sum is what it got.
    """
    received = came_in(ran)
    if len(ran.grad_outputs) != 1 or not received:
        return ()
    came = arrivals(recording, ran)
    if len(came) < 2 or not adds_up([value for _, value in came], received[0]):
        return ()
    return tuple((_name(recording, source), value) for source, value in came)


def _name(recording: Recording, source: str | None) -> str | None:
    if source is None:
        return None
    node = recording.node(source)
    return node.variable or expression(recording, node.span, MOST_CHARACTERS) or node.name


def _is_plain(value: TensorValue) -> bool:
    return value.complete and value.dtype.startswith(("float", "bfloat"))


def _sums(terms: Terms, came: Sequence[TensorValue], sent: TensorValue) -> tuple[ElementSum | None, ...]:
    numbers, tolerance = elements(came), TOLERANCES.get(sent.dtype, 0.0)
    results = floats(sent.values)
    if len(terms) != len(results):
        return ()
    return tuple(
        _checked(summands, numbers, result, tolerance) for summands, result in zip(terms, results, strict=True)
    )


def _checked(
    terms: Sequence[tuple[Term, float]], numbers: Sequence[float], result: float, tolerance: float
) -> ElementSum | None:
    if any(math.isnan(factor) or term.row >= len(numbers) for term, factor in terms):
        return None
    if not is_sum([numbers[term.row] * factor for term, factor in terms], result, tolerance):
        return None
    return ElementSum(terms=tuple(term for term, _ in terms), is_plain=all(factor == 1 for _, factor in terms))


def _summed_dimensions(
    came: Sequence[TensorValue], sent: TensorValue, sums: Sequence[ElementSum | None]
) -> tuple[int, ...]:
    """The dimensions that were added up: those that broadcasting had added or stretched, if nothing else was added."""
    if len(came) != 1 or len(came[0].shape) < len(sent.shape) or came[0].numel <= sent.numel:
        return ()
    shape = came[0].shape
    padded = (1,) * (len(shape) - len(sent.shape)) + tuple(sent.shape)
    if any(small not in (1, large) for small, large in zip(padded, shape, strict=True)):
        return ()
    expected: dict[int, list[int]] = {}
    for row, index in enumerate(itertools.product(*map(range, shape))):
        kept = [0 if small == 1 else at for at, small in zip(index, padded, strict=True)]
        expected.setdefault(_flat(kept, padded), []).append(row)
    for element, found in enumerate(sums):
        if found is None or not {term.row for term in found.terms} <= set(expected.get(element, ())):
            return ()
    return tuple(k for k, (small, large) in enumerate(zip(padded, shape, strict=True)) if small < large)


def _flat(index: Sequence[int], shape: Sequence[int]) -> int:
    flat = 0
    for at, size in zip(index, shape, strict=True):
        flat = flat * size + at
    return flat

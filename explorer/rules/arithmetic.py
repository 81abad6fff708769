"""The arithmetic of single elements: each element of a gradient as a sum of products of numbers that were recorded.

Nothing is claimed that does not add up: a sum stands here only if it reproduces the number that torch returned.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from explorer.model import Node, NodeRan, Recording, TensorValue
from explorer.model.text import cells, number_text
from explorer.model.values import Frozen, floats
from explorer.rules.arrays import sum_to
from explorer.rules.evaluation import INAPPLICABLE, Evaluation
from explorer.rules.gradients import adds_up, arrivals
from explorer.rules.products import PRODUCTS
from explorer.rules.story import expression
from explorer.rules.verification import Checked, checked

TOLERANCES = {"float64": 1e-9, "float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
"""How far a sum may be off, relative to its largest summand: another order of adding gives other last digits."""


MOST_FACTORS = 4096
"""Of a larger Jacobian the elements are not listed."""


MOST_CHARACTERS = 24
"""Of a sub-expression that names where a gradient came through."""


class Term(Frozen, frozen=True, kw_only=True):
    """One summand: an element of what came in, times a factor.

    Args:
        row: Which element of what came in, counted over all defined `grad_outputs`.
        factor: The derivative, one number as torch prints it.
        saved: Where the factor stands: (name of a saved tensor, flat index); None where only the Jacobian tells it.
    """

    row: int
    factor: str
    saved: tuple[str, int] | None = None


class ElementSum(Frozen, frozen=True, kw_only=True):
    """One element of a gradient that was sent on.

    Args:
        terms: What it is the sum of, in order of rows; what is multiplied by 0 is left out.
        is_plain: Whether every factor is 1.
    """

    terms: tuple[Term, ...]
    is_plain: bool


Terms = list[list[tuple[Term, float]]]
"""For each element of a gradient its summands, each with its factor as a float."""


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
    sent = ran.grad_inputs[slot] if slot < len(ran.grad_inputs) else None
    came = came_in(ran)
    if sent is None or not came or not all(value.complete and value.dtype in TOLERANCES for value in (sent, *came)):
        return None
    node = recording.node(ran.node_id)
    terms = _product_terms(node, ran, slot) or _jacobian_terms(ran, slot) or _formula_terms(node, ran, slot)
    if terms is None or len(terms) != sent.numel:
        return None
    numbers, tolerance = _numbers(came), TOLERANCES.get(sent.dtype, 0.0)
    sums = tuple(
        _checked(of_element, numbers, result, tolerance)
        for of_element, result in zip(terms, floats(sent.values), strict=True)
    )
    if not any(sums):
        return None
    return SlotSums(sums=sums, summed_dimensions=_summed_dimensions(came, sent, sums))


def came_in(ran: NodeRan) -> tuple[TensorValue, ...]:
    """The gradients that came in, without those that are undefined: the rows of a Jacobian, in order."""
    return tuple(value for value in ran.grad_outputs if value is not None)


def matrix_rows(matrix: TensorValue) -> list[list[float]]:
    """A matrix as lists of floats."""
    columns = matrix.shape[-1]
    numbers = floats(matrix.values)
    return [numbers[start : start + columns] for start in range(0, len(numbers), columns)] if columns else []


def fits(matrix: TensorValue | None, came: Sequence[TensorValue], sent: TensorValue | None) -> bool:
    """Whether a matrix can be the Jacobian between these (a recording from elsewhere may hold anything)."""
    if matrix is None or sent is None or not matrix.complete:
        return False
    return matrix.shape == (sum(value.numel for value in came), sent.numel)


def multiplies_out(ran: NodeRan, slot: int) -> bool:
    """Whether vᵀJ, computed from the recorded Jacobian, is what the node sent on, element for element."""
    sent, came = ran.grad_inputs[slot] if slot < len(ran.grad_inputs) else None, came_in(ran)
    matrix = ran.jacobian[slot] if ran.jacobian and slot < len(ran.jacobian) else None
    if matrix is None or sent is None or not fits(matrix, came, sent) or not all(value.complete for value in came):
        return False
    numbers, rows = _numbers(came), matrix_rows(matrix)
    tolerance = TOLERANCES.get(sent.dtype, 0.0)
    columns = zip(*rows, strict=True)
    return all(
        is_sum([v * factor for v, factor in zip(numbers, column, strict=True)], result, tolerance)
        for column, result in zip(columns, floats(sent.values), strict=True)
    )


def is_sum(summands: Sequence[float], result: float, tolerance: float) -> bool:
    """Whether the summands make the result, to rounding; nan is only equal to nan, inf to inf."""
    total = math.fsum(summands) if all(map(math.isfinite, summands)) else sum(summands)
    if not (math.isfinite(total) and math.isfinite(result)):
        return total == result or (math.isnan(total) and math.isnan(result))
    return abs(total - result) <= tolerance * max((abs(summand) for summand in summands), default=0.0)


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


def _numbers(came: Iterable[TensorValue]) -> list[float]:
    return [number for value in came for number in floats(value.values)]


def _checked(
    terms: Sequence[tuple[Term, float]], numbers: Sequence[float], result: float, tolerance: float
) -> ElementSum | None:
    if any(math.isnan(factor) or term.row >= len(numbers) for term, factor in terms):
        return None
    if not is_sum([numbers[term.row] * factor for term, factor in terms], result, tolerance):
        return None
    return ElementSum(terms=tuple(term for term, _ in terms), is_plain=all(factor == 1 for _, factor in terms))


def _jacobian_terms(ran: NodeRan, slot: int) -> Terms | None:
    """Per element of the slot the rows of its Jacobian column that are not 0."""
    matrix = ran.jacobian[slot] if ran.jacobian and slot < len(ran.jacobian) else None
    if matrix is None or not fits(matrix, came_in(ran), ran.grad_inputs[slot]):
        return None
    columns, numbers, written = matrix.shape[1], floats(matrix.values), cells(matrix)
    rows = range(matrix.shape[0])
    return [
        [(Term(row=row, factor=written[at]), numbers[at]) for row in rows if numbers[at := row * columns + column] != 0]
        for column in range(columns)
    ]


def _product_terms(node: Node, ran: NodeRan, slot: int) -> Terms | None:
    """Per element of the slot its summands, for nodes that multiply what came in by something they had saved."""
    sent, came = ran.grad_inputs[slot], came_in(ran)
    product = PRODUCTS.get((node.name, slot))
    if product is None or sent is None or len(came) != 1:
        return None
    saved = next((kept.value for kept in node.saved if kept.name == product.saved), None)
    if saved is None or not saved.complete or not product.fits(came[0].shape, saved.shape, sent.shape):
        return None
    numbers, written = floats(saved.values), cells(saved)
    return [
        [
            (Term(row=row, factor=written[at], saved=(product.saved, at)), numbers[at])
            for row, at in product.pairs(element, came[0].shape, saved.shape)
        ]
        for element in _indices(sent.shape)
    ]


def _formula_terms(node: Node, ran: NodeRan, slot: int) -> Terms | None:
    """From the rule that gave torch's own numbers: it is linear in what came in: a one-hot gives a row."""
    found = next((one for one in checked(node, ran) if one.slot == slot), None)
    came, sent = came_in(ran), ran.grad_inputs[slot]
    if found is None or sent is None or len(ran.grad_outputs) != 1 or came[0].numel * sent.numel > MOST_FACTORS:
        return None
    rows = _formula_rows(found, came[0], sent)
    if rows is None:
        return None
    at = range(came[0].numel)
    return [
        [(Term(row=row, factor=number_text(rows[row][column])), rows[row][column]) for row in at if rows[row][column]]
        for column in range(sent.numel)
    ]


def _formula_rows(found: Checked, came: TensorValue, sent: TensorValue) -> list[list[float]] | None:
    one_hots = np.eye(came.numel).reshape(came.numel, *came.shape)
    try:
        with np.errstate(all="ignore"):
            answers = [Evaluation({**found.evaluation.names, "g": g}).of(found.tree) for g in one_hots]
            return [sum_to(np.asarray(answer), sent.shape).real.ravel().tolist() for answer in answers]
    except INAPPLICABLE:
        return None


def _indices(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*map(range, shape))


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
    for row, index in enumerate(_indices(shape)):
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

"""A node's local Jacobian as it was recorded, and whether it gives what the node sent on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from explorer.model import NodeRan, TensorValue
from explorer.model.values import floats
from explorer.rules.verification import TOLERANCES


def came_in(ran: NodeRan) -> tuple[TensorValue, ...]:
    """The gradients that came in, without those that are undefined: the rows of a Jacobian, in order."""
    return tuple(value for value in ran.grad_outputs if value is not None)


def sent_on(ran: NodeRan, slot: int) -> TensorValue | None:
    """The gradient that a node sent along a slot; None where there is none."""
    return ran.grad_inputs[slot] if slot < len(ran.grad_inputs) else None


def local_matrix(ran: NodeRan, slot: int) -> TensorValue | None:
    """The matrix of a slot: a row for each element of what came in, a column for each of what was sent on.

    None where it was not recorded, or has another shape (a recording from elsewhere may hold anything).
    """
    matrix = ran.jacobian[slot] if ran.jacobian and slot < len(ran.jacobian) else None
    sent, came = sent_on(ran, slot), came_in(ran)
    if matrix is None or sent is None or not all(value.complete for value in (matrix, sent, *came)):
        return None
    return matrix if matrix.shape == (sum(value.numel for value in came), sent.numel) else None


def multiplies_out(ran: NodeRan, slot: int) -> bool:
    """Whether vᵀJ, computed from the recorded Jacobian, is what the node sent on, element for element."""
    matrix, sent = local_matrix(ran, slot), sent_on(ran, slot)
    if matrix is None or sent is None:
        return False
    v, numbers, width = elements(came_in(ran)), floats(matrix.values), sent.numel
    tolerance = TOLERANCES.get(sent.dtype, 0.0)
    return all(
        is_sum([factor * number for factor, number in zip(v, numbers[column::width], strict=True)], result, tolerance)
        for column, result in enumerate(floats(sent.values))
    )


def elements(values: Iterable[TensorValue]) -> list[float]:
    """The elements of several tensors, one after the other."""
    return [number for value in values for number in floats(value.values)]


def is_sum(summands: Sequence[float], result: float, tolerance: float) -> bool:
    """Whether the summands make the result, to rounding; nan is only equal to nan, inf to inf."""
    total = math.fsum(summands) if all(map(math.isfinite, summands)) else sum(summands)
    if not (math.isfinite(total) and math.isfinite(result)):
        return total == result or (math.isnan(total) and math.isnan(result))
    return abs(total - result) <= tolerance * max((abs(summand) for summand in summands), default=0.0)

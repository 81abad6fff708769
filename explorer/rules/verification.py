"""Whether a rule gives the numbers that torch returned, at one step of a recording."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.model import Accumulated, Node, NodeRan, Recording, TensorValue
from explorer.rules.arrays import sum_to
from explorer.rules.evaluation import INAPPLICABLE, Evaluation, Value
from explorer.rules.expression import parse
from explorer.rules.names import arguments_of, array, names_at, saved_names
from explorer.rules.table import Rule, rule

TOLERANCES = {
    "float64": 1e-9,
    "complex128": 1e-9,
    "float32": 1e-4,
    "complex64": 1e-4,
    "float16": 1e-2,
    "bfloat16": 6e-2,
    "complex32": 1e-2,
}
"""Largest difference allowed, relative to the largest element of what torch returned."""

SIGNIFICANT = {"float64": 2**-52, "complex128": 2**-52, "float32": 2**-23, "complex64": 2**-23, "bfloat16": 2**-7}
"""Smallest step beside 1, by type; 2**-10 in half precision."""
HALF = 2**-10

CANCELLED = 32
"""How many such steps of the incoming gradient may be left where contributions cancel."""


@dataclass(frozen=True)
class Checked:
    """A rule that gave torch's own numbers for one slot.

    Args:
        slot: Which of the node's `grad_inputs`.
        argument: torch's name for the argument that the gradient is for.
        expression, tree: The rule, as the table has it and parsed.
        evaluation: What its parts came to.
        summed: Dimensions of the value that the engine then summed over, since the argument was broadcast along them.
        real: Whether the engine then kept the real part only, since the argument is real.
        difference: The largest between an element of ours and of torch's.
    """

    slot: int
    argument: str
    expression: str
    tree: ast.expr
    evaluation: Evaluation
    summed: tuple[int, ...]
    real: bool
    difference: float


def checked(node: Node, ran: NodeRan) -> tuple[Checked, ...]:
    """The rules of a node's slots, all of which gave what torch returned; () where one did not, or there is none."""
    found = rule(node.name)
    if found is None or node.kind != "operation":
        return ()
    names = names_at(node, ran)
    slots = [slot for slot, sent in enumerate(ran.grad_inputs) if sent is not None]
    with np.errstate(all="ignore"):
        results = [_checked(found, slot, ran.grad_inputs[slot], names) for slot in slots]
    return () if None in results else tuple(result for result in results if result is not None)


def checked_forward(recording: Recording, node: Node) -> Evaluation | None:
    """The operation itself, computed on the values that are recorded; None where that is not what torch computed."""
    found = rule(node.name)
    if found is None or found.forward is None or node.value is None or not node.value.complete:
        return None
    evaluation = Evaluation({**arguments_of(recording, node, found), **saved_names(node)}, found.definitions)
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(evaluation.of(parse(found.forward)))
            difference = _difference(value, node.value, value)
    except INAPPLICABLE:
        return None
    return None if difference is None else evaluation


def checked_sum(event: Accumulated) -> float | None:
    """How far `after` is from `before + incoming`; None where that is more than rounding, or not all is known."""
    before, incoming = array(event.before), array(event.incoming)
    try:
        with np.errstate(all="ignore"):
            return _difference(incoming if before is None else before + incoming, event.after, incoming)
    except INAPPLICABLE:
        return None


def _checked(of: Rule, slot: int, sent: TensorValue | None, names: dict[str, Value]) -> Checked | None:
    found = of.vjp(slot)
    if found is None or sent is None or not sent.complete:
        return None
    argument, expression = found
    evaluation = Evaluation({**names, "shape": sent.shape, "slot": slot - len(of.vjps) + 1}, of.definitions)
    tree = parse(expression)
    try:
        value = np.asarray(evaluation.of(tree))
        total = sum_to(value, sent.shape)
        difference = _difference(total, sent, names["g"])
    except INAPPLICABLE:
        return None
    if difference is None:
        return None
    return Checked(
        slot=slot,
        argument=argument,
        expression=expression,
        tree=tree,
        evaluation=evaluation,
        summed=_summed(value.shape, sent.shape),
        real=np.iscomplexobj(total) and not sent.dtype.startswith("complex"),
        difference=difference,
    )


def _summed(shape: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...]:
    extra = len(shape) - len(to)
    return tuple(i for i, size in enumerate(shape) if i < extra or (size != 1 and to[i - extra] == 1))


def _difference(value: NDArray[Any], sent: TensorValue, gradient: Value) -> float | None:
    """The largest difference; None where it is more than rounding explains."""
    returned = array(sent)
    if not isinstance(returned, np.ndarray) or value.shape != returned.shape:
        return None
    value = _rounded(value, sent.dtype)
    if not np.array_equal(np.isfinite(value), np.isfinite(returned)):
        return None
    infinite = ~np.isfinite(value)
    if not np.array_equal(value[infinite], returned[infinite], equal_nan=True):
        return None
    differences = np.abs(value[~infinite] - returned[~infinite])
    difference = float(differences.max(initial=0.0))
    allowed = TOLERANCES.get(sent.dtype, 0.0) * _largest(returned)
    allowed += CANCELLED * SIGNIFICANT.get(sent.dtype, HALF) * _largest(gradient)
    return difference if difference <= allowed else None


def _largest(value: Value) -> float:
    if not isinstance(value, np.ndarray):
        return 0.0
    finite = np.abs(value[np.isfinite(value)])
    return float(finite.max(initial=0.0))


def _rounded(value: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The numbers as that type holds them: too large ones become infinite, as for torch."""
    if dtype.startswith("complex"):
        return value.astype(np.complex64 if dtype == "complex64" else complex).astype(complex)
    value = value.real.astype(float)
    if dtype in ("float16", "float32"):
        return value.astype(dtype).astype(float)
    return value.astype(np.float32).astype(float) if dtype == "bfloat16" else value

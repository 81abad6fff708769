"""Whether a rule gives the numbers that torch returned, at one step of a recording."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.model import Accumulated, Node, NodeRan, Recording, TensorValue
from explorer.rules.arrays import sum_to
from explorer.rules.evaluation import INAPPLICABLE, Evaluation, Sampled, Value
from explorer.rules.expression import parse
from explorer.rules.names import arguments_of, array, names_at, saved_names
from explorer.rules.precision import EPSILONS, rounded, shaken
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

CANCELLED = 32
"""How many steps of the type beside 1 may be left of the incoming gradient where contributions cancel."""

SHAKES = 6
"""How often a rule is computed with numbers that differ by no more than rounding."""
SPREADS = 4
"""How many times as far as those results lie apart may torch's be."""
MOST_SPREAD = 0.05
"""If they lie farther apart than this part of the numbers, these say nothing about a rule."""


class Verdict(StrEnum):
    """What the numbers of a step say about the rule of its node."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    ONLY_ROUNDING = "only rounding"
    """What the rule gives is so sensitive to rounding that nothing can be told."""
    NOT_KEPT = "not kept"
    """Not all elements that the rule needs were recorded."""
    PACKED = "packed"
    """What the rule needs, the program's own hooks have packed."""
    BATCHED = "batched"
    """The node ran for a whole batch at once, and the rule, which is one example's, does not hold for that."""
    NOTHING_SENT = "nothing sent"
    NO_RULE = "no rule"


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
    """The rules of a node's slots, all of which gave what torch computed; () where one did not, or there is none."""
    results = _results(node, ran)
    return tuple(one for one in results if isinstance(one, Checked)) if _verdict(results) is Verdict.AGREES else ()


def verdict(node: Node, ran: NodeRan) -> Verdict:
    """What is to be thought of a node's rule after it has run."""
    if node.packed and rule(node.name) is not None and not checked(node, ran):
        return Verdict.PACKED
    found = Verdict.NO_RULE if _rule(node) is None else _verdict(_results(node, ran))
    return Verdict.BATCHED if ran.batched and found is Verdict.DISAGREES else found


def _rule(node: Node) -> Rule | None:
    """The rule of a node, where there is one that applies to what it saved."""
    found = rule(node.name) if node.kind == "operation" else None
    if found is None or found.condition is None:
        return found
    try:
        with np.errstate(all="ignore"):
            return found if Evaluation(saved_names(node), found.definitions).of(parse(found.condition)) else None
    except INAPPLICABLE:
        return None


def _verdict(results: list[Checked | Verdict]) -> Verdict:
    """The worst of the slots'."""
    found = [one if isinstance(one, Verdict) else Verdict.AGREES for one in results]
    worst = (Verdict.DISAGREES, Verdict.NOT_KEPT, Verdict.ONLY_ROUNDING, Verdict.AGREES)
    return next((one for one in worst if one in found), Verdict.NOTHING_SENT)


def _results(node: Node, ran: NodeRan) -> list[Checked | Verdict]:
    """What became of each slot that a gradient was sent along."""
    found = _rule(node)
    if found is None:
        return []
    names = names_at(node, ran)
    with np.errstate(all="ignore"):
        return [_checked(found, slot, sent, names) for slot, sent in enumerate(ran.computed) if sent is not None]


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


def _checked(of: Rule, slot: int, sent: TensorValue, names: dict[str, Value]) -> Checked | Verdict:
    found = of.vjp(slot)
    if found is None:
        return Verdict.DISAGREES
    if not sent.complete:
        return Verdict.NOT_KEPT
    argument, expression = found
    tree = parse(expression)
    names = {**names, "shape": sent.shape, "dtype": sent.dtype, "slot": slot - len(of.vjps) + 1}
    evaluation = Evaluation(names, of.definitions)
    try:
        value = np.asarray(evaluation.of(tree))
        total = sum_to(value, sent.shape)
        difference: float | Verdict | None = _difference(total, sent, names["g"])
        if difference is None:
            difference = _rounded_difference(of, tree, sent, names)
        if difference is None:
            difference = _shaken_difference(of, tree, sent, names, total)
    except Sampled:
        return Verdict.NOT_KEPT
    except INAPPLICABLE:
        return Verdict.DISAGREES
    if difference is None:
        return Verdict.DISAGREES
    if isinstance(difference, Verdict):
        return difference
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


def _rounded_difference(of: Rule, tree: ast.expr, sent: TensorValue, names: dict[str, Value]) -> float | None:
    """The difference from what the rule gives if every step of it is rounded to the tensor's type, as torch's are."""
    stepwise = Evaluation(names, of.definitions, partial(rounded, dtype=sent.dtype))
    return _difference(sum_to(np.asarray(stepwise.of(tree)), sent.shape), sent, names["g"])


def _shaken_difference(
    of: Rule, tree: ast.expr, sent: TensorValue, names: dict[str, Value], total: NDArray[Any]
) -> float | Verdict | None:
    """The difference where it is no larger than what rounding makes of this rule and these numbers."""
    returned = array(sent)
    if not np.isfinite(total).all() or not np.isfinite(returned).all() or total.shape != returned.shape:
        return None
    dice = np.random.default_rng(0)
    spread = np.zeros(total.shape)
    for _ in range(SHAKES):
        one = Evaluation(names, of.definitions, partial(shaken, dtype=sent.dtype, dice=dice))
        spread = np.maximum(spread, np.abs(sum_to(np.asarray(one.of(tree)), sent.shape) - total))
    if np.max(spread, initial=0.0) > MOST_SPREAD * max(_largest(returned), _largest(names["g"])):
        return Verdict.ONLY_ROUNDING
    differences = np.abs(total - returned)
    return float(differences.max(initial=0.0)) if np.all(differences <= SPREADS * spread) else None


def _summed(shape: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...]:
    extra = len(shape) - len(to)
    return tuple(i for i, size in enumerate(shape) if i < extra or (size != 1 and to[i - extra] == 1))


def _difference(value: NDArray[Any], sent: TensorValue, gradient: Value) -> float | None:
    """The largest difference; None where it is more than rounding explains."""
    returned = array(sent)
    if not isinstance(returned, np.ndarray) or value.shape != returned.shape:
        return None
    value = rounded(value if sent.dtype.startswith("complex") else value.real, sent.dtype)
    if not np.array_equal(np.isfinite(value), np.isfinite(returned)):
        return None
    infinite = ~np.isfinite(value)
    if not np.array_equal(value[infinite], returned[infinite], equal_nan=True):
        return None
    differences = np.abs(value[~infinite] - returned[~infinite])
    difference = float(differences.max(initial=0.0))
    allowed = TOLERANCES.get(sent.dtype, 0.0) * _largest(returned)
    allowed += CANCELLED * EPSILONS.get(sent.dtype, 0.0) * _largest(gradient)
    return difference if difference <= allowed else None


def _largest(value: Value) -> float:
    if not isinstance(value, np.ndarray):
        return 0.0
    finite = np.abs(value[np.isfinite(value)])
    return float(finite.max(initial=0.0))

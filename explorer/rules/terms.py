"""An element of a gradient as a list of summands: where its factors come from."""

from __future__ import annotations

import itertools

import numpy as np

from explorer.model import Node, NodeRan, TensorValue
from explorer.model.text import cells, number_text
from explorer.model.values import Frozen, floats
from explorer.rules.arrays import sum_to
from explorer.rules.evaluation import INAPPLICABLE
from explorer.rules.local_jacobian import came_in, local_matrix, sent_on
from explorer.rules.products import PRODUCTS
from explorer.rules.verification import Checked, checked

MOST_FACTORS = 4096
"""Of a larger Jacobian the elements are not listed."""


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


Terms = list[list[tuple[Term, float]]]
"""For each element of a gradient its summands, each with its factor as a float."""


def product_terms(node: Node, ran: NodeRan, slot: int) -> Terms | None:
    """Per element of the slot its summands, for nodes that multiply what came in by something they had saved."""
    sent, came = sent_on(ran, slot), came_in(ran)
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
        for element in itertools.product(*map(range, sent.shape))
    ]


def jacobian_terms(node: Node, ran: NodeRan, slot: int) -> Terms | None:
    """Per element of the slot the rows of its Jacobian column that are not 0."""
    matrix = local_matrix(ran, slot)
    if matrix is None:
        return None
    columns, numbers, written = matrix.shape[1], floats(matrix.values), cells(matrix)
    rows = range(matrix.shape[0])
    return [
        [(Term(row=row, factor=written[at]), numbers[at]) for row in rows if numbers[at := row * columns + column] != 0]
        for column in range(columns)
    ]


def formula_terms(node: Node, ran: NodeRan, slot: int) -> Terms | None:
    """From the rule that gave torch's numbers: it is linear in what came in, so a one-hot gives a row."""
    found = next((one for one in checked(node, ran) if one.slot == slot), None)
    came, sent = came_in(ran), sent_on(ran, slot)
    if found is None or sent is None or len(came) != 1 or ran.grad_outputs[0] is None:
        return None
    if came[0].numel * sent.numel > MOST_FACTORS:
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
            answers = [found.evaluation.given(g=g).of(found.tree) for g in one_hots]
            return [sum_to(np.asarray(answer), sent.shape).real.ravel().tolist() for answer in answers]
    except INAPPLICABLE:
        return None


SOURCES = (product_terms, jacobian_terms, formula_terms)
"""The most telling first: saved tensors name the factors, the Jacobian comes from torch, the formula from us."""

"""The ledger and the contributions behind it add up to what torch has in `.grad`."""

from __future__ import annotations

import pytest
import render_samples as samples
import torch

from explorer.model import to_float
from explorer.render.contributions import contributions
from explorer.render.grad_text import value_text
from explorer.render.ledger import Cell, Clearing, ledger

GRAD_REPLACED = """
    x = torch.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    x.grad = torch.tensor([10., 20.])
    (x * 2).sum().backward()
"""
OTHER_LEAF = """
    a = torch.ones(2, requires_grad=True)
    b = torch.ones(2, requires_grad=True)
    loss = (a * b).sum()
    loss.backward()
    a.sum().backward()
"""
SET_TO_NONE = samples.TWO_FUNCTIONS.replace("    h = x.sum()", "    x.grad = None\n    h = x.sum()")
PROGRAMS = [*samples.ALL, GRAD_REPLACED, OTHER_LEAF, SET_TO_NONE]


def test_the_tutorials_ledger() -> None:
    found = ledger(samples.recorded(samples.TWO_FUNCTIONS))
    assert [(column.roots, column.by) for column in found.columns] == [("m", "backward"), ("h", "backward")]
    (row,) = found.rows
    assert (row.name, row.start) == ("x", "None")
    said = [(cell.before, cell.incoming, cell.after) for cell in row.cells if cell is not None]
    assert said == [("None", "[0., 4., 8.]", "[0., 4., 8.]"), ("[0., 4., 8.]", "[1., 1., 1.]", "[1., 5., 9.]")]


@pytest.mark.parametrize(
    ("program", "to", "after"), [(samples.CLEARED_BETWEEN, "zeros", "[0., 0., 0.]"), (SET_TO_NONE, "none", "None")]
)
def test_clearing_stands_between_its_columns(program: str, to: str, after: str) -> None:
    (row,) = ledger(samples.recorded(program)).rows
    first, second = row.cells
    (clearing,) = row.clearings
    assert isinstance(first, Cell)
    assert isinstance(second, Cell)
    assert isinstance(clearing, Clearing)
    assert (clearing.columns_before, clearing.to, clearing.after) == (1, to, after)
    assert first.step < clearing.step < second.step
    assert second.after == "[1., 1., 1.]"


def test_a_leaf_that_a_pass_does_not_reach_has_an_empty_cell() -> None:
    rows = {row.name: row for row in ledger(samples.recorded(OTHER_LEAF)).rows}
    assert [cell is not None for cell in rows["a"].cells] == [True, True]
    assert [cell is not None for cell in rows["b"].cells] == [True, False]


def test_a_root_without_a_variable_is_called_by_its_expression() -> None:
    first, second = ledger(samples.recorded(OTHER_LEAF)).columns
    assert (first.roots, second.roots) == ("loss", "a.sum()")


def test_grad_leaves_the_cells_empty() -> None:
    first, second = ledger(samples.recorded(samples.DOUBLE)).columns
    assert (first.by, second.by) == ("grad", "backward")
    (row,) = ledger(samples.recorded(samples.DOUBLE)).rows
    assert row.cells[0] is None


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_last_entry_is_what_is_in_grad(program: str) -> None:
    recording = samples.recorded(program)
    for row in ledger(recording).rows:
        assert row.at(len(recording.events)) == value_text(recording.grads[row.name])
        assert row.at(0) == "None"


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_not_cleared_adds_up_to_grad(program: str) -> None:
    recording = samples.recorded(program)
    for leaf in recording.leaves:
        grad = recording.grads.get(leaf.name)
        kept = [one.value.values for one in contributions(recording, leaf.id) if not one.is_cleared]
        if grad is None:
            assert not kept
        elif kept:
            summed = torch.tensor([[to_float(x) for x in values] for values in kept]).sum(0)
            torch.testing.assert_close(summed, torch.tensor([to_float(x) for x in grad.values]))


def test_a_replaced_grad_clears_what_was_there() -> None:
    recording = samples.recorded(GRAD_REPLACED)
    found = contributions(recording, recording.leaves[0].id)
    assert [(one.backward_pass, one.is_cleared) for one in found] == [(0, True), (None, False), (1, False)]

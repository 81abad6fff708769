"""The `.grad` of every leaf as a ledger: a column per pass, a row per leaf, each cell `old + incoming = new`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

from explorer.model import (
    Accumulated,
    BackwardPass,
    BackwardStarted,
    GradCleared,
    Leaf,
    Modified,
    Recording,
    Root,
    grad_change,
)
from explorer.model.derived import derived
from explorer.model.values import Frozen
from explorer.render.grad_text import NONE, value_text
from explorer.render.labels import shortened, span_text

ROOT_CHARACTERS = 24


class _Change(NamedTuple):
    """Something that happened to a leaf's `.grad`, and how many passes had started by then."""

    step: int
    started: int
    event: Accumulated | GradCleared | Modified


class Column(Frozen, frozen=True, kw_only=True):
    """One backward pass.

    Args:
        backward_pass: From 0.
        roots: The tensors it started from: "m", or the sub-expression where they have no variable.
        by: "backward", or "grad", which leaves every `.grad` alone.
        step: The step at which it started.
    """

    backward_pass: int
    roots: str
    by: Literal["backward", "grad"]
    step: int


class Cell(Frozen, frozen=True, kw_only=True):
    """What one pass did to one leaf: before + incoming = after, from `step` on."""

    before: str
    incoming: str
    after: str
    step: int


class Clearing(Frozen, frozen=True, kw_only=True):
    """A leaf's `.grad` was cleared or replaced by the program.

    Args:
        columns_before: How many passes had started by then: the mark stands after that many columns.
        to: "zeros", "none", or "other" where the program put something else there.
        after: What `.grad` says from then on.
        step: The step at which it happened.
    """

    columns_before: int
    to: Literal["zeros", "none", "other"]
    after: str
    step: int


class Row(Frozen, frozen=True, kw_only=True):
    """One leaf.

    Args:
        leaf_id, name: Which.
        start: What its `.grad` held before the first pass: "None" as a rule.
        cells: One per column; None where the pass did not reach the leaf.
        clearings: In order.
    """

    leaf_id: str
    name: str
    start: str
    cells: tuple[Cell | None, ...]
    clearings: tuple[Clearing, ...] = ()

    def at(self, step: int) -> str:
        """What `.grad` says at a step."""
        said = [(0, self.start)]
        said += [(cell.step, cell.after) for cell in self.cells if cell is not None]
        said += [(clearing.step, clearing.after) for clearing in self.clearings]
        return max((entry for entry in said if entry[0] <= step), key=lambda entry: entry[0])[1]


class Ledger(Frozen, frozen=True, kw_only=True):
    """All backward passes and what they left in every `.grad`."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@derived
def ledger(recording: Recording) -> Ledger:
    """The ledger of every leaf that requires a gradient, or that ever had one."""
    changes = _changes(recording)
    touched = {
        leaf_id for leaf_id, found in changes.items() if any(isinstance(one.event, Accumulated) for one in found)
    }
    leaves = [leaf for leaf in recording.leaves if leaf.requires_grad or leaf.id in touched]
    return Ledger(
        columns=tuple(_column(recording, backward_pass) for backward_pass in recording.backward_passes),
        rows=tuple(_row(recording, leaf, changes.get(leaf.id, [])) for leaf in leaves),
    )


def _column(recording: Recording, backward_pass: BackwardPass) -> Column:
    started = backward_pass.started
    return Column(
        backward_pass=backward_pass.index,
        roots=shortened(", ".join(_root_name(recording, root) for root in started.roots), ROOT_CHARACTERS),
        by=started.by,
        step=backward_pass.first,
    )


def _root_name(recording: Recording, root: Root) -> str:
    if root.variable is not None or root.node_id is None:
        return root.variable or NONE
    node = recording.node(root.node_id)
    return span_text(recording.source, node.span) or node.name


def _changes(recording: Recording) -> dict[str, list[_Change]]:
    """What happened to each leaf's `.grad`, by leaf id: the events are read once for all leaves."""
    changes: dict[str, list[_Change]] = defaultdict(list)
    started = 0
    for step, event in enumerate(recording.events, 1):
        match event:
            case BackwardStarted():
                started += 1
            case Accumulated(leaf_id=leaf_id) | GradCleared(leaf_id=leaf_id):
                changes[leaf_id].append(_Change(step, started, event))
            case Modified(leaf_id=str(leaf_id), of_grad=True):
                changes[leaf_id].append(_Change(step, started, event))
    return changes


def _row(recording: Recording, leaf: Leaf, changes: Sequence[_Change]) -> Row:
    cells: dict[int, Cell] = {}
    clearings: list[Clearing] = []
    for step, started, event in changes:
        if isinstance(event, Accumulated):
            before, incoming, after = map(value_text, (event.before, event.incoming, event.after))
            cells[event.backward_pass] = Cell(before=before, incoming=incoming, after=after, step=step)
        else:
            clearings.append(_clearing(event, step, started))
    indices = [backward_pass.index for backward_pass in recording.backward_passes]
    return Row(
        leaf_id=leaf.id,
        name=leaf.name,
        start=value_text(changes[0].event.before) if changes else NONE,
        cells=tuple(cells.get(index) for index in indices),
        clearings=tuple(clearings),
    )


def _clearing(event: GradCleared | Modified, step: int, started: int) -> Clearing:
    change = grad_change(event)
    after = value_text(change[2] if change is not None else None)
    to = event.to if isinstance(event, GradCleared) else "other"
    return Clearing(columns_before=started, to=to, after=after, step=step)

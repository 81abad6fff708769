"""Gradients as grids of cells, each cell with the sum that makes it."""

from __future__ import annotations

import math
from typing import Any, Literal

from explorer.i18n import Language, text
from explorer.model import Accumulated, Edge, Leaf, Node, NodeRan, Recording, SavedTensor, TensorValue
from explorer.model.text import cells, shape_text
from explorer.model.values import floats
from explorer.rules.arithmetic import ElementSum, SlotSums, fan_out, slot_sums
from explorer.rules.gradients import adds_up, changed_after
from explorer.rules.local_jacobian import came_in, sent_on
from explorer.ui.insight.symbols import edge_symbol, gradient_symbol, origin_of, result_name

Grid = dict[str, Any]
Shown = dict[str, Any]
"""Strings, numbers, None, lists and dictionaries of them: what JSON holds."""

MOST_CELLS = 256


def grid(value: TensorValue, title: str, *, symbol: str = "", note: str = "") -> Grid:
    """A tensor as a grid: rows of its last dimension; without cells where it is large or not all of it is known.

    Args:
        value: The tensor.
        title: What it is.
        symbol: What an element is called, before its index.
        note: What else is to be said of it.
    """
    is_drawn = value.complete and value.numel <= MOST_CELLS
    numbers = floats(value.values) if is_drawn else []
    most = max((abs(number) for number in numbers if math.isfinite(number)), default=0.0) or 1.0
    return {
        "title": title,
        "note": note,
        "symbol": symbol,
        "shape": list(value.shape),
        "shape_text": shape_text(value.shape),
        "cells": list(cells(value)) if is_drawn else None,
        "shades": [round(number / most, 3) if math.isfinite(number) else 0 for number in numbers],
        "sums": [None] * len(numbers),
    }


def node_grids(recording: Recording, node: Node, ran: NodeRan, language: Language) -> Shown:
    """What came into a node, what it multiplied that by, and what it sent on."""
    found = [_came_grid(recording, node, ran, nr, value, language) for nr, value in _defined(ran)]
    count = len(found)
    came_cells = [(at, cell) for at, one in enumerate(found) for cell in range(math.prod(one["shape"]))]
    explained: list[str] = []
    kept: dict[str, int] = {}
    for edge in recording.edges_from(node.id):
        sent = sent_on(ran, edge.slot)
        if sent is None:
            continue
        sums = slot_sums(recording, ran, edge.slot)
        for name in _saved_names(sums):
            saved = next(one for one in node.saved if one.name == name)
            if name in kept or saved.value is None:
                continue
            same = next((one.name for one in node.saved if one.name in kept and is_same(one, saved)), None)
            kept[name] = len(found) if same is None else kept[same]
            found += [] if same else [_saved_grid(recording, saved, saved.value, language)]
        found.append(_sent_grid(recording, ran, edge, sent, sums, came_cells, kept, language))
        explained += [_summed_note(ran, sent, sums, language)] if sums and sums.summed_dimensions else []
    is_explained = any(any(one["sums"]) for one in found)
    return {
        "grids": found,
        "notes": list(dict.fromkeys(explained)),
        "unexplained": hidden_by(ran) if found and not is_explained else None,
        "main": next((at for at, one in enumerate(found) if at >= count and any(one["sums"])), 0),
    }


def hidden_by(ran: NodeRan) -> Literal["hook", "batch", "other"]:
    """Why what a node sent on need not be what its formula, or its local Jacobian, gives for what came in."""
    if changed_after(ran) is not None:
        return "hook"
    return "batch" if ran.batched else "other"


def leaf_grids(recording: Recording, leaf: Leaf, ran: NodeRan, added: Accumulated | None, language: Language) -> Shown:
    """What arrived at a leaf, and once it has been added: what was in `.grad` before, and what is there now."""
    assert leaf.node_id is not None
    arrived = next((value for value in ran.grad_outputs if value is not None), None)
    if arrived is None:
        return {"grids": [], "notes": [text("insight.no_gradient_yet", language)]}
    symbol = gradient_symbol(recording, ran, recording.node(leaf.node_id))
    incoming = grid(arrived, text("insight.arrived", language), symbol=symbol)
    _explain_fan_out(recording, ran, incoming, language)
    if added is None:
        return {"grids": [incoming], "notes": [], "main": 0}
    after = grid(added.after, f"{leaf.name}.grad", symbol=f"{leaf.name}.grad")
    if added.before is None:
        notes = [text("insight.was_none", language, leaf=leaf.name)]
        return {"grids": [incoming, after], "notes": notes, "main": 0}
    before = grid(added.before, text("insight.before", language, leaf=leaf.name), symbol=f"{leaf.name}.grad")
    if adds_up([added.before, added.incoming], added.after) and before["cells"] is not None:
        labels = ["", text("insight.arrived", language)]
        after["sums"] = [_sum([[[0, cell]], [[1, cell]]], labels) for cell in range(len(after["sums"]))]
    return {"grids": [before, incoming, after], "notes": [], "main": 2}


def is_same(one: SavedTensor, other: SavedTensor) -> bool:
    """Whether the same tensor was saved twice, as in x * x."""
    origin = one.leaf_id or one.node_id
    return origin is not None and origin == (other.leaf_id or other.node_id) and one.value == other.value


def _defined(ran: NodeRan) -> list[tuple[int, TensorValue]]:
    return [(nr, value) for nr, value in enumerate(ran.grad_outputs) if value is not None]


def _came_grid(recording: Recording, node: Node, ran: NodeRan, nr: int, value: TensorValue, language: Language) -> Grid:
    one = len(ran.grad_outputs) == 1
    title = text("insight.came", language) if one else text("insight.came_nr", language, nr=nr)
    symbol = gradient_symbol(recording, ran, node) if one else f"g{nr}"
    found = grid(value, title, symbol=symbol)
    if one:
        _explain_fan_out(recording, ran, found, language)
    return found


def _explain_fan_out(recording: Recording, ran: NodeRan, of: Grid, language: Language) -> None:
    parts = fan_out(recording, ran)
    if not parts or of["cells"] is None:
        return
    columns = [cells(value) for _, value in parts]
    labels = [
        text("insight.through", language, name=name) if name else text("insight.from_seed", language)
        for name, _ in parts
    ]
    of["note"] = text("insight.meet", language, count=len(parts))
    of["sums"] = [_sum([[column[cell]] for column in columns], labels) for cell in range(len(of["sums"]))]


def _saved_grid(recording: Recording, saved: SavedTensor, value: TensorValue, language: Language) -> Grid:
    origin = origin_of(recording, saved)
    title = text("insight.saved", language, name=saved.name)
    return grid(value, title, symbol=origin or saved.name, note=f"= {origin}" if origin else "")


def _sent_grid(
    recording: Recording,
    ran: NodeRan,
    edge: Edge,
    sent: TensorValue,
    sums: SlotSums | None,
    came_cells: list[tuple[int, int]],
    kept: dict[str, int],
    language: Language,
) -> Grid:
    meeting = len(recording.senders(ran.backward_pass, edge.target))
    note = text("insight.part", language, count=meeting) if meeting > 1 else ""
    title = text("insight.sent", language, target=result_name(recording, recording.node(edge.target), edge.input_nr))
    found = grid(sent, title, symbol=edge_symbol(recording, ran, edge), note=note)
    if sums is not None and found["cells"] is not None:
        found["sums"] = [one and _element_sum(one, came_cells, kept) for one in sums.sums]
    return found


def _element_sum(one: ElementSum, came_cells: list[tuple[int, int]], kept: dict[str, int]) -> Shown:
    terms = []
    for term in one.terms:
        factors: list[Any] = [list(came_cells[term.row])]
        if term.saved is not None and term.saved[0] in kept:
            factors.append([kept[term.saved[0]], term.saved[1]])
        elif not one.is_plain:
            factors.append(term.factor)
        terms.append(factors)
    return _sum(terms)


def _sum(terms: list[list[Any]], labels: list[str] | None = None) -> Shown:
    """A sum of products; a factor is [grid, cell] or a number as text."""
    return {"terms": terms, "labels": labels or []}


def _saved_names(sums: SlotSums | None) -> list[str]:
    terms = [term for one in (sums.sums if sums else ()) if one for term in one.terms]
    return list(dict.fromkeys(term.saved[0] for term in terms if term.saved is not None))


def _summed_note(ran: NodeRan, sent: TensorValue, sums: SlotSums | None, language: Language) -> str:
    dimensions = ", ".join(map(str, sums.summed_dimensions)) if sums else ""
    before, after = shape_text(came_in(ran)[0].shape), shape_text(sent.shape)
    key = "insight.summed_rows" if dimensions == "0" and len(came_in(ran)[0].shape) == 2 else "insight.summed"
    return text(key, language, before=before, after=after, dimensions=dimensions)

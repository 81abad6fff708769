"""What the names in a rule stand for at one step: the gradient that came in, and what the node had saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.model import Edge, Node, NodeRan, Number, Plain, Recording, SavedTensor, TensorValue, to_float
from explorer.rules.arrays import MOST_ELEMENTS
from explorer.rules.evaluation import Sampled, Value
from explorer.rules.notation import Piece, code_name, number
from explorer.rules.story import expression
from explorer.rules.table import Rule

GRADIENT = Piece("g")
MOST_CHARACTERS = 16
"""A longer sub-expression does not stand in a formula for the tensor it makes."""


def array(value: TensorValue | None) -> Value:
    """A tensor as a numpy array of double precision; `Sampled` in its place where not all of it is known."""
    if value is None:
        return None
    if not value.complete or max(value.shape, default=0) > MOST_ELEMENTS:
        return Sampled(value.shape)
    try:
        return _elements(value.values, value.dtype).reshape(value.shape)
    except (OverflowError, ValueError):
        return Sampled(value.shape)  # a recording that somebody has written by hand


def saved_names(node: Node) -> dict[str, Value]:
    """What a node saved, by torch's names for it; lists of tensors as lists."""
    names: dict[str, Value] = {saved.name: _kept(saved) for saved in node.saved if "[" not in saved.name}
    for saved in node.saved:
        name, bracket, _ = saved.name.partition("[")
        if bracket:
            names.setdefault(name, []).append(_kept(saved))
    return names


def names_at(node: Node, ran: NodeRan) -> dict[str, Value]:
    """What stands for what in the rules of a node that has just run, whatever the slot."""
    gradients = [array(gradient) for gradient in ran.grad_outputs]
    return {
        **saved_names(node),
        **{f"g{index}": gradient for index, gradient in enumerate(gradients)},
        "g": gradients[0] if gradients else None,
        "kept_g": next((_kept(saved) for saved in node.saved if saved.name == "g"), None),
        "gs": gradients,
        "shapes": tuple(None if sent is None else sent.shape for sent in ran.computed),
    }


def arguments_of(recording: Recording, node: Node, of: Rule) -> dict[str, Value]:
    """The arguments of the operation that a gradient goes back to, as they were when it was called."""
    values = {source.slot: _made(recording, source) for source in recording.edges_from(node.id)}
    return {argument: array(values[slot]) for slot, (argument, _) in enumerate(of.vjps) if values.get(slot) is not None}


def _made(recording: Recording, edge: Edge) -> TensorValue | None:
    """The tensor whose gradient travels along an edge: one that a node made, or the leaf that it fills."""
    leaf = next((leaf for leaf in recording.leaves if leaf.node_id == edge.target), None)
    if leaf is not None:
        return leaf.value
    node = recording.node(edge.target)
    return node.value if edge.input_nr == node.value_nr else None


def argument_symbols(recording: Recording, node: Node, of: Rule) -> dict[str, Piece]:
    """What to write for the arguments that a gradient goes back to."""
    targets = {edge.slot: (edge.target, edge.input_nr) for edge in recording.edges_from(node.id)}
    found = {
        argument: node_symbol(recording, *targets[slot])
        for slot, (argument, _) in enumerate(of.vjps)
        if slot in targets
    }
    return {argument: symbol for argument, symbol in found.items() if symbol is not None}


def symbols_at(recording: Recording, node: Node) -> dict[str, Piece]:
    """What to write for the names: the program's own, the numbers that have none, torch's for the rest."""
    symbols = {"g": GRADIENT} | {f"g{index}": Piece(f"g_{{{index}}}") for index in range(8)}
    for saved in node.saved:
        if saved.value is not None and (symbol := _symbol(recording, saved, saved.value)) is not None:
            symbols[saved.name] = symbol
    return symbols


def node_symbol(recording: Recording, node_id: str, output_nr: int) -> Piece | None:
    """What the program calls a tensor that a node made, or a short expression for it."""
    node = recording.node(node_id)
    # Where a call notes several nodes, its text stands for what the last made, the only one that the recorder saw.
    is_seen = node.value is not None and node.results == 1
    code = node.variable_of(output_nr) or (expression(recording, node.span, MOST_CHARACTERS) if is_seen else None)
    return code_name(code) if code and "…" not in code else None


def _symbol(recording: Recording, saved: SavedTensor, value: TensorValue) -> Piece | None:
    if saved.leaf_id is not None:
        return code_name(recording.leaf(saved.leaf_id).name)
    if saved.node_id is not None:
        return node_symbol(recording, saved.node_id, saved.output_nr)
    return number(_scalar(value.values[0])) if value.shape == () and value.complete else None


def _scalar(element: Number) -> float | complex:
    if isinstance(element, str) and element.endswith("j"):
        return complex(element)
    return element if isinstance(element, int) else to_float(element)


def _kept(saved: SavedTensor) -> Value:
    if saved.value is not None:
        return array(saved.value)
    return _plain(saved.plain)


def _plain(plain: Plain | None) -> Value:
    if isinstance(plain, tuple):
        return tuple(_plain(part) for part in plain)
    if isinstance(plain, str):
        try:
            return complex(plain) if plain.endswith("j") else float(plain)
        except ValueError:
            return plain
    return plain


def _elements(values: Sequence[Number], dtype: str) -> NDArray[Any]:
    if dtype == "bool":
        return np.array(values, dtype=bool)
    if dtype.startswith("complex"):
        return np.array([complex(value) for value in values], dtype=complex)
    if dtype.startswith(("float", "bfloat")):
        return np.array([float(value) for value in values], dtype=float)
    return np.array(values, dtype=np.int64)

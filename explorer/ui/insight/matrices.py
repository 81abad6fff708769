"""Local Jacobians and the chain rule, as grids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from explorer.i18n import Language, text
from explorer.model import Edge, Node, NodeRan, Recording, TensorValue
from explorer.model.events import JACOBIAN_ELEMENTS
from explorer.model.text import cells
from explorer.rules.chain import Chain, Path, chain
from explorer.rules.local_jacobian import came_in, local_matrix, multiplies_out, sent_on
from explorer.ui.insight.grids import Shown, grid, hidden_by
from explorer.ui.insight.symbols import edge_symbol, gradient_symbol, result_name, symbol_of


def jacobian_content(recording: Recording, node: Node, ran: NodeRan | None, language: Language) -> Shown:
    """A node's local Jacobian, slot by slot, and the chain rule from the root to it."""
    if ran is None:
        return {"slots": [], "reason": text("insight.not_run", language), "chain": None}
    slots = [
        _slot(recording, node, ran, edge, language)
        for edge in recording.edges_from(node.id)
        if multiplies_out(ran, edge.slot)
    ]
    reason = None if slots else _reason(recording, node, ran, language)
    return {"slots": slots, "reason": reason, "chain": chain_content(recording, node, ran, language)}


def chain_content(recording: Recording, node: Node, ran: NodeRan, language: Language) -> Shown | None:
    """The chain rule from the root to a node, multiplied out; None where a factor is not known."""
    one = recording.backward_passes[ran.backward_pass].started
    found = chain(recording, ran)
    if found is None or one.roots[0].node_id == node.id:
        return None
    root, here = one.roots[0].variable or text("insight.root", language), result_name(recording, node)
    return {
        "title": text("insight.chain", language, root=root, here=here),
        "seed": _row(found.seed, text("insight.seed", language)),
        "whole": grid(found.whole, f"∂{root}/∂{symbol_of(recording, node)}"),
        "gradient": _row(found.gradient, gradient_symbol(recording, ran, node)),
        "paths": [_path(recording, path, symbol_of(recording, node), language) for path in found.paths],
        "note": _chain_note(found, language),
    }


def _slot(recording: Recording, node: Node, ran: NodeRan, edge: Edge, language: Language) -> Shown:
    matrix, sent = local_matrix(ran, edge.slot), sent_on(ran, edge.slot)
    assert matrix is not None
    assert sent is not None
    came, target = came_in(ran), symbol_of(recording, recording.node(edge.target))
    result = symbol_of(recording, node)
    return {
        "title": f"∂{result}/∂{target}",
        "slot": edge.slot,
        "matrix": grid(matrix, f"∂{result}/∂{target}"),
        "rows": [label for nr, value in enumerate(came) for label in _labels(_of(result, nr, came), value.shape)],
        "columns": _labels(target, sent.shape),
        "came": [written for value in came for written in cells(value)],
        "sent": list(cells(sent)),
        "sent_symbol": edge_symbol(recording, ran, edge),
    }


def _of(result: str, nr: int, came: Sequence[TensorValue]) -> str:
    return result if len(came) == 1 else f"{result}.{nr}"


def _labels(symbol: str, shape: Sequence[int]) -> list[str]:
    return [
        f"{symbol}[{', '.join(map(str, index))}]" if index else symbol
        for index in itertools.product(*map(range, shape))
    ]


def _reason(recording: Recording, node: Node, ran: NodeRan, language: Language) -> str:
    """Why there is no matrix to be seen."""
    sent = [value for value in ran.grad_inputs if value is not None]
    elements = max([sum(value.numel for value in came_in(ran)), *(value.numel for value in sent)], default=0)
    if node.kind == "custom":
        return text("insight.jacobian_custom", language)
    if not sent:
        return text("insight.jacobian_nothing", language)
    if elements > JACOBIAN_ELEMENTS:
        return text("insight.jacobian_large", language, elements=elements, most=JACOBIAN_ELEMENTS)
    if any(value.dtype.startswith("complex") for value in (*sent, *came_in(ran))):
        return text("insight.jacobian_complex", language)
    return text(f"insight.jacobian_{hidden_by(ran)}" if ran.jacobian else "insight.jacobian_unknown", language)


def _path(recording: Recording, path: Path, here: str, language: Language) -> Shown:
    names = [symbol_of(recording, recording.node(link.node_id)) for link in path.links]
    pairs = zip(path.links, itertools.pairwise([*names, here]), strict=True)
    factors = [grid(link.matrix, f"∂{name}/∂{following}") for link, (name, following) in pairs]
    return {"factors": factors, "part": _row(path.part, text("insight.this_way", language))}


def _chain_note(found: Chain, language: Language) -> str:
    if found.path_count == 1:
        return text("insight.one_path", language)
    key = "insight.several_paths" if found.paths else "insight.many_paths"
    return text(key, language, count=found.path_count)


def _row(value: TensorValue, title: str) -> Shown:
    """A gradient as a vector that stands to the left of a matrix, whatever its own shape."""
    row = TensorValue(shape=(1, value.numel), dtype=value.dtype, values=value.values)
    return grid(row, title) | {"shape_text": ""}

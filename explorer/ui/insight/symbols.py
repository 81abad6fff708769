"""What elements of tensors and gradients are called: "x", "∂m/∂x", "→ x"."""

from __future__ import annotations

from explorer.model import Edge, Node, NodeRan, Recording, SavedTensor
from explorer.rules.notation import FIRM
from explorer.rules.story import expression

MOST_CHARACTERS = 24
"""A longer sub-expression does not stand for the tensor it makes."""


def result_name(recording: Recording, node: Node, output_nr: int | None = None) -> str:
    """What a node's result is called, or all of them: the program's name, a short expression, or the node itself."""
    variable = node.variable if output_nr is None else node.variable_of(output_nr)
    if variable or node.order > 1:  # the span of a node that a backward built is the whole call
        return variable or node.name
    code = expression(recording, node.span, MOST_CHARACTERS)
    return code if code and "…" not in code else node.name


def symbol_of(recording: Recording, node: Node, output_nr: int | None = None) -> str:
    """A node's result as a factor of a formula: a composed expression in parentheses."""
    name = result_name(recording, node, output_nr)
    return name if FIRM.fullmatch(name) else f"({name})"


def origin_of(recording: Recording, saved: SavedTensor) -> str | None:
    """What the program calls a saved tensor."""
    if saved.leaf_id is not None:
        return recording.leaf(saved.leaf_id).name
    return None if saved.node_id is None else recording.node(saved.node_id).variable_of(saved.output_nr)


def gradient_symbol(recording: Recording, ran: NodeRan, node: Node, output_nr: int | None = None) -> str:
    """What the gradient at a node is called: "∂m/∂y", or "g" where a name is missing."""
    root = _root_symbol(recording, ran)
    return f"{root}/∂{symbol_of(recording, node, output_nr)}" if root else "g"


def edge_symbol(recording: Recording, ran: NodeRan, edge: Edge) -> str:
    """What the gradient along an edge is called; one of several that meet is no whole derivative."""
    target = recording.node(edge.target)
    meeting = recording.senders(ran.backward_pass, edge.target)
    if len([one for one, _ in meeting if one.input_nr == edge.input_nr]) == 1:
        return gradient_symbol(recording, ran, target, edge.input_nr)
    return f"→ {result_name(recording, target, edge.input_nr)}"


def _root_symbol(recording: Recording, ran: NodeRan) -> str | None:
    """What the pass differentiates: "∂m", or "vᵀ∂y" where it started from several elements."""
    roots = recording.backward_passes[ran.backward_pass].started.roots
    if len(roots) != 1 or roots[0].variable is None or roots[0].value is None:
        return None
    return f"∂{roots[0].variable}" if roots[0].value.numel == 1 else f"vᵀ∂{roots[0].variable}"

"""What stands written in each box of the picture, line by line: torch's words, the program's text, numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from explorer.model import Cut, Leaf, Node, Recording, SavedTensor, Span, TensorValue
from explorer.model.source import piece_at
from explorer.model.syntax import is_given
from explorer.model.text import shape_text, short_text
from explorer.render.leaf_values import leaf_value_text
from explorer.render.options import GraphOptions

MADE_CHARACTERS = 34
NAME_CHARACTERS = 28
SETTINGS_LINES = 3
ELLIPSIS = "…"

WRITES = {"CopySlices", "IndexPutBackward0"}
"""What writing into a part of a tensor leaves."""

ASSIGNED = re.compile(r"(\[.*?\])? \W{0,3}= ")
"""What follows a name that is written to: ` += `, `[0] = `."""

Lines = tuple[str, ...]


def node_lines(recording: Recording, node: Node, options: GraphOptions) -> Lines:
    """torch's name, the expression that made it, its value and shape."""
    made = made_by_text(recording, node.variable, node.span)
    if node.name in WRITES and node.variable and made.startswith(f"{node.variable} ← {node.variable}["):
        made = f"{made.removeprefix(f'{node.variable} ← ')} = {ELLIPSIS}"  # `y[0] += 1`, of which Python says `y[0]`
    if node.order > 1 and node.made_by is not None:
        # Its span is the whole backward call; the node whose backward built it says more.
        maker = f"∂ {recording.node(node.made_by).name}"
        made = shortened(f"{node.variable} = {maker}" if node.variable else maker, MADE_CHARACTERS)
    return _filled(shortened(node.name, NAME_CHARACTERS), made, value_line(node.value, options))


def accumulate_lines(
    node: Node, leaf: Leaf | None, options: GraphOptions, longest_grad: str, longest_value: str | None = None
) -> Lines:
    """The leaf's name and shape, its value, torch's name, `.grad`, and last of all room for what `.grad` holds."""
    head = leaf_lines(leaf, options, longest_value) if leaf is not None else ()
    return (*head, node.name, ".grad", longest_grad)


def leaf_lines(leaf: Leaf, options: GraphOptions, longest_value: str | None = None) -> Lines:
    """The leaf's name with its shape, then its value, or room for the longest that it will have."""
    name = shortened(leaf.name, NAME_CHARACTERS)
    head = f"{name} {shape_text(leaf.value.shape)}" if options.show_shapes else name
    value = leaf_value_text(leaf.value, options.show_shapes) if longest_value is None else longest_value
    return _filled(head, value if options.show_values else "")


def saved_lines(recording: Recording, saved: SavedTensor, options: GraphOptions) -> Lines:
    """torch's name for what was saved and where it came from, then its value."""
    origin = _origin(recording, saved)
    head = shortened(f"{saved.name}: {origin}" if origin else saved.name, NAME_CHARACTERS)
    return _filled(head, value_line(saved.value, options))


def settings_lines(settings: Sequence[SavedTensor]) -> Lines:
    """What was saved and is no tensor, a line each; how many more, where the list is long."""
    shown = settings if len(settings) <= SETTINGS_LINES else settings[: SETTINGS_LINES - 1]
    lines = [shortened(f"{saved.name} {saved.text or ''}".strip(), NAME_CHARACTERS) for saved in shown]
    more = len(settings) - len(shown)
    return _filled(*lines, f"+{more} {ELLIPSIS}" if more else "")


def cut_lines(recording: Recording, cut: Cut, options: GraphOptions) -> Lines:
    """Scissors and what cut, the expression, the value that came out."""
    head = shortened(f"✂ {cutter(cut)}", NAME_CHARACTERS)
    return _filled(head, made_by_text(recording, cut.variable, cut.span), value_line(cut.value, options))


def cutter(cut: Cut) -> str:
    """What cut: a function, or `no_grad`, under which any may do so, the last one inside of `net(x)` too."""
    return "no_grad" if cut.reason == "no_grad" else cut.operation


def made_by_text(recording: Recording, variable: str | None, span: Span | None) -> str:
    """What made something, shortened to one line."""
    return shortened(whole_made_by_text(recording, variable, span), MADE_CHARACTERS)


def whole_made_by_text(recording: Recording, variable: str | None, span: Span | None) -> str:
    """`m = 2 * torch.dot(x, x)`, or the sub-expression alone, or the variable alone.

    Where the program does not say so itself, it is `kept[0] ← x * x`.
    """
    expression = span_text(recording.source, span)
    if variable and ASSIGNED.match(expression.removeprefix(variable)):
        return expression
    sign = " = " if variable and is_given(recording.source, span, variable) else " ← "
    return sign.join(filter(None, (variable, expression)))


def span_text(source: str | None, span: Span | None) -> str:
    """The piece of program text, its white space collapsed; "" if it is not known."""
    return " ".join((piece_at(source, span) or "").split())


def value_line(value: TensorValue | None, options: GraphOptions) -> str:
    """Value and shape, as far as they are wanted; the shape once only."""
    if value is None:
        return ""
    shape = shape_text(value.shape)
    if not options.show_values:
        return shape if options.show_shapes else ""
    text = short_text(value)
    return text if text.startswith(shape) or not options.show_shapes else f"{text}  {shape}"


def shortened(text: str, characters: int) -> str:
    """The text, its end replaced by an ellipsis where it is too long."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + ELLIPSIS


def _origin(recording: Recording, saved: SavedTensor) -> str:
    if saved.leaf_id is not None:
        return recording.leaf(saved.leaf_id).name
    if saved.node_id is None:
        return ""
    node = recording.node(saved.node_id)
    return node.variable_of(saved.output_nr) or span_text(recording.source, node.span) or node.name


def _filled(*lines: str) -> Lines:
    return tuple(line for line in lines if line)

"""What leaves hold that a program changes in place, as a training loop changes its weights."""

from __future__ import annotations

from explorer.model import Leaf, Modified, Recording, TensorValue
from explorer.model.derived import derived
from explorer.model.text import shape_text, short_text
from explorer.render.options import GraphOptions

LeafValues = dict[str, tuple[tuple[int, TensorValue], ...]]
"""(step from which on, value) by the id of the leaf's box, the value it was made with first."""
ValueLines = dict[str, list[tuple[int, str]]]
"""(step from which on, text) by the id of the leaf's box."""


@derived
def leaf_values(recording: Recording) -> LeafValues:
    """Of each leaf that is changed: all values it ever has."""
    changed: dict[str, list[tuple[int, TensorValue]]] = {}
    for step, event in enumerate(recording.events, 1):
        if isinstance(event, Modified) and event.leaf_id is not None and not event.of_grad:
            changed.setdefault(event.leaf_id, []).append((step, event.after))
    leaves = {leaf_id: recording.leaf(leaf_id) for leaf_id in changed}
    return {box_of(leaves[id_]): ((0, leaves[id_].value), *values) for id_, values in changed.items()}


def box_of(leaf: Leaf) -> str:
    """The id of a leaf's box, which is its `AccumulateGrad`'s if it has one."""
    return leaf.node_id or leaf.id


def leaf_value_text(value: TensorValue, show_shapes: bool) -> str:
    """A leaf's value as its box shows it: without the shape, which stands behind the name."""
    text = short_text(value)
    if not show_shapes:
        return text
    return text.removeprefix(shape_text(value.shape)).removeprefix(" · ").strip()


def value_line_texts(recording: Recording, options: GraphOptions) -> ValueLines:
    """What stands in the second line of each leaf's box, from which step on; nothing where there is no such line."""
    return _value_lines(recording, options.show_shapes) if options.show_values else {}


@derived
def _value_lines(recording: Recording, show_shapes: bool) -> ValueLines:
    texts = {
        box: [(step, leaf_value_text(value, show_shapes)) for step, value in held]
        for box, held in leaf_values(recording).items()
    }
    return {box: lines for box, lines in texts.items() if any(text for _, text in lines)}

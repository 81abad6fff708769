"""What the picture's shapes and states mean, as keys of `explorer.i18n`."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.model import NodeRan, Recording, TensorValue
from explorer.model.text import CONSTANT, NORM, short_text
from explorer.model.values import Frozen
from explorer.render.lines import lines_of, long_lines
from explorer.render.options import GraphOptions


class LegendEntry(Frozen, frozen=True, kw_only=True):
    """One line of the legend.

    Args:
        sign: The class of the element it explains ("operation", "saved", …), or the arrows' direction.
        key: The key of its sentence.
    """

    sign: str
    key: str


def legend(recording: Recording, options: GraphOptions) -> tuple[LegendEntry, ...]:
    """The lines that this picture needs, the arrows' direction first."""
    texts = {short_text(value) for value in _values(recording)} if options.show_values else set()
    kinds = {node.kind for node in recording.nodes}
    wanted = {
        f"arrows_{options.arrows}": bool(recording.edges),
        "operation": "operation" in kinds,
        "custom": "custom" in kinds,
        "accumulate": "accumulate" in kinds,
        "leaf": any(leaf.node_id is None for leaf in recording.leaves),
        "seed": bool(recording.backward_passes),
        "saved": options.show_saved and any(node.saved for node in recording.nodes),
        "norm": any(NORM in text for text in texts),
        "constant": any(CONSTANT in text for text in texts),
        "cut": bool(recording.cuts),
        "order": any(node.order > 1 for node in recording.nodes),
        "sign": bool(long_lines(lines_of(recording))),
        "more": options.only is not None and len(set(options.only)) < len(recording.nodes),
    }
    return tuple(LegendEntry(sign=sign, key=f"render.legend.{sign}") for sign, holds in wanted.items() if holds)


def _values(recording: Recording) -> Iterator[TensorValue]:
    """What stands in the boxes and beside the arrows."""
    yield from (leaf.value for leaf in recording.leaves)
    yield from (node.value for node in recording.nodes if node.value is not None)
    for event in recording.events:
        if isinstance(event, NodeRan):
            yield from (sent for sent in event.grad_inputs if sent is not None)

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
    stand_ins = _stand_ins(recording) if options.show_values else set()
    kinds = {node.kind for node in recording.nodes}
    wanted = {
        f"arrows_{options.arrows}": bool(recording.edges),
        "operation": "operation" in kinds,
        "custom": "custom" in kinds,
        "accumulate": "accumulate" in kinds,
        "leaf": any(leaf.node_id is None for leaf in recording.leaves),
        "seed": bool(recording.backward_passes),
        "saved": options.show_saved and any(node.saved for node in recording.nodes),
        "norm": NORM in stand_ins,
        "constant": CONSTANT in stand_ins,
        "cut": bool(recording.cuts),
        "order": any(node.order > 1 for node in recording.nodes),
        "sign": bool(long_lines(lines_of(recording))),
        "more": options.only is not None and len(set(options.only)) < len(options.among or recording.nodes),
    }
    return tuple(LegendEntry(sign=sign, key=f"render.legend.{sign}") for sign, holds in wanted.items() if holds)


def _stand_ins(recording: Recording) -> set[str]:
    """Which of the two signs stand for tensors here; looks no further once both have been found."""
    found: set[str] = set()
    for value in _values(recording):
        text = short_text(value)
        found |= {sign for sign in (NORM, CONSTANT) if sign in text}
        if len(found) == 2:
            break
    return found


def _values(recording: Recording) -> Iterator[TensorValue]:
    """What stands in the boxes and beside the arrows."""
    yield from (leaf.value for leaf in recording.leaves)
    yield from (node.value for node in recording.nodes if node.value is not None)
    for event in recording.events:
        if isinstance(event, NodeRan):
            yield from (sent for sent in event.grad_inputs if sent is not None)

"""The lines of the picture: edges that gradients travel, and links along which none does.

A line over many ranks costs Graphviz one invisible node per rank: 150 loop turns that all use `x` would take minutes.
In such a graph the long lines end in a sign with the name of the box they lead to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal

from explorer.model import Operation, Recording
from explorer.model.derived import derived
from explorer.model.values import Frozen

MOST_SPANNED_RANKS = 200
"""Up to so many ranks, summed over all lines, every line is drawn to its end."""
LONG_LINE_RANKS = 6


class Line(Frozen, frozen=True, kw_only=True):
    """A line between two boxes, in the direction from root to leaf.

    Args:
        id: The edge's id, or one made of the ids of the boxes.
        kind: "edge", or what it ties to the graph.
        source, target: Ids of boxes.
    """

    id: str
    kind: Literal["edge", "leaf-link", "cut-link"]
    source: str
    target: str


@derived
def lines_of(recording: Recording) -> tuple[Line, ...]:
    """All lines, edges first, in the order of the recording."""
    edges = (Line(id=edge.id, kind="edge", source=edge.source, target=edge.target) for edge in recording.edges)
    return (*edges, *_leaf_links(recording), *_cut_links(recording))


def long_lines(lines: Sequence[Line]) -> frozenset[str]:
    """Ids of the lines to break off: none while all lines together span few ranks."""
    ranks = _ranks(lines)
    spans = {line.id: ranks.get(line.target, 0) - ranks.get(line.source, 0) for line in lines}
    if sum(spans.values()) <= MOST_SPANNED_RANKS:
        return frozenset()
    return frozenset(id_ for id_, span in spans.items() if span > LONG_LINE_RANKS)


def _leaf_links(recording: Recording) -> Iterator[Line]:
    """To every leaf that went into a node without an edge, once each."""
    without = {leaf.id for leaf in recording.leaves if leaf.node_id is None}
    operations = (event for event in recording.events if isinstance(event, Operation) and event.node_ids)
    found = ((id_, event.node_ids[-1]) for event in operations for id_ in event.input_ids if id_ in without)
    for leaf_id, node_id in dict.fromkeys(found):
        yield Line(id=f"{leaf_id}-{node_id}", kind="leaf-link", source=node_id, target=leaf_id)


def _cut_links(recording: Recording) -> Iterator[Line]:
    """From each consumer to the cut, and from the cut to what lies behind it."""
    boxes = {leaf.id: leaf.node_id or leaf.id for leaf in recording.leaves}
    for cut in recording.cuts:
        for k, (node_id, _) in enumerate(cut.consumers):
            yield Line(id=f"{cut.id}-{k}", kind="cut-link", source=node_id, target=cut.id)
        for source_id in cut.sources:
            target = boxes.get(source_id, source_id)
            yield Line(id=f"{cut.id}-from-{source_id}", kind="cut-link", source=cut.id, target=target)


def _ranks(lines: Sequence[Line]) -> dict[str, int]:
    """About the rank that Graphviz will give each box: as high as lines allow, roots just above their first target."""
    targets: dict[str, list[str]] = defaultdict(list)
    incoming: dict[str, int] = defaultdict(int)
    for line in lines:
        targets[line.source].append(line.target)
        incoming[line.target] += 1
    waiting = [box for box in targets if not incoming[box]]
    roots = list(waiting)
    ranks = dict.fromkeys(waiting, 0)
    while waiting:
        box = waiting.pop()
        for target in targets[box]:
            ranks[target] = max(ranks.get(target, 0), ranks[box] + 1)
            incoming[target] -= 1
            if not incoming[target]:
                waiting.append(target)
    return ranks | {root: min(ranks[target] for target in targets[root]) - 1 for root in roots}

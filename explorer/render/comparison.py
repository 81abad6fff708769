"""Two recordings of two versions of a program: which moments belong together, and what differs in the graphs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol, TypeVar

from explorer.model import (
    Accumulated,
    Cut,
    Event,
    GradCleared,
    Leaf,
    Modified,
    Node,
    NodeRan,
    Operation,
    Recording,
    TensorValue,
)
from explorer.model.source import line_at, lines_of
from explorer.render.memory import boxes
from explorer.render.part import suggested_scope

Mark = Literal["removed", "added", "changed", "culprit"]
Marks = dict[str, Mark]
"""What is to be said about parts of a picture, by id."""

LineMark = Literal["removed", "added", "culprit"]
LineMarks = dict[int, LineMark]
"""What is to be said about lines of a program, from 1."""

MOST_EXACT = 600
"""Longer lists are aligned by a quicker rule that overlooks what comes very often."""


Starts = Sequence[tuple[int, int]]
"""Where pieces of two lists begin that belong together, in order."""
TOGETHER: Starts = ((0, 0),)

T = TypeVar("T", bound="_HasId")


class Comparison(NamedTuple):
    """What two recordings have in common, and what not.

    Args:
        moments: Pairs of steps that belong together, from (0, 0) to both ends; neither step ever goes down.
        left, right: The parts that only one has, or whose numbers differ.
    """

    moments: tuple[tuple[int, int], ...]
    left: Marks
    right: Marks


def compare(left: Recording, right: Recording) -> Comparison:
    """Compares two recordings."""
    nodes = _matched(
        _operations(left),
        _operations(right),
        lambda node: (node.name, node.variable, node.order),
        _starts(left, right, _first_operations),
    )
    leaves, others = _leaves_by_name(left), _leaves_by_name(right)
    nodes |= {leaves[name].id: others[name].id for name in leaves.keys() & others.keys()}
    sides = _Sides(({}, {}))
    sides.mark([*_operations(left), *leaves.values()], [*_operations(right), *others.values()], nodes)
    sides.mark(_edges(left), _edges(right), _matched_edges(left, right, nodes))
    saved, others_saved = _saved(left, nodes), _saved(right, nodes.values())
    sides.mark(list(saved.values()), list(others_saved.values()), _matched_saved(saved, others_saved, nodes))
    sides.mark(_cuts(left), _cuts(right), _matched(left.cuts, right.cuts, lambda cut: (cut.operation, cut.variable)))
    return Comparison(moments(left, right), *sides.marks)


def moments(left: Recording, right: Recording) -> tuple[tuple[int, int], ...]:
    """Pairs of steps that belong together: equal events happen at once, others side by side or one after the other."""
    found = [(0, 0)]
    starts = _starts(left, right, _first_events)
    for _, first, end, other_first, other_end in _opcodes(_event_signs(left), _event_signs(right), starts):
        length = max(end - first, other_end - other_first)
        for i in range(1, length + 1):
            found.append((min(first + i, end), min(other_first + i, other_end)))
    return tuple(found)


def line_marks(left: str, right: str) -> tuple[LineMarks, LineMarks]:
    """The lines that only the left, and only the right program has."""
    removed: LineMarks = {}
    added: LineMarks = {}
    for same, first, end, other_first, other_end in _opcodes(lines_of(left.rstrip()), lines_of(right.rstrip())):
        if not same:
            removed |= dict.fromkeys(range(first + 1, end + 1), "removed")
            added |= dict.fromkeys(range(other_first + 1, other_end + 1), "added")
    return removed, added


def parts_on_lines(recording: Recording, lines: Sequence[int]) -> tuple[str, ...]:
    """Ids of what lines of the program made or changed, and of the node that raised; else of what the lines name."""
    made: list[Node | Cut | Leaf] = [*recording.nodes, *recording.cuts, *recording.leaves]
    found = [part.id for part in made if part.span and part.span.line in lines and part.span.end_line in lines]
    for event in recording.events:
        if isinstance(event, Modified | GradCleared) or (isinstance(event, Accumulated) and event.before is not None):
            is_here = event.span is not None and event.span.line in lines
            found += [event.leaf_id] if is_here and event.leaf_id is not None else []
    if recording.error is not None and recording.error.node_id is not None:
        found.append(recording.error.node_id)
    if not found:
        said = "\n".join(line_at(recording.source, line) for line in lines)
        names = set(re.findall(r"\w+", said))
        attributes = set(re.findall(r"\bself\.(\w+)", said))
        found = [
            leaf.id
            for leaf in recording.leaves
            if leaf.name in names or attributes & set(re.findall(r"\w+", leaf.name))
        ]
        found += [node.id for node in recording.nodes if names & set((node.variable or "").split(", "))]
    drawn_as = {leaf.id: leaf.node_id or leaf.id for leaf in recording.leaves}
    return tuple(dict.fromkeys(drawn_as.get(part, part) for part in found))


# What belongs together


class _Part(NamedTuple):
    """Something drawn, with what it shows once everything has happened."""

    id: str
    shows: object


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


class _Sides(NamedTuple):
    marks: tuple[Marks, Marks]

    def mark(self, left: Sequence[_Part | Node], right: Sequence[_Part | Node], matched: dict[str, str]) -> None:
        """Marks what stands alone and what differs; what shows None has nothing to compare."""
        others = {part.id: part for part in right}
        for part in left:
            other = others.pop(matched.get(part.id, ""), None)
            if other is None:
                self.marks[0][part.id] = "removed"
            elif None not in (_shown(part), _shown(other)) and _shown(part) != _shown(other):
                self.marks[0][part.id] = self.marks[1][other.id] = "changed"
        self.marks[1].update(dict.fromkeys(others, "added"))


def _shown(part: _Part | Node) -> object:
    return part.value if isinstance(part, Node) else part.shows


def _operations(recording: Recording) -> list[Node]:
    return [node for node in recording.nodes if node.kind != "accumulate"]


def _leaves_by_name(recording: Recording) -> dict[str, _Part]:
    """Every leaf as it is drawn: as its AccumulateGrad node, or as a box of its own."""
    grads = recording.grads
    return {
        leaf.name: _Part(leaf.node_id or leaf.id, (leaf.value, leaf.requires_grad, grads.get(leaf.name)))
        for leaf in recording.leaves
    }


def _cuts(recording: Recording) -> list[_Part]:
    return [_Part(cut.id, cut.value) for cut in recording.cuts]


def _saved(recording: Recording, node_ids: Collection[str]) -> dict[tuple[str, str], _Part]:
    """What nodes of both sides have saved, by node and name; of a node that stands alone its own sign says enough."""
    end = len(recording.events)
    found: dict[tuple[str, str], _Part] = {}
    for node in recording.nodes:
        stale = {box.saved.name for box in boxes(recording, node, end) if box.state == "stale"}
        for k, saved in enumerate(node.saved if node.id in node_ids else ()):
            if saved.value is not None:
                found[node.id, saved.name] = _Part(f"{node.id}-s{k}", (saved.value, saved.name in stale))
    return found


def _matched_saved(
    left: dict[tuple[str, str], _Part], right: dict[tuple[str, str], _Part], nodes: dict[str, str]
) -> dict[str, str]:
    same = {part.id: right.get((nodes[node_id], name)) for (node_id, name), part in left.items()}
    return {part_id: other.id for part_id, other in same.items() if other is not None}


def _edges(recording: Recording) -> list[_Part]:
    """The edges with what they carried, pass by pass."""
    carried: dict[str, list[NodeRan]] = {}
    for event in recording.events:
        if isinstance(event, NodeRan):
            carried.setdefault(event.node_id, []).append(event)
    return [_Part(edge.id, _sent(carried.get(edge.source, []), edge.slot)) for edge in recording.edges]


def _sent(runs: Sequence[NodeRan], slot: int) -> tuple[TensorValue | None, ...] | None:
    return tuple(ran.grad_inputs[slot] if slot < len(ran.grad_inputs) else None for ran in runs) or None


def _matched_edges(left: Recording, right: Recording, nodes: dict[str, str]) -> dict[str, str]:
    by_ends = {(edge.source, edge.slot, edge.target): edge.id for edge in right.edges}
    matched: dict[str, str] = {}
    for edge in left.edges:
        if edge.source in nodes and edge.target in nodes:
            other = by_ends.get((nodes[edge.source], edge.slot, nodes[edge.target]))
            matched |= {} if other is None else {edge.id: other}
    return matched


def _matched(
    left: Sequence[T], right: Sequence[T], sign: Callable[[T], Hashable], starts: Starts = TOGETHER
) -> dict[str, str]:
    """Right id by left id of what has equal signs in the same order."""
    matched: dict[str, str] = {}
    for same, first, end, other_first, _ in _opcodes(list(map(sign, left)), list(map(sign, right)), starts):
        for i in range(end - first if same else 0):
            matched[left[first + i].id] = right[other_first + i].id
    return matched


def _starts(left: Recording, right: Recording, firsts: Callable[[Recording], list[int]]) -> Starts:
    """Of two loops each round belongs to the one with its number: where both begin; else only where all begins."""
    are_loops = suggested_scope(left) == suggested_scope(right) == "round"
    return list(zip(firsts(left), firsts(right), strict=False)) if are_loops else TOGETHER


def _first_events(recording: Recording) -> list[int]:
    """The index of each round's first event."""
    return [max(0, one.first - 1) for one in recording.rounds]


def _first_operations(recording: Recording) -> list[int]:
    """The index of each round's first node among the operations."""
    places = {node.id: i for i, node in enumerate(_operations(recording))}
    return [0, *(next(places[id_] for id_ in one.node_ids if id_ in places) for one in recording.rounds[1:])]


def _event_signs(recording: Recording) -> list[Hashable]:
    return [_event_sign(recording, event) for event in recording.events]


def _event_sign(recording: Recording, event: Event) -> Hashable:
    match event:
        case Operation(name=name, variable=variable) | Modified(name=name, variable=variable):
            return type(event).__name__, name, variable
        case NodeRan(node_id=node_id):
            node = recording.node(node_id)
            return "NodeRan", node.name, node.variable
    leaf_id = getattr(event, "leaf_id", None)
    return type(event).__name__, None if leaf_id is None else recording.leaf(leaf_id).name


def _opcodes(
    left: Sequence[Hashable], right: Sequence[Hashable], starts: Starts = TOGETHER
) -> Iterator[tuple[bool, int, int, int, int]]:
    """(whether equal, start and end on the left, start and end on the right), in order, covering both."""
    for (first, other_first), (end, other_end) in pairwise([*starts, (len(left), len(right))]):
        piece, other = left[first:end], right[other_first:other_end]
        matcher = SequenceMatcher(None, piece, other, autojunk=max(len(piece), len(other)) > MOST_EXACT)
        for tag, start, stop, other_start, other_stop in matcher.get_opcodes():
            yield tag == "equal", first + start, first + stop, other_first + other_start, other_first + other_stop

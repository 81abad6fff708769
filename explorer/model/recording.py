"""The Recording: all that views, files and links know of a run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from explorer.errors import RecordingInvalid
from explorer.model.events import (
    Accumulated,
    BackwardStarted,
    Event,
    GradCleared,
    Modified,
    NodeRan,
    Operation,
    Printed,
    Raised,
)
from explorer.model.graph import Cut, Edge, Leaf, Node
from explorer.model.values import Frozen, TensorValue

SCHEMA = 1
"""Goes up when a recording of before can no longer be read."""


class BackwardPass(Frozen, frozen=True, kw_only=True):
    """One `backward()` or `grad()` call.

    Args:
        index: From 0.
        first: The step at which `started` has just happened.
        last: The step at which the pass's last event has happened.
        started: The call.
        steps: The nodes, in the order the engine ran them.
        accumulated: The leaves it reached, in order.
    """

    index: int
    first: int
    last: int
    started: BackwardStarted
    steps: tuple[NodeRan, ...] = ()
    accumulated: tuple[Accumulated, ...] = ()


class Recording(Frozen, frozen=True, kw_only=True, omit_defaults=False, dict=True):
    """A run of a program, from its first line to its last or to its error.

    Args:
        schema: The format's number.
        source: Program text, which every span points into; None where it is not known.
        seed: What torch's random numbers started from; None where nobody set it.
        versions: {"torch": "2.13.0+cpu", "python": "3.11.7"}.
        leaves, nodes, edges, cuts: The graph at the end of the run.
        events: What happened, in order.
        error: The exception that ended the program; also the last event.
        truncated: Whether a limit was reached and the recorder stopped looking.
    """

    schema: int = SCHEMA
    source: str | None = None
    seed: int | None = None
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    leaves: tuple[Leaf, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    cuts: tuple[Cut, ...] = ()
    events: tuple[Event, ...] = ()
    error: Raised | None = None
    truncated: bool = False

    def to_json(self) -> bytes:
        """The recording as JSON, exact to the last bit."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Recording:
        """Decodes and checks untrusted JSON.

        Raises:
            RecordingInvalid: It is no recording, of another schema, or refers to something it does not hold.
        """
        try:
            recording = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RecordingInvalid("model.not_a_recording", reason=str(error)) from error
        if recording.schema != SCHEMA:
            raise RecordingInvalid("model.other_schema", found=recording.schema, known=SCHEMA)
        check_references(recording)
        return recording

    def node(self, node_id: str) -> Node:
        """The node with that id; KeyError if there is none."""
        return self._nodes[node_id]

    def leaf(self, leaf_id: str) -> Leaf:
        """The leaf with that id; KeyError if there is none."""
        return self._leaves[leaf_id]

    def cut(self, cut_id: str) -> Cut:
        """The cut with that id; KeyError if there is none."""
        return self._cuts[cut_id]

    def edges_from(self, node_id: str) -> tuple[Edge, ...]:
        """The edges that leave a node, by slot."""
        return self._edges_from.get(node_id, ())

    def edges_to(self, node_id: str) -> tuple[Edge, ...]:
        """The edges that lead to a node, in order of creation."""
        return self._edges_to.get(node_id, ())

    @cached_property
    def backward_passes(self) -> tuple[BackwardPass, ...]:
        """Every backward pass, in order."""
        begun = [(i, event) for i, event in enumerate(self.events) if isinstance(event, BackwardStarted)]
        return tuple(self._backward_pass(i, event) for i, event in begun)

    @cached_property
    def grads(self) -> dict[str, TensorValue | None]:
        """The final `.grad` of every leaf that requires one, by name."""
        final: dict[str, TensorValue | None] = {leaf.id: None for leaf in self.leaves if leaf.requires_grad}
        for event in self.events:
            if (change := grad_change(event)) is not None:
                final[change[0]] = change[2]
        return {self.leaf(leaf_id).name: value for leaf_id, value in final.items()}

    @property
    def printed(self) -> str:
        """All text that the program printed."""
        return "".join(event.text for event in self.events if isinstance(event, Printed))

    def _backward_pass(self, start: int, started: BackwardStarted) -> BackwardPass:
        of_pass = [
            (i, event)
            for i, event in enumerate(self.events[start:], start)
            if getattr(event, "backward_pass", None) == started.backward_pass
        ]
        return BackwardPass(
            index=started.backward_pass,
            first=start + 1,
            last=of_pass[-1][0] + 1,
            started=started,
            steps=tuple(event for _, event in of_pass if isinstance(event, NodeRan)),
            accumulated=tuple(event for _, event in of_pass if isinstance(event, Accumulated)),
        )

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def _leaves(self) -> dict[str, Leaf]:
        return {leaf.id: leaf for leaf in self.leaves}

    @cached_property
    def _cuts(self) -> dict[str, Cut]:
        return {cut.id: cut for cut in self.cuts}

    @cached_property
    def _edges_from(self) -> dict[str, tuple[Edge, ...]]:
        return _grouped(sorted(self.edges, key=lambda edge: edge.slot), "source")

    @cached_property
    def _edges_to(self) -> dict[str, tuple[Edge, ...]]:
        return _grouped(self.edges, "target")


def grad_change(event: Event) -> tuple[str, TensorValue | None, TensorValue | None] | None:
    """What an event did to a leaf's `.grad`: (leaf id, before, after), or None if nothing."""
    match event:
        case Accumulated(leaf_id=leaf_id, before=before, after=after):
            return leaf_id, before, after
        case GradCleared(leaf_id=leaf_id, before=before, to=to):
            return leaf_id, before, zeros_like(before) if to == "zeros" else None
        case Modified(leaf_id=str(leaf_id), of_grad=True, before=before, after=after):
            return leaf_id, before, after
    return None


def zeros_like(value: TensorValue | None) -> TensorValue | None:
    """Zeros of the same shape and type, which is what `zero_()` leaves."""
    if value is None:
        return None
    zero = 0 if "int" in value.dtype else 0.0
    return msgspec.structs.replace(value, values=(zero,) * len(value.values), summary=None)


def check_references(recording: Recording) -> None:
    """Raises RecordingInvalid if an id is used twice or stands for nothing."""
    ids = [
        *(node.id for node in recording.nodes),
        *(leaf.id for leaf in recording.leaves),
        *(edge.id for edge in recording.edges),
        *(cut.id for cut in recording.cuts),
    ]
    known = set(ids)
    if len(known) != len(ids):
        raise RecordingInvalid("model.id_twice")
    for reference in _references(recording):
        if reference not in known:
            raise RecordingInvalid("model.unknown_id", id=reference)


def _references(recording: Recording) -> Iterator[str]:
    for edge in recording.edges:
        yield edge.source
        yield edge.target
    for cut in recording.cuts:
        yield from cut.sources
        yield from (node_id for node_id, _ in cut.consumers)
    for node in recording.nodes:
        yield from filter(None, (node.made_by,))
        for saved in node.saved:
            yield from filter(None, (saved.leaf_id, saved.node_id))
    for leaf in recording.leaves:
        yield from filter(None, (leaf.node_id,))
    for event in recording.events:
        yield from filter(None, (getattr(event, name, None) for name in ("node_id", "leaf_id", "cut_id")))
        yield from getattr(event, "node_ids", ())
        if isinstance(event, Operation):
            yield from event.input_ids
        if isinstance(event, BackwardStarted):
            yield from filter(None, (root.node_id for root in event.roots))


def _grouped(edges: list[Edge] | tuple[Edge, ...], end: str) -> dict[str, tuple[Edge, ...]]:
    groups: dict[str, list[Edge]] = {}
    for edge in edges:
        groups.setdefault(getattr(edge, end), []).append(edge)
    return {node_id: tuple(group) for node_id, group in groups.items()}

"""The Recording: all that views, files and links know of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    Printed,
    Raised,
)
from explorer.model.graph import Cut, Edge, Leaf, Node, TorchRule
from explorer.model.remarks import Remark
from explorer.model.rounds import Round, rounds_of
from explorer.model.values import Frozen, Number, Stats, TensorValue

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


class Recording(Frozen, frozen=True, kw_only=True, omit_defaults=False, dict=True, gc=True):
    """A run of a program, from its first line to its last or to its error.

    Args:
        schema: The format's number.
        source: Program text, which every span points into; None where it is not known.
        seed: What torch's random numbers started from; None where nobody set it.
        versions: {"torch": "2.13.0+cpu", "python": "3.11.7"}.
        leaves, nodes, edges, cuts: The graph at the end of the run.
        torch_rules: PyTorch's own derivative formulas, by the name of the node.
        events: What happened, in order.
        remarks: What torch passed over in silence, in order.
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
    torch_rules: dict[str, TorchRule] = msgspec.field(default_factory=dict)
    events: tuple[Event, ...] = ()
    remarks: tuple[Remark, ...] = ()
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
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise RecordingInvalid("model.not_a_recording", reason=str(error)) from error
        if recording.schema != SCHEMA:
            raise RecordingInvalid("model.other_schema", found=recording.schema, known=SCHEMA)
        check_references(recording)
        check_passes(recording)
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

    def behind(self, sources: Iterable[str]) -> set[str]:
        """The ids of some leaves and nodes, and of everything that they send gradients to."""
        found: set[str] = set()
        pending = list(sources)
        while pending:
            source = pending.pop()
            if source not in found:
                found.add(source)
                pending += [edge.target for edge in self.edges_from(source)]
        return found

    def run(self, backward_pass: int, node_id: str) -> NodeRan | None:
        """What a node did in a pass; None if the pass did not reach it."""
        return self._runs.get((backward_pass, node_id))

    def runs_of(self, node_id: str) -> tuple[tuple[int, NodeRan], ...]:
        """Each time that the engine ran a node, in order, with the step that it was."""
        return self._runs_of.get(node_id, ())

    def last_run(self, node_id: str, step: int) -> NodeRan | None:
        """How a node ran when it last did, up to a step."""
        return next((run for at, run in reversed(self.runs_of(node_id)) if at <= step), None)

    def senders(self, backward_pass: int, node_id: str) -> tuple[tuple[Edge, NodeRan], ...]:
        """The edges that lead to a node from those that ran in a pass, in order of creation, and what these did."""
        return self._senders.get((backward_pass, node_id), ())

    @cached_property
    def backward_passes(self) -> tuple[BackwardPass, ...]:
        """Every backward pass, in order."""
        of_pass: dict[int, list[tuple[int, Event]]] = {}
        for step, event in enumerate(self.events, 1):
            if (index := getattr(event, "backward_pass", None)) is not None:
                of_pass.setdefault(index, []).append((step, event))
        return tuple(_backward_pass(index, events) for index, events in of_pass.items())

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        """What is computed for each backward pass, and the pass, in order."""
        return rounds_of(self)

    @cached_property
    def grads(self) -> dict[str, TensorValue | None]:
        """The `.grad` of every leaf that requires one, by name: the final one, or that of where the recording ends."""
        final: dict[str, TensorValue | None] = {leaf.id: None for leaf in self.leaves if leaf.requires_grad}
        for event in self.events:
            if (change := grad_change(event)) is not None:
                final[change[0]] = change[2]
        return {self.leaf(leaf_id).name: value for leaf_id, value in final.items()}

    @property
    def printed(self) -> str:
        """All text that the program printed."""
        return "".join(event.text for event in self.events if isinstance(event, Printed))

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
    def _runs(self) -> dict[tuple[int, str], NodeRan]:
        return {(event.backward_pass, event.node_id): event for event in self.events if isinstance(event, NodeRan)}

    @cached_property
    def _runs_of(self) -> dict[str, tuple[tuple[int, NodeRan], ...]]:
        found: dict[str, list[tuple[int, NodeRan]]] = {}
        for step, event in enumerate(self.events, 1):
            if isinstance(event, NodeRan):
                found.setdefault(event.node_id, []).append((step, event))
        return {node_id: tuple(runs) for node_id, runs in found.items()}

    @cached_property
    def _senders(self) -> dict[tuple[int, str], tuple[tuple[Edge, NodeRan], ...]]:
        ran: dict[str, list[NodeRan]] = {}
        for event in self._runs.values():
            ran.setdefault(event.node_id, []).append(event)
        found: dict[tuple[int, str], list[tuple[Edge, NodeRan]]] = {}
        for edge in self.edges:
            for run in ran.get(edge.source, ()):
                found.setdefault((run.backward_pass, edge.target), []).append((edge, run))
        return {key: tuple(senders) for key, senders in found.items()}

    @cached_property
    def _edges_from(self) -> dict[str, tuple[Edge, ...]]:
        return _grouped(sorted(self.edges, key=lambda edge: edge.slot), "source")

    @cached_property
    def _edges_to(self) -> dict[str, tuple[Edge, ...]]:
        return _grouped(self.edges, "target")


def _backward_pass(index: int, events: list[tuple[int, Event]]) -> BackwardPass:
    """One pass from its events, each with the step it ends at; the first of them is the call."""
    (first, started), (last, _) = events[0], events[-1]
    assert isinstance(started, BackwardStarted)
    return BackwardPass(
        index=index,
        first=first,
        last=last,
        started=started,
        steps=tuple(event for _, event in events if isinstance(event, NodeRan)),
        accumulated=tuple(event for _, event in events if isinstance(event, Accumulated)),
    )


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
    zero: Number = "0j" if value.dtype.startswith("complex") else 0 if "int" in value.dtype else 0.0
    return msgspec.structs.replace(
        value,
        values=(zero,) * len(value.values),
        summary=None if value.complete else Stats(min=0.0, max=0.0, mean=0.0, zero=value.numel),
    )


def without_bystanders(recording: Recording) -> Recording:
    """Without the leaves that have no name and no part in anything, such as a weight that torch's own code replaced."""
    idle = {leaf.id for leaf in recording.leaves if not leaf.is_named and leaf.node_id is None}
    if not idle:
        return recording
    idle.difference_update(reference for _, reference in _references(recording))
    return msgspec.structs.replace(recording, leaves=tuple(leaf for leaf in recording.leaves if leaf.id not in idle))


def check_references(recording: Recording) -> None:
    """Raises RecordingInvalid if an id is used twice or stands for nothing of its kind."""
    ids = {
        "node": [node.id for node in recording.nodes],
        "leaf": [leaf.id for leaf in recording.leaves],
        "edge": [edge.id for edge in recording.edges],
        "cut": [cut.id for cut in recording.cuts],
    }
    known = {kind: set(of_kind) for kind, of_kind in ids.items()}
    known["source"] = known["node"] | known["leaf"] | known["cut"]
    if len(known["source"] | known["edge"]) != sum(map(len, ids.values())):
        raise RecordingInvalid("model.id_twice")
    for kind, reference in _references(recording):
        if reference is not None and reference not in known[kind]:
            raise RecordingInvalid("model.unknown_id", id=reference)


def check_passes(recording: Recording) -> None:
    """Raises RecordingInvalid if the backward passes are not numbered 0, 1, … or hold events of a pass not begun."""
    begun = 0
    for event in recording.events:
        if isinstance(event, BackwardStarted):
            if event.backward_pass != begun:
                raise RecordingInvalid("model.pass_out_of_order", backward_pass=event.backward_pass)
            begun += 1
        elif (index := getattr(event, "backward_pass", None)) is not None and not 0 <= index < begun:
            raise RecordingInvalid("model.pass_out_of_order", backward_pass=index)


def _references(recording: Recording) -> Iterator[tuple[str, str | None]]:
    """(kind of thing, its id) wherever a recording refers to one of its parts."""
    for edge in recording.edges:
        yield "node", edge.source
        yield "node", edge.target
    for cut in recording.cuts:
        yield from (("source", source) for source in cut.sources)
        yield from (("node", node_id) for node_id, _ in cut.consumers)
    for node in recording.nodes:
        yield "node", node.made_by
        for saved in node.saved:
            yield "leaf", saved.leaf_id
            yield "node", saved.node_id
    for leaf in recording.leaves:
        yield "node", leaf.node_id
    yield from (("source", remark.source_id) for remark in recording.remarks)
    for event in (*recording.events, recording.error):
        yield from _references_of(event)


def _references_of(event: Event | None) -> Iterator[tuple[str, str | None]]:
    for kind in ("node", "leaf", "cut"):
        yield kind, getattr(event, f"{kind}_id", None)
    yield "node", getattr(event, "failed_node", None)
    yield from (("node", node_id) for node_id in getattr(event, "node_ids", ()))
    yield from (("source", owner_id) for owner_id in getattr(event, "counted_with", ()))
    yield from (("source", input_id) for input_id in getattr(event, "input_ids", ()))
    yield from (("node", root.node_id) for root in getattr(event, "roots", ()))


def _grouped(edges: list[Edge] | tuple[Edge, ...], end: str) -> dict[str, tuple[Edge, ...]]:
    groups: dict[str, list[Edge]] = {}
    for edge in edges:
        groups.setdefault(getattr(edge, end), []).append(edge)
    return {node_id: tuple(group) for node_id, group in groups.items()}

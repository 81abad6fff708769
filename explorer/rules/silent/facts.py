"""What the finders ask of a recording."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.model import Leaf, Node, Operation, Recording, Remark
from explorer.model.derived import derived


def of_kind(recording: Recording, kind: str) -> Iterator[Remark]:
    """The remarks of one kind."""
    return (remark for remark in recording.remarks if remark.kind == kind)


@derived
def built_at(recording: Recording) -> dict[str, int]:
    """The step at which each node came to be, and each leaf was made or marked, as far as an event tells."""
    built: dict[str, int] = {}
    for step, event in enumerate(recording.events, 1):
        for node_id in getattr(event, "node_ids", ()):
            built.setdefault(node_id, step)
        if isinstance(event, Operation) and event.leaf_id is not None:
            built.setdefault(event.leaf_id, step)
    return built


def taken_over(recording: Recording) -> set[str]:
    """What a marked leaf was made of, such as a cut: the gradient goes to that leaf, as it is meant to.

    That is how parameters are updated by making new ones: `w = (w - lr * g).detach().requires_grad_()`.
    """
    made = (event for event in recording.events if isinstance(event, Operation) and event.leaf_id is not None)
    return {input_id for event in made if event.requires_grad for input_id in event.input_ids}


def takes(event: Operation, leaf: Leaf) -> bool:
    """Whether an operation took a leaf."""
    return leaf.id in event.input_ids or (leaf.node_id is not None and leaf.node_id in event.input_ids)


def withheld(recording: Recording) -> list[tuple[Node, set[str]]]:
    """Custom functions whose backward gave None where a gradient was wanted, with what lies behind."""
    found = []
    for node in recording.nodes:
        if node.kind == "custom" and (ran := recording.runs_of(node.id)):
            sent = ran[-1][1].grad_inputs
            edges = [edge for edge in recording.edges_from(node.id) if sent[edge.slot : edge.slot + 1] == (None,)]
            found.append((node, recording.behind(edge.target for edge in edges)))
    return found


@derived
def sent_to(recording: Recording) -> set[str]:
    """The nodes to which some node sent a gradient, also where a pass hands it out and leaves `.grad` as it is."""
    return {
        edge.target
        for edge in recording.edges
        for _, ran in recording.runs_of(edge.source)
        if ran.grad_inputs[edge.slot : edge.slot + 1] not in ((), (None,))
    }

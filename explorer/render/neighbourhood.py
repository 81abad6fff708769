"""The part of a big graph around one node."""

from __future__ import annotations

from collections import deque

from explorer.model import Accumulated, NodeRan, Operation, Raised, Recording

NODE_LIMIT = 60
"""Pictures with more nodes than this are hard to read and slow to lay out."""


def neighbourhood(recording: Recording, center: str, node_limit: int = NODE_LIMIT) -> tuple[str, ...]:
    """Ids of at most `node_limit` nodes, those nearest to a node over edges in either direction, in order of creation.

    Raises:
        KeyError: There is no such node.
    """
    recording.node(center)
    found = {center: None}
    waiting = deque([center])
    while waiting and len(found) < node_limit:
        node_id = waiting.popleft()
        ahead = [edge.target for edge in recording.edges_from(node_id)]
        behind = [edge.source for edge in recording.edges_to(node_id)]
        for neighbour in (*ahead, *behind):
            if neighbour not in found and len(found) < node_limit:
                found[neighbour] = None
                waiting.append(neighbour)
    return tuple(node.id for node in recording.nodes if node.id in found)


def current_node(recording: Recording, step: int) -> str | None:
    """The node that the latest event up to a step speaks of; the first node if none does; None in an empty graph."""
    accumulators = {leaf.id: leaf.node_id for leaf in recording.leaves}
    for event in reversed(recording.events[:step]):
        node_id: str | None = None
        match event:
            case NodeRan() | Raised():
                node_id = event.node_id
            case Operation(node_ids=(*_, last)):
                node_id = last
            case Accumulated():
                node_id = accumulators.get(event.leaf_id)
        if node_id is not None:
            return node_id
    return recording.nodes[0].id if recording.nodes else None

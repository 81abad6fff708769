"""Which part of a graph is drawn: all of it, what one round needs, or what is near one node."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Container
from typing import Literal, NamedTuple

from explorer.model import Accumulated, NodeRan, Operation, Raised, Recording
from explorer.model.derived import derived

MOST_NODES = 120
"""A graph with more is drawn in parts."""

NEAR = 60
"""So many nodes around one are drawn of what is too large still: more are hard to read and slow to lay out."""

MOST_ROUNDS = 3
"""So many rounds are seen in one picture, with what they add to the same leaves; more are a thicket."""

Scope = Literal["round", "few", "all"]
"""One round, some in a row, or all."""


class Part(NamedTuple):
    """What is drawn.

    Args:
        only: Ids of the nodes; None for all.
        among: Ids of the nodes that it is a part of: those of its rounds; None for all.
        rounds: Which rounds those are, from 0; () for none in particular.
    """

    only: tuple[str, ...] | None = None
    among: tuple[str, ...] | None = None
    rounds: tuple[int, ...] = ()


def shows(part: Part, node_id: str | None) -> bool:
    """Whether a node is drawn."""
    return part.only is None or node_id in part.only


def suggested_scope(recording: Recording) -> Scope:
    """Whether a program is seen better whole or round by round."""
    rounds = len(recording.rounds)
    return "round" if rounds > MOST_ROUNDS or (rounds > 1 and len(recording.nodes) > MOST_NODES) else "all"


@derived
def scopes_of(recording: Recording) -> tuple[Scope, ...]:
    """What there is room to draw, the least first: more than one round only where that is a picture to look at."""
    rounds = len(recording.rounds)
    if rounds == 1:
        return ("all",)
    if len(recording.nodes) <= MOST_NODES:
        return "round", "all"
    ends = rounds_around(recording, 0, "few"), rounds_around(recording, rounds - 1, "few")
    return ("round", "few") if all(len(graph_of(recording, *end)) <= MOST_NODES for end in ends) else ("round",)


def part_at(recording: Recording, step: int, scope: Scope) -> Part:
    """What to draw at a step."""
    node_id = current_node(recording, step)
    if scope == "all" or len(recording.rounds) == 1:
        return part_around(recording, node_id)
    rounds = rounds_around(recording, round_at(recording, step), scope)
    among = graph_of(recording, *rounds)
    if len(among) <= MOST_NODES:
        return Part(among, among, rounds)
    center = node_id if node_id in among else among[-1]
    return Part(neighbourhood(recording, center, among=frozenset(among)), among, rounds)


def round_at(recording: Recording, step: int) -> int:
    """The round that a step belongs to, from 0."""
    return bisect_right(recording.rounds, step, key=lambda one: one.first) - 1


def rounds_around(recording: Recording, round_nr: int, scope: Scope) -> tuple[int, ...]:
    """The round itself, or a few in a row with that one in their middle, as far as there are any."""
    if scope == "round":
        return (round_nr,)
    count = len(recording.rounds)
    first = max(0, min(round_nr - MOST_ROUNDS // 2, count - MOST_ROUNDS))
    return tuple(range(first, min(first + MOST_ROUNDS, count)))


def part_around(recording: Recording, node_id: str | None) -> Part:
    """What to draw to see one node: all if there is room, else what is near it."""
    if len(recording.nodes) <= MOST_NODES:
        return Part()
    return Part(neighbourhood(recording, node_id or recording.nodes[-1].id))


def graph_of(recording: Recording, *round_nrs: int) -> tuple[str, ...]:
    """Ids of the nodes that rounds have made and of all those behind them, in order of creation."""
    found = recording.behind(node_id for nr in round_nrs for node_id in recording.rounds[nr].node_ids)
    return tuple(node.id for node in recording.nodes if node.id in found)


def neighbourhood(
    recording: Recording, center: str, node_limit: int = NEAR, among: Container[str] | None = None
) -> tuple[str, ...]:
    """Ids of at most `node_limit` nodes, those nearest to a node over edges in either direction, in order of creation.

    Args:
        recording: What happened.
        center: The node.
        node_limit: How many.
        among: Ids of the nodes that count; None for all.

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
            counts = neighbour not in found and (among is None or neighbour in among)
            if counts and len(found) < node_limit:
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

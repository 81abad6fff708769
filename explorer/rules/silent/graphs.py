"""Graphs that are gone through again, or kept for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.model import BackwardEnded, NodeRan, Recording
from explorer.rules.notice import Notice, Values
from explorer.rules.story import expression


def same_graph_again(recording: Recording) -> Iterator[Notice]:
    """A second pass from the same root, although nothing had asked torch to keep the graph."""
    for index in repeated_passes(recording):
        started = recording.backward_passes[index].started
        code = expression(recording, started.span) or "backward()"
        yield Notice(key="same_graph_again", values={"call": code}, span=started.span)
        return


def repeated_passes(recording: Recording) -> frozenset[int]:
    """Indices of the passes that start where one did that had not retained its graph, and that come to their end."""
    seen: set[tuple[str | None, ...]] = set()
    repeated: set[int] = set()
    failed = {event.backward_pass for event in recording.events if isinstance(event, BackwardEnded) and event.error}
    for one in recording.backward_passes:
        roots = tuple(root.node_id for root in one.started.roots)
        if roots in seen and one.index not in failed:
            repeated.add(one.index)
        is_real = bool(one.steps) and all(id_ and recording.node(id_).kind != "accumulate" for id_ in roots)
        if is_real and not one.started.retain_graph:
            seen.add(roots)
    return frozenset(repeated) if recording.error is None else frozenset()


def outermost_passes(recording: Recording) -> dict[int, int]:
    """By the index of each pass that of the one that it runs in, if it does, as a checkpoint's: a call of its own."""
    found: dict[int, int] = {}
    outermost = None
    for one in recording.backward_passes:
        if outermost is None or one.first > outermost.last:
            outermost = one
        found[one.index] = outermost.index
    return found


def kept_losses(recording: Recording) -> Iterator[Notice]:
    """Losses added up with their history, round after round, for a number that nobody goes back from."""
    if recording.truncated or recording.error is not None:
        return
    ran = {event.node_id for event in recording.events if isinstance(event, NodeRan)}
    adds = {node.id: node for node in recording.nodes if node.name == "AddBackward0" and node.id not in ran}
    losses = {root.node_id for one in recording.backward_passes for root in one.started.roots if root.node_id}
    of_losses = {edge.source for loss in losses for edge in recording.edges_to(loss)}  # `loss / 3`
    losses |= of_losses.difference(ran, adds)
    behind = {node_id: [edge.target for edge in recording.edges_from(node_id)] for node_id in adds}
    for node in reversed(adds.values()):
        before = next((adds[target] for target in behind[node.id] if target in adds), None)
        is_repeated = before is not None and before.span == node.span and not losses.isdisjoint(behind[before.id])
        if is_repeated and not losses.isdisjoint(behind[node.id]):
            values: Values = {
                "code": expression(recording, node.span) or node.name,
                "count": len(recording.behind([node.id])),
            }
            yield Notice(key="kept_losses", values=values, span=node.span)
            return

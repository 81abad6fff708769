"""The engine's ready queue at a step: why this node came next.

The engine counts for every node how many gradients it still waits for. A node that waits for no more is ready; of those
that are ready the one with the highest sequence number runs next. `AccumulateGrad` has the highest number there is, so
it runs as soon as it can. Here this is replayed on the recorded graph and compared with the order that was recorded:
where the engine did otherwise (several devices, a pass inside a pass), nothing is told.
"""

from __future__ import annotations

from collections import Counter

from explorer.model import BackwardPass, NodeRan, Recording
from explorer.model.values import Frozen


class Queue(Frozen, frozen=True, kw_only=True):
    """What the engine has before it at a step.

    Args:
        ready: Nodes that wait for nothing more, the one that runs next first.
        waiting: (node, how many gradients it still waits for), those that are nearest to being ready first.
    """

    ready: tuple[str, ...]
    waiting: tuple[tuple[str, int], ...]


def queue_at(recording: Recording, step: int) -> Queue | None:
    """The queue within a backward pass, after the event that ends at `step`; None outside, or where it is not known."""
    one = next((one for one in recording.backward_passes if one.first <= step < one.last), None)
    if one is None:
        return None
    queues = queues_of(recording, one)
    if queues is None:
        return None
    ran = sum(isinstance(event, NodeRan) for event in recording.events[one.first : step])
    return queues[ran]


def queues_of(recording: Recording, one: BackwardPass) -> tuple[Queue, ...] | None:
    """The queue when a pass starts and after each of its nodes; None unless the engine took each time the first."""
    order = [ran.node_id for ran in one.steps]
    if len(set(order)) < len(order) or recording.truncated or not order:
        return None
    among = _awaited(recording, one, set(order))
    remaining = Counter(edge.target for node_id in among for edge in recording.edges_from(node_id))
    remaining.update(dict.fromkeys(among, 0))
    ready = [node_id for node_id in among if not remaining[node_id]]
    queues = [_queue(recording, ready, remaining, among)]
    for node_id in order:
        if node_id not in ready or _rank(recording, node_id) < _rank(recording, queues[-1].ready[0]):
            return None
        ready.remove(node_id)
        for edge in recording.edges_from(node_id):
            remaining[edge.target] -= 1
            if edge.target in among and not remaining[edge.target]:
                ready.append(edge.target)
        among.remove(node_id)
        queues.append(_queue(recording, ready, remaining, among))
    return tuple(queues)


def _awaited(recording: Recording, one: BackwardPass, ran: set[str]) -> set[str]:
    """The nodes that the engine means to run: those it ran, and after an error also those it no longer came to."""
    if one.started.inputs or one.started.by == "grad" or not _broke_off(recording, one):
        return set(ran)
    found: set[str] = set()
    pending = [root.node_id for root in one.started.roots if root.node_id is not None]
    while pending:
        node_id = pending.pop()
        if node_id not in found:
            found.add(node_id)
            pending += [edge.target for edge in recording.edges_from(node_id)]
    return found


def _broke_off(recording: Recording, one: BackwardPass) -> bool:
    return getattr(recording.events[one.last - 1], "error", None) is not None


def _queue(recording: Recording, ready: list[str], remaining: Counter[str], among: set[str]) -> Queue:
    waiting = [(node_id, remaining[node_id]) for node_id in among if node_id not in ready]
    return Queue(
        ready=tuple(sorted(ready, key=lambda node_id: -_rank(recording, node_id))),
        waiting=tuple(sorted(waiting, key=lambda pair: (pair[1], -_rank(recording, pair[0]), pair[0]))),
    )


def _rank(recording: Recording, node_id: str) -> int:
    return recording.node(node_id).sequence_nr

"""The engine's ready queue at a step: why this node came next.

The engine counts for every node how many gradients it still waits for. A node that waits for no more is ready; of those
that are ready the one with the highest sequence number runs next. `AccumulateGrad` has the highest number there is, so
it runs as soon as it can. Here this is replayed on the recorded graph and compared with the order that was recorded:
where the engine did otherwise (several devices, a pass inside a pass), nothing is told.
"""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush

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
    """The queue within a backward pass, after the event that ends at `step`.

    Of passes inside each other it is the innermost one's. None outside of a pass, and unless the engine took the first
    of the queue each time.
    """
    around = [one for one in recording.backward_passes if one.first <= step < one.last]
    if not around:
        return None
    events = recording.events[around[-1].first : step]
    ran = sum(isinstance(event, NodeRan) and event.backward_pass == around[-1].index for event in events)
    return queue_after(recording, around[-1], ran)


def queue_after(recording: Recording, one: BackwardPass, ran: int) -> Queue | None:
    """The queue of a pass after `ran` of its nodes have run; None unless the whole pass went by the queue."""
    order = [step.node_id for step in one.steps]
    if recording.truncated or len(set(order)) < len(order):
        return None
    replay = _Replay(recording, _awaited(recording, one, set(order)))
    found = replay.queue() if ran == 0 else None
    for count, node_id in enumerate(order, 1):
        if not replay.run(node_id):
            return None
        found = replay.queue() if ran == count else found
    return found


class _Replay:
    """The engine's bookkeeping: what is ready, and how many gradients the others wait for."""

    def __init__(self, recording: Recording, among: set[str]) -> None:
        self.recording = recording
        self.remaining = Counter(dict.fromkeys(among, 0))
        self.remaining.update(edge.target for node_id in among for edge in recording.edges_from(node_id))
        self.among = among
        self.heap: list[tuple[int, str]] = []
        self.ready: set[str] = set()
        for node_id in among:
            self._enter(node_id)

    def run(self, node_id: str) -> bool:
        """Runs a node; False if it is not what the engine would take, which among equals may be any."""
        while self.heap and self.heap[0][1] not in self.ready:
            heappop(self.heap)
        if node_id not in self.ready or self._rank(node_id) != self.heap[0][0]:
            return False
        self.ready.remove(node_id)
        self.among.remove(node_id)
        for edge in self.recording.edges_from(node_id):
            self.remaining[edge.target] -= 1
            self._enter(edge.target)
        return True

    def queue(self) -> Queue:
        """As it is now."""
        waiting = [(node_id, self.remaining[node_id]) for node_id in self.among - self.ready]
        return Queue(
            ready=tuple(sorted(self.ready, key=self._rank)),
            waiting=tuple(sorted(waiting, key=lambda pair: (pair[1], self._rank(pair[0]), pair[0]))),
        )

    def _enter(self, node_id: str) -> None:
        if node_id in self.among and self.remaining[node_id] == 0:
            self.ready.add(node_id)
            heappush(self.heap, (self._rank(node_id), node_id))

    def _rank(self, node_id: str) -> int:
        return -self.recording.node(node_id).sequence_nr


def _awaited(recording: Recording, one: BackwardPass, ran: set[str]) -> set[str]:
    """The nodes that the engine means to run: those it ran, and after an error also those it no longer came to."""
    if one.started.inputs or one.started.by == "grad" or not _broke_off(recording, one):
        return set(ran)
    return recording.behind(root.node_id for root in one.started.roots if root.node_id is not None)


def _broke_off(recording: Recording, one: BackwardPass) -> bool:
    return getattr(recording.events[one.last - 1], "error", None) is not None

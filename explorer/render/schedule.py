"""When each part of the graph came to be and ran, in steps (`step` = how many events have happened)."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.model import BackwardStarted, Modified, Operation, Recording
from explorer.model.derived import derived
from explorer.model.values import Frozen


class Schedule(Frozen, frozen=True, kw_only=True):
    """The steps of a recording, by part.

    Args:
        built: The step from which a node, leaf or cut is there, by id; every id of the graph has one.
        starts: The steps at which backward passes started.
    """

    built: dict[str, int]
    starts: tuple[tuple[int, BackwardStarted], ...]

    def built_at(self, id_: str) -> int:
        """The step from which a part is there."""
        return self.built.get(id_, 0)


@derived
def schedule_of(recording: Recording) -> Schedule:
    """The steps of a recording, read from its events once."""
    events = enumerate(recording.events, 1)
    starts = tuple((step, event) for step, event in events if isinstance(event, BackwardStarted))
    return Schedule(built=_built(recording, starts), starts=starts)


def _built(recording: Recording, starts: tuple[tuple[int, BackwardStarted], ...]) -> dict[str, int]:
    """What no event speaks of was there from the beginning: step 0."""
    announced: dict[str, int] = {}
    for step, event in enumerate(recording.events, 1):
        for part_id in _announced_by(event):
            announced.setdefault(part_id, step)
    ids = [*(leaf.id for leaf in recording.leaves), *(cut.id for cut in recording.cuts)]
    ids += [node.id for node in recording.nodes]
    built = {part_id: announced.get(part_id, 0) for part_id in ids}
    growing = {start.backward_pass for _, start in starts if start.create_graph}
    for node in recording.nodes:
        if node.made_by is not None and node.order > 1:
            makers = [step for step, run in recording.runs_of(node.made_by) if run.backward_pass in growing]
            built[node.id] = next(iter(makers), built[node.id])
    # A leaf and its AccumulateGrad are one box, which is there as soon as the tensor is.
    return built | {leaf.node_id: built[leaf.id] for leaf in recording.leaves if leaf.node_id is not None}


def _announced_by(event: object) -> Iterator[str]:
    match event:
        case Operation(node_ids=node_ids, leaf_id=leaf_id, cut_id=cut_id):
            yield from node_ids
            yield from filter(None, (leaf_id, cut_id))
        case Modified(node_ids=node_ids):
            yield from node_ids


@derived
def versions_of(recording: Recording) -> dict[str, list[tuple[int, int]]]:
    """The steps at which the version counter of each leaf or node's result moved, and to what."""
    found: dict[str, list[tuple[int, int]]] = {}
    for step, event in enumerate(recording.events, 1):
        if isinstance(event, Modified):
            for owner_id in event.counted_with:
                found.setdefault(owner_id, []).append((step, event.version))
    return found

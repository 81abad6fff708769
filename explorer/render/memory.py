"""Saved tensors as boxes, and the memory that the graph holds with them, at every step."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from explorer.model import BackwardEnded, Node, Raised, Recording, SavedTensor
from explorer.model.derived import derived
from explorer.model.values import Frozen
from explorer.render.schedule import schedule_of, versions_of

BoxState = Literal["kept", "stale", "freed"]
SecondPass = Literal[
    "nothing", "nothing_again", "packed", "waiting", "kept", "freed", "again", "complained", "complained_stale"
]


class Held(Frozen, frozen=True, kw_only=True):
    """Memory that saved tensors hold at a step, each piece counted once.

    Args:
        leaf_bytes: Memory of leaves, which the program's own variables hold as well.
        result_bytes: Memory of everything else.
    """

    leaf_bytes: int = 0
    result_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """Both."""
        return self.leaf_bytes + self.result_bytes

    def plus(self, leaf_bytes: int, result_bytes: int) -> Held:
        """So many bytes more."""
        return Held(leaf_bytes=self.leaf_bytes + leaf_bytes, result_bytes=self.result_bytes + result_bytes)


class Box(Frozen, frozen=True, kw_only=True):
    """A saved tensor as it is at a step.

    Args:
        saved: What was saved.
        state: "stale" where it has been changed in place since, so that torch refuses to use it.
        version_now: Its version counter; None where it is not known.
        freed_at: The step at which it was freed.
    """

    saved: SavedTensor
    state: BoxState
    version_now: int | None = None
    freed_at: int | None = None


@derived
def held(recording: Recording) -> tuple[Held, ...]:
    """What the graph holds at each step, from 0 to the last.

    From the step at which a node is noted to the one at which a backward pass frees what it saved. A graph that nobody
    refers to any longer dies without an event, so it counts as held.
    """
    schedule = schedule_of(recording)
    sizes: dict[int, int] = {}
    of_leaf: set[int] = set()
    changes: dict[int, Counter[int]] = {}
    for node in recording.nodes:
        freed = freed_at(recording, node)
        for saved in node.saved:
            if saved.storage is None:
                continue
            sizes[saved.storage] = saved.storage_bytes
            of_leaf |= {saved.storage} if saved.leaf_id is not None else set()
            changes.setdefault(schedule.built_at(node.id), Counter())[saved.storage] += 1
            if freed is not None:
                changes.setdefault(freed, Counter())[saved.storage] -= 1
    holders: Counter[int] = Counter()
    now = Held()
    found = []
    for step in range(len(recording.events) + 1):
        for storage, change in changes.get(step, {}).items():
            before = holders[storage] > 0
            holders[storage] += change
            more = sizes[storage] * ((holders[storage] > 0) - before)
            now = now.plus(more, 0) if storage in of_leaf else now.plus(0, more)
        found.append(now)
    return tuple(found)


MOST_BARS = 300
"""A bar of memory is hardly wider in pixels; of steps that share one, the largest is drawn."""


@derived
def bars(recording: Recording) -> tuple[tuple[int, Held], ...]:
    """(step, memory held from there on) wherever it changes, in few enough steps to be drawn."""
    at_steps = held(recording)
    width = -(-len(at_steps) // MOST_BARS)
    found = [(at, largest(at_steps[at : at + width])) for at in range(0, len(at_steps), width)]
    return tuple(bar for k, bar in enumerate(found) if k == 0 or bar[1] != found[k - 1][1])


def largest(some: Sequence[Held]) -> Held:
    """The step at which the most is held."""
    return max(some, key=lambda one: one.total_bytes)


def boxes(recording: Recording, node: Node, step: int) -> tuple[Box, ...]:
    """The tensors that a node saved, as they are at a step; () before the node is there."""
    schedule = schedule_of(recording)
    if schedule.built_at(node.id) > step:
        return ()
    freed = freed_at(recording, node)
    freed = freed if freed is not None and freed <= step else None
    return tuple(_box(recording, saved, step, freed) for saved in node.saved if saved.value is not None)


def second_pass(recording: Recording, node: Node, step: int) -> SecondPass:
    """What a second pass through a node does, or has done, up to a step.

    "nothing": it saved no tensor, so it never complains; "nothing_again": and has shown it. "packed": the program has
    packed its tensors, so nothing is known of them. "waiting": its tensors are there; "kept": a pass left them there;
    "again": and another has used them. "freed": the next pass will fail here; "complained": it has;
    "complained_stale": it has, since a saved tensor had been changed in place.
    """
    runs = [run for at, run in recording.runs_of(node.id) if at <= step]
    inside = boxes(recording, node, step)
    if _failed(recording, node, step):
        return "complained_stale" if any(box.state == "stale" for box in inside) else "complained"
    if node.packed:
        return "packed"
    if not inside:
        return "nothing_again" if len(runs) > 1 else "nothing"
    if any(run.freed for run in runs):
        return "freed"
    return "again" if len(runs) > 1 else "kept" if runs else "waiting"


def freed_at(recording: Recording, node: Node) -> int | None:
    """The step at which a backward pass freed what a node had saved."""
    return next((step for step, run in recording.runs_of(node.id) if run.freed), None)


def bytes_text(count: int) -> str:
    """A number of bytes: "12 B", "3.9 KiB"."""
    size, units = float(count), iter(("KiB", "MiB", "GiB"))
    unit = "B"
    while round(size, 1) >= 1024 and (larger := next(units, None)) is not None:
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _box(recording: Recording, saved: SavedTensor, step: int, freed: int | None) -> Box:
    now = _version_now(recording, saved, step if freed is None else freed)
    is_stale = now is not None and saved.version is not None and now > saved.version
    return Box(
        saved=saved,
        state="freed" if freed is not None else "stale" if is_stale else "kept",
        version_now=now,
        freed_at=freed,
    )


def _version_now(recording: Recording, saved: SavedTensor, step: int) -> int | None:
    moved = versions_of(recording).get(saved.leaf_id or saved.node_id or "", [])
    before = bisect_right(moved, step, key=lambda one: one[0])
    return moved[before - 1][1] if before else saved.version


def _failed(recording: Recording, node: Node, step: int) -> bool:
    failed = (
        event.node_id if isinstance(event, Raised) else event.failed_node
        for event in itertools.islice(recording.events, step)
        if isinstance(event, Raised | BackwardEnded)
    )
    return node.id in failed

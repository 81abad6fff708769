"""The moments at which each element of the picture changes.

The picture is laid out once; a player then gives every element the state, and where it has one the text, of its last
keyframe at or before the current step. Texts are numbers and torch's own words, the same in every language.

Elements: nodes and leaves, edges and cuts by their own id; `seed-<root>`, and the dot it comes from,
`seed-<root>-start`; `<node>-s<k>` for what the node saved k-th; `<box>-link` for the line to a saved box;
`<leaf>-<node>` for the line to a leaf without gradient; `<cut>-<k>` for the line to a cut's k-th consumer and
`<cut>-from-<source>` for the one to what lies behind it; `<line>-end` for the sign at the end of a line broken off.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Literal

from explorer.model import Accumulated, BackwardEnded, Raised, Recording
from explorer.model.derived import derived
from explorer.model.values import Frozen
from explorer.render.grad_text import NONE, grad_texts, value_text
from explorer.render.lines import Line, lines_of, long_lines
from explorer.render.schedule import Schedule, schedule_of, versions_of
from explorer.rules.gradients import seed_grad

State = Literal[
    "absent", "built", "running", "done", "failed", "idle", "sent", "undefined", "full", "stale", "freed", "cut"
]
Marks = Iterable[tuple[int, State]]
Texts = Iterable[tuple[int, str]]


class Keyframe(Frozen, frozen=True, kw_only=True):
    """What an element is like from a step on, until its next keyframe.

    Args:
        step: From 0.
        state: The element's state.
        text: What its last line says; None for elements whose text never changes.
    """

    step: int
    state: State
    text: str | None = None


Tracks = dict[str, tuple[Keyframe, ...]]


@derived
def tracks(recording: Recording) -> Tracks:
    """The keyframes of every element, by id, in order of steps; the first is at step 0."""
    schedule = schedule_of(recording)
    found: Tracks = {}
    for part in (_nodes, _leaves, _edges, _seeds, _saved, _cuts, _links):
        found |= dict(part(recording, schedule))
    return found


def keyframe_at(track: tuple[Keyframe, ...], step: int) -> Keyframe:
    """The keyframe that holds at a step."""
    return next(frame for frame in reversed(track) if frame.step <= step)


def longest_text(track: tuple[Keyframe, ...]) -> str:
    """The longest text an element will ever have; "" if it has none."""
    return max((frame.text or "" for frame in track), key=len, default="")


def _nodes(recording: Recording, schedule: Schedule) -> Iterator[tuple[str, tuple[Keyframe, ...]]]:
    leaf_of = {leaf.node_id: leaf.id for leaf in recording.leaves if leaf.node_id is not None}
    failed: dict[str, int] = {}
    accumulated: dict[str, list[int]] = {}
    for step, event in enumerate(recording.events, 1):
        if isinstance(event, Raised) and event.node_id is not None:
            failed[event.node_id] = step
        elif isinstance(event, BackwardEnded) and event.failed_node is not None:
            failed[event.failed_node] = step
        elif isinstance(event, Accumulated):
            accumulated.setdefault(event.leaf_id, []).append(step)
    texts = grad_texts(recording)
    for node in recording.nodes:
        built = schedule.built_at(node.id)
        leaf_id = leaf_of.get(node.id, "")
        busy = [step for step, _ in recording.runs_of(node.id)] + accumulated.get(leaf_id, [])
        marks: list[tuple[int, State]] = [(0, "absent"), (built, "built")]
        marks += [(step + 1, "done") for step in busy]
        marks += _restarts(schedule, busy, "built")
        marks += [(step, "running") for step in busy]
        marks += [(failed[node.id], "failed")] if node.id in failed else []
        own_text = texts.get(leaf_id, [(0, NONE)]) if node.kind == "accumulate" else []
        yield node.id, _keyframes(marks, own_text)


def _leaves(recording: Recording, schedule: Schedule) -> Iterator[tuple[str, tuple[Keyframe, ...]]]:
    for leaf in recording.leaves:
        if leaf.node_id is None:
            yield leaf.id, _keyframes([(0, "absent"), (schedule.built_at(leaf.id), "built")])


def _edges(recording: Recording, schedule: Schedule) -> Iterator[tuple[str, tuple[Keyframe, ...]]]:
    for edge in recording.edges:
        built = schedule.built_at(edge.source)
        runs = recording.runs_of(edge.source)
        marks: list[tuple[int, State]] = [(0, "absent"), (built, "idle")]
        marks += _restarts(schedule, [step for step, _ in runs], "idle")
        texts = [(step, "") for step, _ in marks]
        for step, run in runs:
            value = run.grad_inputs[edge.slot] if edge.slot < len(run.grad_inputs) else None
            marks.append((step, "undefined" if value is None else "sent"))
            texts.append((step, value_text(value)))
        yield edge.id, _keyframes(marks, texts)


def _seeds(recording: Recording, schedule: Schedule) -> Iterator[tuple[str, tuple[Keyframe, ...]]]:
    seeds: dict[str, dict[int, list[str]]] = {}
    for step, start in schedule.starts:
        for root in start.roots:
            if root.node_id is not None:
                given_at = seeds.setdefault(root.node_id, {})
                if (seed := seed_grad(root)) is not None:  # else torch refuses to start
                    given_at.setdefault(step, []).append(value_text(seed))
    for root_id, given_at in seeds.items():
        built = schedule.built_at(root_id)
        marks: list[tuple[int, State]] = [(0, "absent"), (built, "idle")]
        marks += _restarts(schedule, given_at, "idle")
        marks += [(step, "sent") for step in given_at]
        texts = [(step, "") for step, _ in marks]
        texts += [(step, ", ".join(given)) for step, given in given_at.items()]
        yield f"seed-{root_id}", _keyframes(marks, texts)
        yield f"seed-{root_id}-start", _keyframes([(0, "absent"), (built, "built")])


def _saved(recording: Recording, schedule: Schedule) -> Iterator[tuple[str, tuple[Keyframe, ...]]]:
    versions = versions_of(recording)
    for node in recording.nodes:
        there: list[tuple[int, State]] = [(0, "absent"), (schedule.built_at(node.id), "full")]
        gone: list[tuple[int, State]] = [(step, "freed") for step, run in recording.runs_of(node.id) if run.freed]
        first_gone = min((step for step, _ in gone), default=len(recording.events) + 1)
        for k, saved in enumerate(node.saved):
            # An in-place change that moves the version of the very tensor that was saved: torch will refuse to use it.
            stale: list[tuple[int, State]] = [
                (step, "stale")
                for step, version in versions.get(saved.leaf_id or saved.node_id or "", ())
                if step < first_gone and saved.version is not None and version > saved.version
            ]
            # Sizes and flags stay: torch frees tensors only.
            frames = _keyframes([*there, *stale, *(gone if saved.value is not None else ())])
            yield f"{node.id}-s{k}", frames
            yield f"{node.id}-s{k}-link", frames


def _cuts(recording: Recording, schedule: Schedule) -> Iterator[tuple[str, tuple[Keyframe, ...]]]:
    for cut in recording.cuts:
        made = schedule.built_at(cut.id)
        yield cut.id, _keyframes([(0, "absent"), (made, "cut")])


def _links(recording: Recording, schedule: Schedule) -> Iterator[tuple[str, tuple[Keyframe, ...]]]:
    lines = lines_of(recording)
    for line in lines:
        if line.kind != "edge":
            yield line.id, _presence(line, schedule)
    broken = long_lines(lines)
    for line in lines:
        if line.id in broken:
            yield f"{line.id}-end", _presence(line, schedule)


def _presence(line: Line, schedule: Schedule) -> tuple[Keyframe, ...]:
    """A link is there as soon as both its ends are; an edge as soon as its source is."""
    ends = [line.source] if line.kind == "edge" else [line.source, line.target]
    return _keyframes([(0, "absent"), (max(schedule.built_at(id_) for id_ in ends), "built")])


def _restarts(schedule: Schedule, busy: Iterable[int], state: State) -> list[tuple[int, State]]:
    """What a pass has changed starts anew with the next one."""
    starts = schedule.starts
    following = dict.fromkeys(bisect_right(starts, step, key=lambda start: start[0]) for step in busy)
    return [(starts[place][0], state) for place in following if place < len(starts)]


def _keyframes(marks: Marks, texts: Texts = ()) -> tuple[Keyframe, ...]:
    """Joins states and texts; of two marks at one step the later one holds, and what changes nothing is left out."""
    state_at, text_at = dict(marks), dict(texts)
    frames: list[Keyframe] = []
    state: State = "absent"
    text: str | None = None
    for step in sorted({*state_at, *text_at}):
        state, text = state_at.get(step, state), text_at.get(step, text)
        if not frames or (frames[-1].state, frames[-1].text) != (state, text):
            frames.append(Keyframe(step=step, state=state, text=text))
    return tuple(frames)

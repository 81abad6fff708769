"""What optimizers were given, and what they leave as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from explorer.model import Accumulated, GradCleared, Leaf, Modified, Recording, Span
from explorer.rules.notice import Notice
from explorer.rules.silent.facts import of_kind


def skipped_steps(recording: Recording) -> Iterator[Notice]:
    """Leaves that an optimizer left out, since their `.grad` had been cleared to None and not been filled again."""
    skipped: dict[str, Span | None] = {}
    for remark in of_kind(recording, "skipped"):
        leaf_id = remark.source_id
        events = recording.events[: remark.step]
        about = [event for event in events if getattr(event, "leaf_id", None) == leaf_id]
        cleared = [event for event in about if isinstance(event, GradCleared) and event.before is not None]
        if leaf_id is not None and cleared and cleared[-1].to == "none":
            skipped.setdefault(leaf_id, remark.span)
    for span in dict.fromkeys(skipped.values()):
        names = tuple(recording.leaf(leaf_id).name for leaf_id, at in skipped.items() if at == span)
        yield Notice(key="step_skipped", values={"leaves": names}, span=span, severity="warning")


def unused_parameters(recording: Recording) -> Iterator[Notice]:
    """Tensors that an optimizer was given and that nothing was ever computed from."""
    if recording.truncated or recording.error is not None or not recording.backward_passes:
        return
    used = {leaf.name for leaf in recording.leaves}
    found = [remark for remark in of_kind(recording, "unused") if remark.name not in used]
    for span in dict.fromkeys(remark.span for remark in found):
        names = dict.fromkeys(remark.name for remark in found if remark.span == span)
        leaves = tuple(name for name in names if name is not None)
        if leaves:
            yield Notice(key="unused_parameters", values={"leaves": leaves}, span=span)
        if None in names:
            yield Notice(key="unused_without_name", span=span, severity="warning")


def idle_optimizers(recording: Recording) -> Iterator[Notice]:
    """Optimizers that never take a step, though gradients come to what they were given and nothing else changes it."""
    if recording.truncated or recording.error is not None:
        return
    changed = {event.leaf_id for event in recording.events if isinstance(event, Modified) and not event.of_grad}
    filled = {event.leaf_id: step for step, event in enumerate(recording.events) if isinstance(event, Accumulated)}
    given: dict[Span | None, list[str]] = {}
    for remark in of_kind(recording, "idle"):
        if remark.source_id is not None and filled.get(remark.source_id, -1) >= remark.step:
            given.setdefault(remark.span, []).append(remark.source_id)
    for span, leaf_ids in given.items():
        if changed.isdisjoint(leaf_ids):
            names = tuple(dict.fromkeys(recording.leaf(leaf_id).name for leaf_id in leaf_ids))
            yield Notice(key="never_stepped", values={"leaves": names}, span=span)


def left_to_no_optimizer(recording: Recording) -> Iterator[Notice]:
    """Parameters that collect gradients while the optimizers of this program were given others."""
    # The points at which a derivative is asked for are no parameters, as in an equation that a network is to obey.
    asked = {name for one in recording.backward_passes if one.started.by == "grad" for name in one.started.inputs}
    names = tuple(leaf.name for leaf in left_leaves(recording) if leaf.name.partition(" #")[0] not in asked)
    if names:
        yield Notice(key="left_to_no_optimizer", values={"leaves": names})


def left_leaves(recording: Recording) -> tuple[Leaf, ...]:
    """The leaves with a gradient that no optimizer was given and nothing changed, where others have an optimizer."""
    if recording.truncated or recording.error is not None or not any(leaf.is_optimized for leaf in recording.leaves):
        return ()
    filled = Counter(event.leaf_id for event in recording.events if isinstance(event, Accumulated))
    changes = (event for event in recording.events if isinstance(event, Modified) and not event.of_grad)
    changed = {event.leaf_id for event in changes}
    cleared = {event.leaf_id for event in recording.events if isinstance(event, GradCleared)}
    roots = {root.node_id for one in recording.backward_passes for root in one.started.roots}
    return tuple(
        leaf
        for leaf in recording.leaves
        if leaf.id in filled
        and leaf.id not in changed
        and not leaf.is_optimized
        and leaf.is_named
        and leaf.node_id not in roots
        # An input whose gradient is wanted, as for an adversarial example, is made by the program itself.
        and (leaf.span is None or (filled[leaf.id] > 1 and leaf.id not in cleared))
    )

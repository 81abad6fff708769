"""Leaves whose gradient nobody can read, or that counts more than is meant."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.model import Accumulated, Operation, Recording
from explorer.model.text import shape_text
from explorer.rules.notice import Notice, Severity, Values
from explorer.rules.silent.facts import taken_over, takes
from explorer.rules.silent.wording import encloses, is_inside_function
from explorer.rules.story import expression

SUMS = {"AddBackward0", "SubBackward0"}


def marked_roots(recording: Recording) -> Iterator[Notice]:
    """Passes that start at a leaf, a loss that was marked itself, while others that are marked get no gradient."""
    reached = {event.leaf_id for event in recording.events if isinstance(event, Accumulated)}
    if recording.truncated or all(leaf.id in reached for leaf in recording.leaves if leaf.requires_grad):
        return
    leaves = {leaf.node_id: leaf for leaf in recording.leaves if leaf.node_id is not None}
    for started in (one.started for one in recording.backward_passes):
        marked = [leaves[root.node_id] for root in started.roots if root.node_id in leaves]
        if marked and len(marked) == len(started.roots):
            code = expression(recording, started.span) or "backward()"
            names = tuple(leaf.name for leaf in marked)
            values: Values = {"call": code, "leaves": names}
            yield Notice(key="marked_root", values=values, span=started.span, severity="warning")
            return


def replaced_leaves(recording: Recording) -> Iterator[Notice]:
    """Variables that stood for a leaf and now stand for something computed from it."""
    named = {leaf.name: leaf for leaf in recording.leaves if leaf.requires_grad}
    marked = taken_over(recording)
    for step, event in enumerate(recording.events, 1):
        leaf = named.get(event.variable or "") if isinstance(event, Operation) else None
        if leaf is None or not isinstance(event, Operation) or not takes(event, leaf) or event.cut_id in marked:
            continue
        if event.leaf_id is None and not is_inside_function(recording.source, event.span):
            is_followed = any(one.first > step for one in recording.backward_passes)
            key = "leaf_replaced" if event.requires_grad else "leaf_lost_mark"
            code = expression(recording, event.span) or event.name
            severity: Severity = "warning" if is_followed else "hint"
            yield Notice(key=key, values={"leaf": leaf.name, "code": code}, span=event.span, severity=severity)
            return


def unnamed_leaves(recording: Recording) -> Iterator[Notice]:
    """Leaves that no variable holds, since what was made of them at once got the name: `torch.ones(3, …).double()`."""
    reached = {event.leaf_id for one in recording.backward_passes for event in one.accumulated}
    for leaf in recording.leaves:
        if leaf.id not in reached or leaf.is_named or leaf.span is None:
            continue
        for event in recording.events:
            if not isinstance(event, Operation) or not event.variable or not takes(event, leaf):
                continue
            if event.requires_grad and encloses(event.span, leaf.span):
                values = {"variable": event.variable, "operation": event.name}
                yield Notice(key="leaf_without_name", values={**values}, span=event.span, severity="warning")
                return


def summed_leaves(recording: Recording) -> Iterator[Notice]:
    """Leaves that were added to a whole batch whose loss is a plain sum: their gradient counts the rows."""
    for leaf in recording.leaves:
        for edge in recording.edges_to(leaf.node_id) if leaf.node_id and leaf.value.shape else ():
            node = recording.node(edge.source)
            if node.name not in SUMS or node.value is None or node.value.numel <= leaf.value.numel:
                continue
            came = [event.grad_outputs for _, event in recording.runs_of(node.id)]
            if came and all(
                grad is not None and abs(grad.stats.min or 0) == 1 == abs(grad.stats.max or 0) for (grad,) in came
            ):
                values = {
                    "leaf": leaf.name,
                    "shape": shape_text(leaf.value.shape),
                    "result": shape_text(node.value.shape),
                }
                times = node.value.numel // leaf.value.numel
                yield Notice(key="summed_leaf", values={**values, "times": times}, span=node.span)
                return

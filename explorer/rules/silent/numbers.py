"""Numbers that are not those that were meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from explorer.model import Accumulated, NodeRan, Recording, Warned
from explorer.model.text import shape_text
from explorer.rules.notice import Notice, Values
from explorer.rules.silent.facts import of_kind
from explorer.rules.story import expression

DIFFERENCES = {"SubBackward0", "RsubBackward1", "MseLossBackward0", "L1LossBackward0", "SmoothL1LossBackward0"}
DIFFERENCES |= {"HuberLossBackward0"}
FLAT = re.compile("(Round|Floor|Ceil|Trunc|Sign|Sgn|Heaviside)Backward")
"""Nodes of functions that are constant but for jumps."""

SQUASHING = {
    ("LogSoftmaxBackward0", "SoftmaxBackward0"): "softmax",
    ("SoftmaxBackward0", "SoftmaxBackward0"): "softmax",
    ("BinaryCrossEntropyWithLogitsBackward0", "SigmoidBackward0"): "sigmoid",
}
"""Pairs of nodes, the second of which made what the first took, that apply the same function to the scores twice."""


def columns_against_rows(recording: Recording) -> Iterator[Notice]:
    """Differences of a column (N, 1) and a row (N,), which broadcast to every pair (N, N)."""
    warned = {event.span for event in recording.events if isinstance(event, Warned)}
    nodes = {node.id: node for node in recording.nodes}
    for remark in of_kind(recording, "stretched"):
        node = nodes.get(remark.source_id or "")
        if node is None or node.name not in DIFFERENCES or remark.span in warned:
            continue
        (one, other) = sorted(remark.shapes, key=len)[:2]
        is_pair = len(one) == 1 and one[0] > 1 and other == (one[0], 1)
        if is_pair and len(recording.edges_from(node.id)) == 1 and recording.runs_of(node.id):
            values = {"code": expression(recording, remark.span) or "", "column": shape_text(other)}
            values |= {"row": shape_text(one), "result": shape_text((one[0], one[0]))}
            yield Notice(key="column_against_row", values={**values}, span=remark.span, severity="warning")
            return


def flat_steps(recording: Recording) -> Iterator[Notice]:
    """Functions in steps, whose slope is 0 everywhere, that leave nothing of a leaf's gradient."""
    stopped = {
        event.node_id
        for event in recording.events
        if isinstance(event, NodeRan) and FLAT.match(recording.node(event.node_id).name) and _sends_only_zeros(event)
    }
    zeros: dict[str, bool] = {}
    for event in recording.events if stopped else ():
        if isinstance(event, Accumulated):
            is_zero = event.incoming.stats.zero == event.incoming.numel
            zeros[event.leaf_id] = is_zero and zeros.get(event.leaf_id, True)
    for node in (node for node in recording.nodes if node.id in stopped):
        behind = recording.behind([node.id])
        leaves = tuple(leaf.name for leaf in recording.leaves if zeros.get(leaf.id) and leaf.node_id in behind)
        if leaves:
            values: Values = {
                "node": node.name,
                "code": expression(recording, node.span) or node.name,
                "leaves": leaves,
            }
            yield Notice(key="flat_step", values=values, span=node.span)
            return


def _sends_only_zeros(event: NodeRan) -> bool:
    """Whether a node that got something else sends only zeros on."""
    came, sent = ([grad for grad in grads if grad is not None] for grads in (event.grad_outputs, event.grad_inputs))
    return (
        bool(sent)
        and all(one.stats.zero == one.numel for one in sent)
        and any(one.stats.zero < one.numel for one in came)
    )


def squashed_twice(recording: Recording) -> Iterator[Notice]:
    """Losses that apply softmax or sigmoid themselves, and are given the result of that very function."""
    for edge in recording.edges:
        outer, inner = recording.node(edge.source), recording.node(edge.target)
        function = SQUASHING.get((outer.name, inner.name))
        if function is not None and recording.runs_of(outer.id):
            values: Values = {"code": expression(recording, outer.span) or outer.name, "function": function}
            yield Notice(key="squashed_twice", values=values, span=outer.span, severity="warning")
            return


def is_behind_where(recording: Recording, ran: NodeRan) -> bool:
    """Whether a node's upstream gradient came through `torch.where`, with zeros for what was not chosen."""
    if not any(grad is not None and grad.stats.zero for grad in ran.grad_outputs):
        return False
    pending, seen = [ran.node_id], {ran.node_id}
    while pending:
        for edge in recording.edges_to(pending.pop()):
            if recording.node(edge.source).name == "WhereBackward0":
                return True
            if edge.source not in seen:
                seen.add(edge.source)
                pending.append(edge.source)
    return False

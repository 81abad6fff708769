"""What is said of a backward pass and of the `.grad` that it fills."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.model import (
    Accumulated,
    BackwardEnded,
    BackwardStarted,
    GradCleared,
    NodeRan,
    Root,
    TensorValue,
)
from explorer.model.recording import zeros_like
from explorer.model.text import shape_text
from explorer.rules.gradients import changed_after, seed_grad, sent
from explorer.rules.sentences.kind import MOST_EDGES, Kind, Words, always
from explorer.rules.story import Story, first_sentence

MOST_ADDENDS = 3

OF_GRAD = "grad"
"""What events call a pass that `torch.autograd.grad` asked for."""


def _started_words(story: Story, event: BackwardStarted) -> Words:
    root = event.roots[0] if event.roots else Root()
    default = "backward()" if event.by == "backward" else "torch.autograd.grad()"
    return {
        "call": story.code(event.span, default),
        "seed": story.tensor(seed_grad(root)),
        "node": _root_name(story, root),
        "variable": root.variable or story.say("phrase.a_tensor"),
        "shape": shape_text(root.value.shape) if root.value else "",
        "count": story.count(len(event.roots)),
        "roots": story.listing([_root_phrase(story, root) for root in event.roots]),
        "inputs": story.listing(event.inputs),
    }


def _root_name(story: Story, root: Root) -> str:
    return story.node(root.node_id) if root.node_id else root.variable or story.say("phrase.a_tensor")


def _root_phrase(story: Story, root: Root) -> str:
    seed = seed_grad(root)
    return story.say("phrase.seed_at", seed=story.tensor(seed), node=_root_name(story, root))


def _has_no_history(story: Story, event: BackwardStarted) -> bool:
    return event.roots[0].node_id is None and not story.recording.truncated


def _starts_at_complex(story: Story, event: BackwardStarted) -> bool:
    """Of single numbers, torch makes no seed gradient for complex ones alone."""
    value = event.roots[0].value
    return value is not None and value.numel == 1 and seed_grad(event.roots[0]) is None


BACKWARD_STARTED = Kind[BackwardStarted](
    _started_words,
    rows=(
        (lambda story, event: not event.roots, "started"),
        (lambda story, event: len(event.roots) > 1, "started_at_several"),
        (_has_no_history, "started_without_history"),
        (_starts_at_complex, "started_at_complex"),
        (lambda story, event: seed_grad(event.roots[0]) is None, "started_without_seed"),
        (lambda story, event: event.roots[0].seed_grad is not None, "started_with_given_seed"),
        (always, "started_with_one"),
    ),
    also=(
        (lambda story, event: event.by == OF_GRAD and bool(event.inputs), "returns_for_inputs"),
        (lambda story, event: event.by != OF_GRAD and bool(event.inputs), "only_inputs"),
        (lambda story, event: event.create_graph, "create_graph"),
        (lambda story, event: event.retain_graph and not event.create_graph, "retain_graph"),
    ),
)


def _node_ran_words(story: Story, event: NodeRan) -> Words:
    node = story.recording.node(event.node_id)
    flows, edges = sent(story.recording, event), story.recording.edges_from(event.node_id)
    gradients = [gradient for _, gradient in flows]
    targets = [story.node(target) for target in dict.fromkeys(target for target, _ in flows)]
    change, made = story.change(event), changed_after(event)
    return {
        "node": story.node(event.node_id),
        "leaf": story.leaf_of(node) if node.kind == "accumulate" else "",
        "received": _received(story, event),
        "sent": story.tensor(gradients[0]) if gradients else "",
        "targets": story.listing(targets),
        "input": story.result(edges[0].target, edges[0].input_nr) if edges else "",
        "parts": story.clauses([_flow(story, *flow) for flow in flows[:MOST_EDGES]]),
        "count": story.count(len(flows)),
        "addends": story.count(len(story.addends(event))),
        "sum": _sum(story, story.addends(event)),
        "due": _sum(story, change.sent) if change else "",
        "came": story.tensor(change.came) if change else "",
        "computed": story.tensor(made[0]) if made else "",
        "made": story.tensor(made[1]) if made else "",
    }


def _sum(story: Story, parts: Sequence[TensorValue]) -> str:
    if len(parts) > MOST_ADDENDS:
        return story.say("phrase.sum_of", count=story.count(len(parts)))
    return " + ".join(map(story.tensor, parts))


def _received(story: Story, event: NodeRan) -> str:
    known = [gradient for gradient in event.grad_outputs if gradient is not None]
    return story.tensors(known[:MOST_EDGES]) if known else story.say("phrase.no_gradient")


def _flow(story: Story, target: str, gradient: TensorValue | None) -> str:
    if gradient is None:
        return story.say("phrase.nothing_to", target=story.node(target))
    return story.say("phrase.gradient_to", gradient=story.tensor(gradient), target=story.node(target))


def _is_leaf(story: Story, event: NodeRan) -> bool:
    return story.recording.node(event.node_id).kind == "accumulate"


def _has_sum(story: Story, event: NodeRan) -> bool:
    return 1 < len(story.addends(event)) <= MOST_ADDENDS


def _arrives(story: Story, event: NodeRan) -> bool:
    return any(gradient is not None for gradient in event.grad_outputs)


def _sends_nothing(story: Story, event: NodeRan) -> bool:
    return all(gradient is None for _, gradient in sent(story.recording, event))


def _sends_the_same(story: Story, event: NodeRan) -> bool:
    flows = sent(story.recording, event)
    return len({gradient for _, gradient in flows}) == 1


def _went_in_twice(story: Story, event: NodeRan) -> bool:
    ends = [(edge.target, edge.input_nr) for edge in story.recording.edges_from(event.node_id)]
    return _sends_the_same(story, event) and len(ends) == 2 and ends[0] == ends[1]


NODE_RAN = Kind[NodeRan](
    _node_ran_words,
    rows=(
        (lambda story, event: _is_leaf(story, event) and not _arrives(story, event), "nothing_arrives"),
        (lambda story, event: _is_leaf(story, event) and _has_sum(story, event), "gradients_meet"),
        (lambda story, event: _is_leaf(story, event) and len(story.addends(event)) > 1, "many_gradients_meet"),
        (_is_leaf, "gradient_arrives"),
        (_sends_nothing, "sends_nothing"),
        (lambda story, event: len(sent(story.recording, event)) == 1, "sends_one"),
        (_went_in_twice, "sends_the_same_twice"),
        (_sends_the_same, "sends_the_same"),
        (lambda story, event: len(sent(story.recording, event)) <= MOST_EDGES, "sends_parts"),
        (always, "sends_many"),
    ),
    also=(
        (lambda story, event: not _is_leaf(story, event) and _has_sum(story, event), "received_is_sum"),
        (lambda story, event: story.change(event) is not None, "changed_on_the_way"),
        (lambda story, event: changed_after(event) is not None, "changed_after"),
        (lambda story, event: event.freed, "freed"),
    ),
)

ACCUMULATED = Kind[Accumulated](
    lambda story, event: {
        "leaf": story.leaf(event.leaf_id),
        "before": story.tensor(event.before),
        "incoming": story.tensor(event.incoming),
        "after": story.tensor(event.after),
    },
    rows=((lambda story, event: event.before is None, "filled"), (always, "added")),
)


def _has_filled(story: Story, event: BackwardEnded) -> bool:
    return bool(story.recording.backward_passes[event.backward_pass].accumulated)


BACKWARD_ENDED = Kind[BackwardEnded](
    lambda story, event: {
        "message": first_sentence(event.error or ""),
        "returned": story.tensors(event.returned[:MOST_EDGES]),
    },
    rows=(
        (lambda story, event: event.error is not None, "ended_by_error"),
        (
            lambda story, event: story.recording.backward_passes[event.backward_pass].started.by == OF_GRAD,
            "ended_returning",
        ),
        (_has_filled, "ended"),
        (always, "ended_without_result"),
    ),
)

GRAD_CLEARED = Kind[GradCleared](
    lambda story, event: {
        "leaf": story.leaf(event.leaf_id),
        "before": story.tensor(event.before),
        "after": story.tensor(zeros_like(event.before)),
    },
    rows=(
        (lambda story, event: event.before is None, "cleared_nothing"),
        (lambda story, event: event.to == "none", "cleared_to_none"),
        (always, "cleared_to_zeros"),
    ),
)

"""One sentence for every event: what just happened, with the program's own names and torch's own numbers.

Each kind of event has a `Kind`: rows of (when, key of the sentence), the first that applies is said; `also`, rows that
all apply on their own; and a function that gives the placeholders their words. New knowledge is a new row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from explorer.i18n import Language
from explorer.model import (
    Accumulated,
    BackwardEnded,
    BackwardStarted,
    GradCleared,
    Happened,
    Modified,
    NodeRan,
    Operation,
    Printed,
    Raised,
    Recording,
    Root,
    TensorValue,
    Warned,
)
from explorer.model.derived import derived
from explorer.model.recording import zeros_like
from explorer.model.text import shape_text
from explorer.rules.gradients import changed_after, seed_grad, sent
from explorer.rules.needs import Needs, needs
from explorer.rules.story import Story, first_sentence, shortened

MOST_EDGES = 4
MOST_ADDENDS = 3
MOST_PRINTED = 100

MARKING = {"requires_grad_", "requires_grad"}
REPLACING = "grad.__set__"
OF_GRAD = "grad"
"""Names of torch's that events carry."""

E = TypeVar("E", bound=Happened)
Words = dict[str, str]
Row = tuple[Callable[[Story, E], bool], str]


@dataclass(frozen=True)
class Kind(Generic[E]):
    """How one kind of event is told.

    Args:
        words: What the placeholders stand for.
        rows: The first that applies gives the sentence.
        also: Each that applies adds a sentence.
    """

    words: Callable[[Story, E], Words]
    rows: tuple[Row[E], ...]
    also: tuple[Row[E], ...] = ()

    def tell(self, story: Story, event: E) -> str:
        """The sentences for an event of this kind."""
        words = self.words(story, event)
        keys = [next(key for applies, key in self.rows if applies(story, event))]
        keys += [key for applies, key in self.also if applies(story, event)]
        return story.join(story.say(f"sentence.{key}", **words) for key in keys)


def sentence(recording: Recording, step: int, language: Language) -> str:
    """What happened at `step`, counted from 1: the event that has just ended.

    Raises:
        IndexError: There is no such step.
    """
    if not 1 <= step <= len(recording.events):
        raise IndexError(step)
    return _tell(Story(recording, language), recording.events[step - 1])


def start_sentence(recording: Recording, language: Language) -> str:
    """What is to be said at step 0, before anything has happened."""
    story = Story(recording, language)
    if not recording.events:
        return story.say("sentence.start_empty")
    return story.say("sentence.start", steps=len(recording.events), passes=len(recording.backward_passes))


@derived
def sentences(recording: Recording, language: Language) -> tuple[str, ...]:
    """The sentences of all steps, from 0 to the last."""
    story = Story(recording, language)
    return (start_sentence(recording, language), *(_tell(story, event) for event in recording.events))


def _tell(story: Story, event: Happened) -> str:
    kind: Kind[Any] = KINDS[type(event)]
    return kind.tell(story, event)


def _always(story: Story, event: Happened) -> bool:
    return True


# Forward


def _operation_words(story: Story, event: Operation) -> Words:
    subject = story.assignment(event.span, event.variable, f"{event.name}(…)")
    value = story.tensors(event.values[:MOST_EDGES])
    nodes = _noted(story, event)
    return {
        "subject": subject,
        "outcome": story.say("phrase.outcome", subject=subject, value=value)
        if event.values
        else story.say("phrase.runs", subject=subject),
        "value": value,
        "name": event.name,
        "leaf": story.leaf(event.leaf_id) if event.leaf_id else "",
        "nodes": story.nodes(nodes),
        "count": story.count(len(nodes)),
        "kept": story.spaced(story.listing(_needs(story, event).phrases)),
    }


def _noted(story: Story, event: Operation | Modified) -> list[str]:
    """The nodes of an operation without the AccumulateGrad of a leaf that it met for the first time."""
    return [node_id for node_id in event.node_ids if story.recording.node(node_id).kind != "accumulate"]


def _needs(story: Story, event: Operation) -> Needs:
    """What the only node of an operation keeps for its backward; nothing where there are several."""
    nodes = _noted(story, event)
    return needs(story, story.recording.node(nodes[0])) if len(nodes) == 1 else Needs((), complete=True)


def _keeps(applies: Callable[[Needs], bool]) -> Callable[[Story, Operation], bool]:
    """A row for operations with one node, by what that node keeps."""
    return lambda story, event: bool(_noted(story, event)) and applies(_needs(story, event))


def _is_marking(story: Story, event: Operation) -> bool:
    return event.leaf_id is not None and event.name in MARKING


def _is_cut(reason: str) -> Callable[[Story, Operation], bool]:
    return lambda story, event: event.cut_id is not None and story.recording.cut(event.cut_id).reason == reason


def _takes_tracked(story: Story, event: Operation) -> bool:
    """Whether something with a history went in, as in `torch.ones_like(y)`, which takes only its shape."""
    return any(story.may_be_tracked(input_id) for input_id in event.input_ids)


OPERATION = Kind[Operation](
    _operation_words,
    rows=(
        (_is_cut("detach"), "cut_by_detach"),
        (_is_cut("no_grad"), "cut_by_no_grad"),
        (_is_cut("not differentiable"), "cut_not_differentiable"),
        (lambda story, event: _is_marking(story, event) and event.requires_grad, "marked"),
        (_is_marking, "unmarked"),
        (lambda story, event: event.leaf_id is not None and event.requires_grad, "leaf_made_and_marked"),
        (lambda story, event: event.leaf_id is not None, "leaf_made"),
        (lambda story, event: len(_noted(story, event)) > 1, "noted_several"),
        (_keeps(lambda kept: kept.complete and not kept.phrases), "noted_keeping_nothing"),
        (_keeps(lambda kept: kept.complete and len(kept.phrases) == 1), "noted_keeping_only"),
        (_keeps(lambda kept: bool(kept.phrases)), "noted_keeping"),
        (_keeps(lambda kept: True), "noted"),
        (lambda story, event: event.requires_grad, "nothing_new_noted"),
        (_takes_tracked, "not_noted"),
        (_always, "untracked"),
    ),
)


PRINTED = Kind[Printed](
    lambda story, event: {"text": shortened(" ".join(event.text.split()), MOST_PRINTED)},
    rows=((lambda story, event: not event.text.strip(), "printed_nothing"), (_always, "printed")),
)

WARNED = Kind[Warned](
    lambda story, event: {"category": event.category, "message": first_sentence(event.message)},
    rows=((_always, "warned"),),
)


def _modified_words(story: Story, event: Modified) -> Words:
    leaf = story.leaf(event.leaf_id) if event.leaf_id else None
    return {
        "code": story.code(event.span, event.name),
        "target": f"{leaf}.grad" if event.of_grad and leaf else (event.variable or leaf or _made_by(story, event)),
        "before": story.tensor(event.before),
        "after": story.tensor(event.after),
        "version": str(event.version),
        "nodes": story.nodes(_noted(story, event)),
    }


def _made_by(story: Story, event: Modified) -> str:
    """What the program calls the result of the operation's node."""
    names = [story.recording.node(node_id).variable for node_id in _noted(story, event)]
    return next(filter(None, reversed(names)), None) or story.say("phrase.a_tensor")


MODIFIED = Kind[Modified](
    _modified_words,
    rows=(
        (lambda story, event: event.name == REPLACING and event.before is None, "grad_set"),
        (lambda story, event: event.name == REPLACING, "grad_replaced"),
        (lambda story, event: event.before is None, "modified"),
        (_always, "modified_from"),
    ),
    also=(
        (lambda story, event: bool(_noted(story, event)), "modified_noted"),
        (lambda story, event: not event.of_grad, "version"),
    ),
)


# Backward


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
        (_always, "started_with_one"),
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
        (_always, "sends_many"),
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
    rows=((lambda story, event: event.before is None, "filled"), (_always, "added")),
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
        (_always, "ended_without_result"),
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
        (_always, "cleared_to_zeros"),
    ),
)

RAISED = Kind[Raised](
    lambda story, event: {
        "type": event.type,
        "message": first_sentence(event.message),
        "node": story.node(event.node_id) if event.node_id else "",
    },
    rows=(
        (lambda story, event: not event.message, "raised_silently"),
        (lambda story, event: event.node_id is not None, "raised_in_node"),
        (_always, "raised"),
    ),
)

KINDS: dict[type[Happened], Kind[Any]] = {
    Operation: OPERATION,
    Printed: PRINTED,
    Warned: WARNED,
    Modified: MODIFIED,
    BackwardStarted: BACKWARD_STARTED,
    NodeRan: NODE_RAN,
    Accumulated: ACCUMULATED,
    BackwardEnded: BACKWARD_ENDED,
    GradCleared: GRAD_CLEARED,
    Raised: RAISED,
}

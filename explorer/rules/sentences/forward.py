"""What is said of the program's own steps: operations, changes in place, prints, warnings, errors."""

from __future__ import annotations

from collections.abc import Callable

from explorer.model import Modified, Operation, Printed, Raised, Warned
from explorer.rules.needs import Needs, needs
from explorer.rules.sentences.kind import MOST_EDGES, Kind, Words, always
from explorer.rules.story import Story, first_sentence, shortened

MOST_PRINTED = 100

MARKING = {"requires_grad_", "requires_grad"}
REPLACING = "grad.__set__"
"""Names of torch's that events carry."""


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
        (always, "untracked"),
    ),
)


PRINTED = Kind[Printed](
    lambda story, event: {"text": shortened(" ".join(event.text.split()), MOST_PRINTED)},
    rows=((lambda story, event: not event.text.strip(), "printed_nothing"), (always, "printed")),
)

WARNED = Kind[Warned](
    lambda story, event: {"category": event.category, "message": first_sentence(event.message)},
    rows=((always, "warned"),),
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
        (always, "modified_from"),
    ),
    also=(
        (lambda story, event: bool(_noted(story, event)), "modified_noted"),
        (lambda story, event: not event.of_grad, "version"),
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
        (always, "raised"),
    ),
)

"""What a program lacks, or does wrong without torch saying so, as the recording shows it.

Each notice is found by one function in `FINDERS`; new knowledge is a new function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.i18n import Language, text
from explorer.model import (
    Accumulated,
    Modified,
    NodeRan,
    Recording,
    TensorValue,
    Warned,
    grad_change,
)
from explorer.model.source import piece_at
from explorer.rules.errors import error_topic
from explorer.rules.hints import advice_key
from explorer.rules.notice import Notice, Severity, Values
from explorer.rules.silent import changes, cuts, graphs, leaves, numbers, optimizers
from explorer.rules.story import Story, expression, first_sentence


def notices(recording: Recording) -> tuple[Notice, ...]:
    """Everything there is to say about a run."""
    return tuple(notice for find in FINDERS for notice in find(recording))


def notice_text(notice: Notice, language: Language) -> str:
    """A notice in words."""
    story = Story(Recording(), language)
    said = {name: story.few(value) if isinstance(value, tuple) else value for name, value in notice.values.items()}
    words = story.say(f"notice.{notice.key}", **said)
    return words if notice.advice is None else story.join((words, story.say(f"warning.{notice.advice}")))


def lines_text(notice: Notice, language: Language) -> str:
    """The lines that a notice is about: "3 and 5"; "" where it is about none."""
    return Story(Recording(), language).listing([str(line) for line in notice.lines])


def error_hint(recording: Recording, language: Language) -> str | None:
    """What the program's error means and what to do; None if there was no error or none that is known."""
    topic = error_topic(recording)
    return None if topic is None else text(f"rules.error.{topic}", language)


def _missing_parts(recording: Recording) -> Iterator[Notice]:
    """The first part of the way from a tensor to its gradient that the program does not have."""
    if recording.error is not None or recording.truncated or recording.backward_passes:
        return
    if any(word in (recording.source or "") for word in cuts.WITHOUT_GRAD):
        return  # a program that says so wants no gradient
    if not recording.leaves and not recording.nodes:
        yield Notice(key="no_tensor")
    elif not recording.nodes and not any(leaf.requires_grad for leaf in recording.leaves):
        yield _no_marked_leaf(recording)
    else:
        yield _no_backward(recording)


def _no_marked_leaf(recording: Recording) -> Notice:
    floating = [leaf for leaf in recording.leaves if leaf.value.dtype.startswith(("float", "bfloat", "complex"))]
    leaf = (floating or recording.leaves)[0]
    key = "no_marked_leaf" if floating else "only_integers"
    return Notice(key=key, values={"leaf": leaf.name}, span=leaf.span)


def _no_backward(recording: Recording) -> Notice:
    made = [node for node in recording.nodes if node.kind != "accumulate"]
    if not made:
        leaf = next(leaf for leaf in recording.leaves if leaf.requires_grad)
        return Notice(key="no_function", values={"leaf": leaf.name}, span=leaf.span)
    last = next((node for node in reversed(made) if node.variable), made[-1])
    result = last.variable or f"({expression(recording, last.span) or '…'})"
    is_one_number = last.value is None or last.value.numel == 1
    call = f"{result}.backward()" if is_one_number else f"{result}.sum().backward()"
    return Notice(key="no_backward", values={"call": call}, span=last.span)


def _truncation(recording: Recording) -> Iterator[Notice]:
    if recording.truncated:
        yield Notice(key="truncated", values={"events": len(recording.events)}, severity="warning")


def _first_bad_gradient(recording: Recording) -> Iterator[Notice]:
    """The first node that made nan or inf out of finite numbers, or the first that was handed one."""
    for event in recording.events:
        if not isinstance(event, NodeRan):
            continue
        came, went = _badness(event.grad_outputs), _badness(event.grad_inputs)
        if came or went:
            node = recording.node(event.node_id)
            key = "bad_gradient_arrived" if came else "bad_gradient_made"
            key = "nan_behind_where" if not came and numbers.is_behind_where(recording, event) else key
            values: Values = {"node": node.name, "number": came or went}
            yield Notice(key=key, values=values, span=node.span or event.span, severity="warning")
            return


def _badness(gradients: tuple[TensorValue | None, ...]) -> str:
    every = [gradient.stats for gradient in gradients if gradient is not None]
    if any(stats.nan for stats in every):
        return "nan"
    return "inf" if any(stats.inf for stats in every) else ""


def _accumulation(recording: Recording) -> Iterator[Notice]:
    """Leaves whose gradient was added to that of an earlier pass; worse, to that of an earlier value of the leaf."""
    kinds: tuple[tuple[str, Severity], ...] = (
        ("stale_gradient", "warning"),
        ("stale_gradient", "hint"),
        ("accumulated", "hint"),
    )
    # Leaves that have a notice of their own: to clear their .grad, or that of what has their name now, would not help.
    left = {leaf.name for leaf in optimizers.left_leaves(recording)}
    left |= {str(notice.values["leaf"]) for notice in leaves.replaced_leaves(recording)}
    for (key, severity), found in zip(kinds, _added_up(recording), strict=True):
        if added := {leaf_id: event for leaf_id, event in found.items() if recording.leaf(leaf_id).name not in left}:
            names = tuple(recording.leaf(leaf_id).name for leaf_id in added)
            span = next(iter(added.values())).span
            yield Notice(key=key, values={"leaves": names, "leaf": names[0]}, span=span, severity=severity)
            return


def _added_up(recording: Recording) -> tuple[dict[str, Accumulated], ...]:
    """By leaf the first gradient added to one of an earlier value that was then used; one that was not; all others."""
    filled_by: dict[str, int] = {}
    updated: set[str] = set()
    harmless: set[str] = set()
    stale, used, plain = (dict[str, Accumulated]() for _ in range(3))
    repeated = graphs.repeated_passes(recording)
    outermost = graphs.outermost_passes(recording)
    for event in recording.events:
        if isinstance(event, Accumulated):
            call = outermost[event.backward_pass]
            if filled_by.get(event.leaf_id, call) != call and event.backward_pass not in repeated:
                (stale if event.leaf_id in updated else plain).setdefault(event.leaf_id, event)
            filled_by[event.leaf_id] = call
        elif (change := grad_change(event)) is not None:
            filled_by.pop(change[0], None)
            updated.discard(change[0])
            # As in a discriminator, which the generator's pass goes through: nothing was made of it.
            if stale.pop(change[0], None) is not None:
                harmless.add(change[0])
        elif isinstance(event, Modified) and event.leaf_id in filled_by:
            updated.add(event.leaf_id)
            if event.leaf_id in stale:
                used.setdefault(event.leaf_id, stale[event.leaf_id])
    return used, {leaf_id: added for leaf_id, added in stale.items() if leaf_id not in harmless}, plain


def _warnings(recording: Recording) -> Iterator[Notice]:
    said: set[str] = set()
    for event in recording.events:
        if isinstance(event, Warned) and event.message not in said:
            said.add(event.message)
            values: Values = {"category": event.category, "message": first_sentence(event.message)}
            advice = advice_key(event.message, piece_at(recording.source, event.span) or "")
            yield Notice(key="warned", values=values, span=event.span, severity="warning", advice=advice)


FINDERS: tuple[Callable[[Recording], Iterator[Notice]], ...] = (
    _truncation,
    _missing_parts,
    cuts.roots_without_history,
    leaves.marked_roots,
    cuts.unreached_leaves,
    _first_bad_gradient,
    cuts.constants,
    _accumulation,
    graphs.same_graph_again,
    changes.unnoticed_changes,
    changes.second_names,
    optimizers.skipped_steps,
    optimizers.unused_parameters,
    optimizers.idle_optimizers,
    leaves.replaced_leaves,
    leaves.unnamed_leaves,
    numbers.columns_against_rows,
    leaves.summed_leaves,
    numbers.flat_steps,
    numbers.squashed_twice,
    optimizers.left_to_no_optimizer,
    graphs.kept_losses,
    _warnings,
)

"""What a program lacks, or does wrong without torch saying so, as the recording shows it.

Each notice is found by one function in `FINDERS`; new knowledge is a new function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.i18n import Language, text
from explorer.model import (
    Accumulated,
    Cut,
    Leaf,
    Modified,
    NodeRan,
    Recording,
    TensorValue,
    Warned,
    grad_change,
)
from explorer.model.source import piece_at
from explorer.rules.errors import error_topic, is_sample
from explorer.rules.hints import advice_key
from explorer.rules.notice import Notice, Severity, Values
from explorer.rules.silent import changes, facts, graphs, leaves, numbers, optimizers
from explorer.rules.story import Story, expression, first_sentence

CUTS = {"detach": "behind_cut", "no_grad": "in_no_grad", "not differentiable": "behind_choice"}
"""How the keys of notices about a cut end, by its reason."""

WITHOUT_GRAD = ("no_grad", "inference_mode", "set_grad_enabled")
"""What a program says that wants no gradient somewhere; where it says none of it, only torch's own code means so."""


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
    if any(word in (recording.source or "") for word in WITHOUT_GRAD):
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


def _unreached_leaves(recording: Recording) -> Iterator[Notice]:
    """Leaves that no pass gave a gradient, with the cut that stands in the way if there is one."""
    passes = [found.started for found in recording.backward_passes]
    fills_all = any(started.by == "backward" and not started.inputs for started in passes)
    if recording.error is not None or recording.truncated or not fills_all:
        return
    reached = {change[0] for event in recording.events if (change := grad_change(event)) is not None}
    reached |= facts.sent_to(recording)
    trained = any(leaf.is_optimized for leaf in recording.leaves)
    built = facts.built_at(recording)
    last = max(found.first for found in recording.backward_passes)
    missed = [
        leaf
        for leaf in recording.leaves
        if leaf.requires_grad
        and reached.isdisjoint({leaf.id, leaf.node_id})
        and leaf.is_named
        # What no optimizer was given is not trained: a teacher, a target network, an average.
        and (leaf.is_optimized or not trained)
        # What is made or used for the first time after all passes, as to compare a result, is not missed in them.
        and built.get(leaf.node_id or leaf.id, 0) <= last
    ]
    for node, behind in facts.withheld(recording) if missed else ():
        if without := [leaf for leaf in missed if {leaf.id, leaf.node_id} & behind]:
            values: Values = {"leaves": _names(without), "function": node.name.removesuffix("Backward")}
            yield Notice(key="unreached_by_custom", values=values, span=node.span, severity="warning")
            missed = [leaf for leaf in missed if leaf not in without]
    held: dict[tuple[str, ...], tuple[dict[str, Cut], list[Leaf]]] = {}
    cuts = [(cut, recording.behind(cut.sources)) for cut in _cuts_in_use(recording)] if missed else []
    for leaf in missed:
        around = [cut for cut, behind in cuts if leaf.id in behind or leaf.node_id in behind]
        found, missing = held.setdefault(tuple(dict.fromkeys(_cutter(recording, cut) for cut in around)), ({}, []))
        found |= {cut.id: cut for cut in around}
        missing.append(leaf)
    for cutters, (found, missing) in held.items():
        # A whole network that is cut off, while no optimizer tells what is to be trained, may be a teacher or a target.
        may_be_meant = (
            not trained and all(leaf.span is None for leaf in missing) and not any(map(_is_choice, found.values()))
        )
        severity: Severity = "hint" if may_be_meant else "warning"
        if cutters:
            yield _about_cuts(recording, "unreached", list(found.values()), {"leaves": _names(missing)}, severity)
        else:
            yield Notice(key="unreached", values={"leaves": _names(missing)}, span=missing[0].span, severity="warning")


def _names(leaves: list[Leaf]) -> tuple[str, ...]:
    return tuple(leaf.name for leaf in leaves)


def _about_cuts(recording: Recording, key: str, cuts: list[Cut], values: Values, severity: Severity) -> Notice:
    """The notice about cuts, wherever they stand: those that `detach` made, or several that hold back the same."""
    cuts = sorted(cuts, key=lambda cut: (cut.span.line, cut.span.column) if cut.span else (0, 0))
    first, *others = dict.fromkeys(cut.span for cut in cuts if cut.span is not None) or (None,)
    cutters = tuple(dict.fromkeys(_cutter(recording, cut) for cut in cuts))
    ending = "behind_sample" if is_sample(recording, cuts[0]) else CUTS[cuts[0].reason]
    key = f"{key}_{ending}" if len(cutters) == 1 else f"{key}_behind_cuts"
    values = {**values, "operation": cutters[0] if len(cutters) == 1 else cutters}
    return Notice(key=key, values=values, span=first, others=tuple(others), severity=severity)


def _cuts_in_use(recording: Recording) -> list[Cut]:
    """Cuts whose result went on into something that was differentiated."""
    ran = {event.node_id for event in recording.events if isinstance(event, NodeRan)}
    return [cut for cut in recording.cuts if any(node_id in ran for node_id, _ in cut.consumers)]


def _is_meant(recording: Recording, cut: Cut) -> bool:
    """Whether it cuts on purpose: code of torch's that the program calls, as `gumbel_softmax`, or an action's draw."""
    if is_sample(recording, cut):
        # A policy's action is a number: its gradient comes through its probability.
        takers = [piece_at(recording.source, recording.node(node_id).span) or "" for node_id, _ in cut.consumers]
        return all("log_prob(" in taker for taker in takers)
    if cut.reason == "no_grad":
        return recording.source is not None and not any(word in recording.source for word in WITHOUT_GRAD)
    piece = piece_at(recording.source, cut.span)
    return cut.reason == "detach" and piece is not None and cut.operation not in piece


def _is_choice(cut: Cut) -> bool:
    """Whether what came out is a mask or an index: nobody expects a gradient through those."""
    return cut.value is not None and not cut.value.dtype.startswith(("float", "bfloat", "complex"))


def _cutter(recording: Recording, cut: Cut) -> str:
    """What made the cut."""
    if is_sample(recording, cut):
        return "sample()"
    return "torch.no_grad()" if cut.reason == "no_grad" else cut.operation


def _constants(recording: Recording) -> Iterator[Notice]:
    """Cuts whose result counts as a constant, where no leaf has been reported for it."""
    reported = {span for notice in _unreached_leaves(recording) for span in (notice.span, *notice.others)}
    marked = facts.taken_over(recording)
    found: dict[str, list[Cut]] = {}
    for cut in _cuts_in_use(recording):
        if not (cut.span in reported or cut.id in marked or _is_choice(cut) or _is_meant(recording, cut)):
            found.setdefault(_cutter(recording, cut), []).append(cut)
    for cuts in found.values():
        yield _about_cuts(recording, "constant", cuts, {}, "hint")


def _roots_without_history(recording: Recording) -> Iterator[Notice]:
    """Passes that start where a cut has left nothing to go back through."""
    for started in (found.started for found in recording.backward_passes):
        if recording.cuts and not recording.truncated and any(root.node_id is None for root in started.roots):
            yield _about_cuts(recording, "root", [recording.cuts[-1]], {}, "warning")
            return


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
    _roots_without_history,
    leaves.marked_roots,
    _unreached_leaves,
    _first_bad_gradient,
    _constants,
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

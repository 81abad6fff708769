"""Gradients that do not arrive: leaves that no pass has reached, and the cuts that hold them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from explorer.model import Cut, Leaf, Recording, grad_change
from explorer.model.source import piece_at
from explorer.rules.errors import is_sample
from explorer.rules.notice import Notice, Severity, Values
from explorer.rules.silent import facts

CUTS = {"detach": "behind_cut", "no_grad": "in_no_grad", "not differentiable": "behind_choice"}
"""How the keys of notices about a cut end, by its reason."""

WITHOUT_GRAD = ("no_grad", "inference_mode", "set_grad_enabled")
"""What a program says that wants no gradient somewhere; where it says none of it, only torch's own code means so."""


def unreached_leaves(recording: Recording) -> Iterator[Notice]:
    """Leaves that no pass gave a gradient, with the cut that stands in the way if there is one."""
    passes = [found.started for found in recording.backward_passes]
    fills_all = any(started.by == "backward" and not started.inputs for started in passes)
    if recording.error is not None or recording.truncated or not fills_all:
        return
    missed = _missed(recording)
    for node, behind in facts.withheld(recording) if missed else ():
        if without := [leaf for leaf in missed if {leaf.id, leaf.node_id} & behind]:
            values: Values = {"leaves": _names(without), "function": node.name.removesuffix("Backward")}
            yield Notice(key="unreached_by_custom", values=values, span=node.span, severity="warning")
            missed = [leaf for leaf in missed if leaf not in without]
    for cuts, leaves in _held_back(recording, missed):
        values = {"leaves": _names(leaves)}
        if cuts:
            yield _about_cuts(recording, "unreached", cuts, values, _severity(recording, cuts, leaves))
        else:
            yield Notice(key="unreached", values=values, span=leaves[0].span, severity="warning")


def _missed(recording: Recording) -> list[Leaf]:
    """The leaves that should have a gradient after all passes, and have none."""
    reached = {change[0] for event in recording.events if (change := grad_change(event)) is not None}
    reached |= facts.sent_to(recording)
    trained = _is_trained(recording)
    built = facts.built_at(recording)
    last = max(found.first for found in recording.backward_passes)
    return [
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


def _is_trained(recording: Recording) -> bool:
    """Whether an optimizer tells what is to be trained."""
    return any(leaf.is_optimized for leaf in recording.leaves)


def _held_back(recording: Recording, missed: Iterable[Leaf]) -> list[tuple[list[Cut], list[Leaf]]]:
    """The cuts in front of some leaves, and the leaves behind them; together those that the same kinds hold back."""
    held: dict[tuple[str, ...], tuple[dict[str, Cut], list[Leaf]]] = {}
    cuts = [(cut, recording.behind(cut.sources)) for cut in _cuts_in_use(recording)] if missed else []
    for leaf in missed:
        around = [cut for cut, behind in cuts if leaf.id in behind or leaf.node_id in behind]
        found, leaves = held.setdefault(tuple(dict.fromkeys(_cutter(recording, cut) for cut in around)), ({}, []))
        found |= {cut.id: cut for cut in around}
        leaves.append(leaf)
    return [(list(found.values()), leaves) for found, leaves in held.values()]


def _severity(recording: Recording, cuts: list[Cut], leaves: list[Leaf]) -> Severity:
    """A whole network that is cut off, while no optimizer tells what is to be trained, may be a teacher or a target."""
    may_be_meant = all(leaf.span is None for leaf in leaves) and not any(map(_is_choice, cuts))
    return "hint" if may_be_meant and not _is_trained(recording) else "warning"


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
    return [cut for cut in recording.cuts if any(recording.runs_of(node_id) for node_id, _ in cut.consumers)]


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


def constants(recording: Recording) -> Iterator[Notice]:
    """Cuts whose result counts as a constant, where no leaf has been reported for it."""
    reported = {span for notice in unreached_leaves(recording) for span in (notice.span, *notice.others)}
    marked = facts.taken_over(recording)
    found: dict[str, list[Cut]] = {}
    for cut in _cuts_in_use(recording):
        if not (cut.span in reported or cut.id in marked or _is_choice(cut) or _is_meant(recording, cut)):
            found.setdefault(_cutter(recording, cut), []).append(cut)
    for cuts in found.values():
        yield _about_cuts(recording, "constant", cuts, {}, "hint")


def roots_without_history(recording: Recording) -> Iterator[Notice]:
    """Passes that start where a cut has left nothing to go back through."""
    for started in (found.started for found in recording.backward_passes):
        if recording.cuts and not recording.truncated and any(root.node_id is None for root in started.roots):
            yield _about_cuts(recording, "root", [recording.cuts[-1]], {}, "warning")
            return

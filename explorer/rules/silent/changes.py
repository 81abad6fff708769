"""Changes that torch does not notice, or that reach more than they seem to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from explorer.model import Modified, Node, Recording, Remark, SavedTensor, Span
from explorer.rules.notice import Notice
from explorer.rules.silent.facts import built_at, of_kind
from explorer.rules.silent.wording import is_read_after
from explorer.rules.story import expression


def unnoticed_changes(recording: Recording) -> Iterator[Notice]:
    """Changes through `.data` of a tensor that a node had saved and then used: the gradient is silently wrong."""
    built, keepers = built_at(recording), _keepers(recording)
    said: set[Span | None] = set()
    for remark in of_kind(recording, "unnoticed"):
        # What was changed is what a node kept, or lies in its memory: a layer's weight, kept transposed.
        kept_there = chain(keepers.get(remark.source_id, ()), keepers.get(remark.storage, ()))
        users = (
            node
            for node, kept in kept_there
            if built.get(node.id, remark.step) < remark.step and _is_spoiled(recording, remark, node, kept)
        )
        user = next(users, None)
        if user is not None and remark.source_id is not None and remark.span not in said:
            said.add(remark.span)
            values = {
                "tensor": remark.name or _leaf_name(recording, remark.source_id) or "…",
                "node": user.name,
                "code": expression(recording, remark.span) or "…",
            }
            yield Notice(key="unnoticed_change", values={**values}, span=remark.span, severity="warning")


def _keepers(recording: Recording) -> dict[str | int | None, list[tuple[Node, SavedTensor]]]:
    """The nodes that kept a tensor, and what they kept, by the leaf or node that it is of and by its memory."""
    found: dict[str | int | None, list[tuple[Node, SavedTensor]]] = {}
    for node in recording.nodes:
        for kept in node.saved:
            for key in (kept.leaf_id, kept.node_id, kept.storage) if kept.value else ():
                if key is not None:
                    found.setdefault(key, []).append((node, kept))
    return found


def _is_spoiled(recording: Recording, remark: Remark, node: Node, kept: SavedTensor) -> bool:
    """Whether a node ran after a change with other numbers than it had kept; `gradcheck` puts them back before."""
    ran = next((step for step, _ in recording.runs_of(node.id) if step >= remark.step), None)
    if ran is None:
        return False
    after = None
    for event in recording.events[max(remark.step - 1, 0) : ran - 1]:
        if isinstance(event, Modified) and event.leaf_id == remark.source_id and not event.of_grad:
            after = event.after
    return after is None or after != kept.value


def _leaf_name(recording: Recording, leaf_id: str) -> str | None:
    """The name that a leaf got later."""
    return next((leaf.name for leaf in recording.leaves if leaf.id == leaf_id), None)


def second_names(recording: Recording) -> Iterator[Notice]:
    """Variables that are a leaf's `.grad` itself, changed along with it, and read afterwards."""
    said: set[str] = set()
    for remark in of_kind(recording, "alias"):
        name, leaf_id = remark.name or "", remark.source_id
        own = (expression(recording, remark.span) or "").startswith(name.partition("[")[0])
        if leaf_id is None or remark.span is None or name in said or own:
            continue
        if is_read_after(recording.source, name.partition("[")[0], remark.span.end_line):
            said.add(name)
            values = {
                "name": name,
                "leaf": recording.leaf(leaf_id).name,
                "code": expression(recording, remark.span) or "",
            }
            yield Notice(key="grad_alias", values={**values}, span=remark.span, severity="warning")

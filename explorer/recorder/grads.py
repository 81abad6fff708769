"""Notes what becomes of the `.grad` of leaves: added to, replaced, written into, cleared."""

from __future__ import annotations

import torch
from msgspec import structs

from explorer.model import Accumulated, BackwardStarted, GradCleared, Modified, Span, TensorValue
from explorer.recorder.builder import Builder
from explorer.recorder.leaves import LeafDraft

CLEARING = {"zero_", "_foreach_zero_"}


def note_added(
    builder: Builder, started: BackwardStarted, leaf: LeafDraft, before: TensorValue | None, incoming: TensorValue
) -> bool:
    """Notes that a pass has added to a leaf's `.grad`; returns whether there is one then.

    Args:
        builder: Gathers events.
        started: The pass.
        leaf: Whose it is.
        before: What it was before.
        incoming: What was added.
    """
    grad = leaf.current_grad()
    after = builder.leaves.see_grad(leaf, grad)
    if grad is None or after is None:
        return False
    builder.emit(
        Accumulated(
            span=started.span,
            backward_pass=started.backward_pass,
            leaf_id=leaf.id,
            before=before,
            incoming=incoming,
            after=after,
        )
    )
    for other in builder.leaves.sharing_grad(leaf, grad):
        note_replaced(builder, other, "add_", started.span)
    return True


def note_replaced(builder: Builder, leaf: LeafDraft, name: str, span: Span | None) -> None:
    """Notes that a leaf's `.grad` is another than when it was last seen, or is there no more.

    Args:
        builder: Gathers events.
        leaf: Whose it is.
        name: What did it, by torch's name.
        span: Where in the program.
    """
    before, grad = leaf.grad, leaf.current_grad()
    after = builder.leaves.see_grad(leaf, grad)
    if grad is None or after is None:
        builder.emit(GradCleared(span=span, leaf_id=leaf.id, before=before, to="none"))
        return
    builder.emit(_modified(leaf, name, span, before, after, grad._version))


def note_written(
    builder: Builder, leaf: LeafDraft, name: str, tensor: torch.Tensor, node_ids: tuple[str, ...], span: Span | None
) -> None:
    """Notes that a leaf's `.grad` was changed in place, by itself or by another tensor in its memory.

    Args:
        builder: Gathers events.
        leaf: Whose it is.
        name: What changed it, by torch's name.
        tensor: What was changed: the `.grad`, or the other tensor.
        node_ids: The nodes that this made.
        span: Where in the program.
    """
    before, grad = leaf.grad, leaf.current_grad()
    after = builder.leaves.see_grad(leaf, grad)
    if grad is None or after is None:
        return
    if name in CLEARING and tensor.numel() == grad.numel():
        builder.emit(GradCleared(span=span, leaf_id=leaf.id, before=before, to="zeros"))
        return
    if node_ids:
        builder.graph.describe(node_ids[-1], leaf.name and f"{leaf.name}.grad", after)
    builder.emit(
        structs.replace(
            _modified(leaf, name, span, before, after, grad._version),
            counted_with=builder.storages.counted_with(tensor),
            storage=builder.storages.known_number(tensor),
            node_ids=node_ids,
        )
    )


def _modified(
    leaf: LeafDraft, name: str, span: Span | None, before: TensorValue | None, after: TensorValue, version: int
) -> Modified:
    return Modified(
        span=span,
        name=name,
        variable=leaf.name,
        leaf_id=leaf.id,
        of_grad=True,
        before=before,
        after=after,
        version=version,
    )

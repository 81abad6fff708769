"""Facts about a run that torch itself passes over in silence."""

from __future__ import annotations

from typing import Literal

from explorer.model.graph import Span
from explorer.model.values import Count, Frozen, Size


class Remark(Frozen, frozen=True, kw_only=True):
    """Something that happened without moving a version counter, entering a graph or raising an error.

    Args:
        kind: "unnoticed": a tensor was changed through `.data`. "alias": a variable that is the very same tensor as a
            leaf's `.grad` changed along with it. "skipped": an optimizer took its step while a `.grad` was None.
            "unused": its last step came before anything had been computed from a tensor that it holds. "idle": it holds
            a leaf and never took a step. "stretched": an operation on two tensors broadcast them to a shape that
            neither of them has.
        step: How many events had happened by then.
        name: What the program calls the tensor, where it has a name.
        source_id: The leaf that it is or belongs to, or the node whose result it is.
        storage: The memory that was changed, by the number that saved tensors give it.
        shapes: Of the tensors that were stretched.
        span: The sub-expression that was being evaluated.
    """

    kind: Literal["unnoticed", "alias", "skipped", "unused", "idle", "stretched"]
    step: Count
    name: str | None = None
    source_id: str | None = None
    storage: Count | None = None
    shapes: tuple[tuple[Size, ...], ...] = ()
    span: Span | None = None

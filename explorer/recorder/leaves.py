"""The tensors that the program made itself."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from explorer.model import Leaf, Span, TensorValue
from explorer.recorder.snapshots import Snapshots
from explorer.recorder.storages import Storages, storage_of
from explorer.recorder.values import grad_of, is_leaf


@dataclass(slots=True)
class LeafDraft:
    """A leaf whose name may not be known yet."""

    id: str
    tensor: weakref.ref[torch.Tensor]
    value: TensorValue
    span: Span | None
    requires_grad: bool
    name: str | None = None
    first_name: str | None = None
    """What it was called where it was marked; the program may put another tensor there before it is looked for."""
    borrowed_name: str | None = None
    """What the tensor is called that `torch.func` made it of."""
    node_id: str | None = None
    is_optimized: bool = False
    grad: TensorValue | None = None
    """Its `.grad` as last seen."""

    def wants_grad(self) -> bool:
        """Whether it requires a gradient; what was written into it in place may have made a result of it since."""
        tensor = self.tensor()
        return self.requires_grad if tensor is None or not is_leaf(tensor) else tensor.requires_grad

    def current_grad(self) -> torch.Tensor | None:
        """Its `.grad` as it is now."""
        tensor = self.tensor()
        return None if tensor is None else grad_of(tensor)


class Leaves:
    """Every leaf met so far; holds none of them alive.

    Args:
        snapshots: Takes their values.
        storages: Knows their memory.
    """

    def __init__(self, snapshots: Snapshots, storages: Storages) -> None:
        self._snapshots = snapshots
        self._storages = storages
        self._drafts: list[LeafDraft] = []
        self._by_tensor: dict[int, LeafDraft] = {}
        self._by_grad: dict[int, dict[str, LeafDraft]] = {}
        """By the memory of their `.grad`."""
        self.borrowing: list[LeafDraft] = []
        """Those that `torch.func` has made for the time of a call and that have just been used for the first time."""

    def __iter__(self) -> Iterator[LeafDraft]:
        return iter(self._drafts)

    def leaf(self, tensor: torch.Tensor, *, name: str | None = None, span: Span | None = None) -> LeafDraft:
        """The leaf that a tensor is, taken in if it is new."""
        known = self.known(tensor)
        if known is None:
            known = LeafDraft(
                id=f"l{len(self._drafts)}",
                tensor=weakref.ref(tensor),
                value=self._snapshots.take(tensor),
                span=span,
                requires_grad=tensor.requires_grad,
            )
            self._drafts.append(known)
            self._by_tensor[id(tensor)] = known
            self._storages.know(known.id, tensor)
            self.see_grad(known, grad_of(tensor))
        known.name = known.name or name
        return known

    def known(self, tensor: torch.Tensor) -> LeafDraft | None:
        """The leaf that a tensor is, if it was met before."""
        leaf = self._by_tensor.get(id(tensor))
        return leaf if leaf is not None and leaf.tensor() is tensor else None

    def see_grad(self, leaf: LeafDraft, grad: torch.Tensor | None) -> TensorValue | None:
        """Notes what a leaf's `.grad` is now, and returns its value."""
        leaf.grad = None if grad is None else self._snapshots.take(grad)
        if grad is not None:
            self._by_grad.setdefault(memory_of(grad), {})[leaf.id] = leaf
        return leaf.grad

    def sharing_grad(self, leaf: LeafDraft, grad: torch.Tensor) -> list[LeafDraft]:
        """The other leaves whose `.grad` is the very tensor that is this one's: `b.grad = a.grad`."""
        known = self._by_grad.get(memory_of(grad), {})
        return [one for one in known.values() if one is not leaf and one.current_grad() is grad]

    def with_grad_in(self, tensor: torch.Tensor) -> list[LeafDraft]:
        """The leaves whose `.grad` is this tensor, or shares its memory: a view of it, or its `.data`."""
        memory = memory_of(tensor)
        known = self._by_grad.get(memory, {}).values()
        return [leaf for leaf in known if (grad := leaf.current_grad()) is not None and memory_of(grad) == memory]

    def finished(self) -> tuple[Leaf, ...]:
        """All of them, each with a name of its own; what only had a name once makes way for what has it now."""
        taken: dict[str, int] = {}
        names = {leaf.id: _unused(leaf.name, taken) for leaf in self._drafts if leaf.name}
        others = [leaf for leaf in self._drafts if not leaf.name]
        names |= {leaf.id: _unused(leaf.first_name or leaf.borrowed_name or leaf.id, taken) for leaf in others}
        return tuple(
            Leaf(
                id=leaf.id,
                name=names[leaf.id],
                value=leaf.value,
                requires_grad=leaf.wants_grad(),
                node_id=leaf.node_id,
                span=leaf.span,
                is_optimized=leaf.is_optimized,
                is_named=bool(leaf.name or leaf.first_name),
            )
            for leaf in self._drafts
        )


def memory_of(tensor: torch.Tensor) -> int:
    """Where a tensor's elements lie, or the tensor itself where torch does not say."""
    storage = storage_of(tensor)
    return id(tensor) if storage is None else storage._cdata


def _unused(name: str, taken: dict[str, int]) -> str:
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name} #{taken[name]}"

"""The places where a history ends."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import msgspec
import torch

from explorer.model import Cut


@dataclass(slots=True)
class CutDraft:
    """A cut whose consumers may still come."""

    cut: Cut
    consumers: dict[tuple[str, int | None], None] = field(default_factory=dict)


class Cuts:
    """Every cut so far, and which tensors come from it; holds none of them alive."""

    def __init__(self) -> None:
        self._drafts: dict[str, CutDraft] = {}
        self._behind: dict[int, tuple[weakref.ref[torch.Tensor], tuple[str, ...]]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is none."""
        return not self._drafts

    def next_id(self) -> str:
        """The id of the cut that is added next."""
        return f"c{len(self._drafts)}"

    def add(self, cut: Cut) -> None:
        """Notes a cut."""
        self._drafts[cut.id] = CutDraft(cut)

    def behind(self, tensor: torch.Tensor) -> tuple[str, ...]:
        """The cuts that a tensor without a history comes from."""
        known = self._behind.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else ()

    def pass_on(self, tensor: torch.Tensor, cut_ids: tuple[str, ...]) -> None:
        """Notes that a tensor comes from these cuts."""
        self._behind[id(tensor)] = weakref.ref(tensor), cut_ids

    def consume(self, cut_id: str, node_id: str, slot: int | None) -> None:
        """Notes that a node would have sent a gradient to a cut."""
        self._drafts[cut_id].consumers[node_id, slot] = None

    def finished(self) -> tuple[Cut, ...]:
        """All of them."""
        return tuple(
            msgspec.structs.replace(draft.cut, consumers=tuple(draft.consumers)) for draft in self._drafts.values()
        )

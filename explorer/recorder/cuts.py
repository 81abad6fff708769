"""The places where a history ends."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import torch

from explorer.model import Cut
from explorer.recorder.values import grad_fn_of


@dataclass(slots=True, eq=False)
class CutDraft:
    """A cut whose consumers may still come; without an id until something in the recording tells of it."""

    cut: Cut
    id: str | None = None
    consumers: dict[tuple[str, int | None], None] = field(default_factory=dict)


class Cuts:
    """Every cut so far, and which tensors come from it; holds none of them alive.

    Those that the program makes itself are part of the recording at once. What a module computes without gradients may
    be of no account, as where a model is only evaluated: such a cut is part of it once a node would have sent a
    gradient there, or a pass starts behind it.
    """

    def __init__(self) -> None:
        self._noted: list[CutDraft] = []
        self.known: dict[int, tuple[weakref.ref[torch.Tensor], tuple[CutDraft, ...]]] = {}
        """By the address of a tensor that comes from cuts."""

    def note(self, draft: CutDraft) -> str:
        """Makes a cut part of the recording, if it is not yet, and returns its id."""
        if draft.id is None:
            draft.id = f"c{len(self._noted)}"
            self._noted.append(draft)
        return draft.id

    def behind(self, tensor: torch.Tensor) -> tuple[CutDraft, ...]:
        """The cuts that a tensor without a history comes from."""
        known = self.known.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else ()

    def pass_on(self, tensor: torch.Tensor, drafts: Iterable[CutDraft]) -> None:
        """Notes that a tensor comes from these cuts."""
        self.known[id(tensor)] = weakref.ref(tensor), tuple(drafts)

    def consume(self, node_id: str, result: torch.Tensor, taken: Sequence[torch.Tensor]) -> None:
        """Notes which arguments of a new node come from cuts, and the slot that leads nowhere because of each.

        Args:
            node_id: The node.
            result: What it made.
            taken: Its arguments.
        """
        grad_fn = grad_fn_of(result)
        slots = () if grad_fn is None else grad_fn.next_functions
        for position, tensor in enumerate(taken):
            matched = len(slots) == len(taken) and slots[position][0] is None
            for draft in self.behind(tensor):
                self.note(draft)
                draft.consumers[node_id, position if matched else None] = None

    def finished(self) -> tuple[Cut, ...]:
        """All that are part of the recording."""
        return tuple(
            msgspec.structs.replace(draft.cut, id=draft.id, consumers=tuple(draft.consumers)) for draft in self._noted
        )

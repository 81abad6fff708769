"""What the engine is in the middle of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch.utils.hooks import RemovableHandle

from explorer.model import BackwardStarted, TensorValue
from explorer.recorder.ends import Ends
from explorer.recorder.graph import GradFn
from explorer.recorder.leaves import LeafDraft
from explorer.recorder.limits import Budget
from explorer.recorder.snapshots import Snapshots
from explorer.recorder.storages import version
from explorer.recorder.values import dense

Grads = tuple[torch.Tensor | None, ...]


class Added(NamedTuple):
    """A `.grad` that has just been added to, as it was before hooks of the program that may change it.

    Args:
        grad: The tensor itself.
        copy: Its elements then: a hook that writes through `.data` moves no version counter.
        value: The same for the recording.
        leaf: Whose it is.
        version: Of the leaf itself then: an optimizer may take its step in a hook.
    """

    grad: torch.Tensor
    copy: torch.Tensor
    value: TensorValue
    leaf: LeafDraft
    version: int

    def is_still(self, grad: torch.Tensor | None) -> bool:
        """Whether the leaf's `.grad` is this one, unchanged but for what has been noted of a pass inside of a hook."""
        if grad is not self.grad:
            return False
        if self.leaf.grad is not self.value:
            return True
        return torch.allclose(dense(grad), dense(self.copy), rtol=0, atol=0, equal_nan=True)


@dataclass(slots=True)
class RunningPass:
    """A pass that has begun and not ended. Passes nest: a node's backward may start one of its own."""

    started: BackwardStarted
    roots: list[GradFn | None]
    """Where it starts; held, since the `AccumulateGrad` of a leaf that nothing was computed from goes at once."""
    ends: Ends
    has_engine: bool
    """Whether the engine has begun, which may have been asked for more than the program's call tells."""
    node_id: str | None = None
    """The node that the engine is running."""
    starts: list[RemovableHandle] = field(default_factory=list)
    """The hooks that tell which that is, and what it computes where the program has put hooks of its own meanwhile."""
    computed: tuple[TensorValue | None, ...] | None = None
    """What that has computed, if hooks of the program's are called after it."""
    added: Added | None = None
    """Of the leaf whose `AccumulateGrad` that is, if the program has hooks there."""


class Engine:
    """The passes that the engine is in, and the gradients that it carries.

    Args:
        budget: What may still be kept.
        snapshots: Takes the gradients' values.
    """

    def __init__(self, budget: Budget, snapshots: Snapshots) -> None:
        self._budget = budget
        self._snapshots = snapshots
        self.running: list[RunningPass] = []
        """Innermost last."""
        self.program_runs_between = False
        """Whether code of the program's may run between two nodes, and change numbers where no counter tells."""

    @property
    def is_watched(self) -> bool:
        """Whether it is in a pass, and what it does there is still kept."""
        return bool(self.running) and not self._budget.is_spent

    def begin_moment(self) -> None:
        """It goes on to another node: what was copied before may have been changed since."""
        if self.program_runs_between:
            self._snapshots.forget()

    def values(self, grads: Grads) -> tuple[TensorValue | None, ...]:
        """What gradients hold now."""
        return tuple(map(self._snapshots.take_passing, grads))


def added_to(leaf: LeafDraft) -> Added | None:
    """A leaf's `.grad` as it is now; None if there is none."""
    tensor, grad, value = leaf.tensor(), leaf.current_grad(), leaf.grad
    if tensor is None or grad is None or value is None:
        return None
    return Added(grad, grad.detach().clone(), value, leaf, version(tensor))

"""Names that are given for the time being: what torch was called for may go on computing."""

from __future__ import annotations

import weakref
from types import FrameType
from typing import NamedTuple

import torch
from msgspec.structs import force_setattr

from explorer.model import Modified, Operation, Span
from explorer.recorder.graph import Graph
from explorer.recorder.names import variables_of
from explorer.recorder.places import Place


class Claim(NamedTuple):
    """A name that a result has only if the code of torch that the program called ends with it: `out = net(x)`.

    Args:
        frame_id, span: The expression whose value gets the name.
        folds: Whether the call goes on only where it takes the result, as `sum(…)` does.
        tensor: The result, or the first.
        node_ids: The nodes that have made what gets a name.
        event: What was noted of it.
    """

    frame_id: int
    span: Span | None
    folds: bool
    tensor: weakref.ref[torch.Tensor]
    node_ids: list[str]
    event: Operation | Modified


class Claims:
    """Gives names for the time being, and takes them away again where the value they stand for came later.

    Args:
        graph: Has the nodes that were named.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.pending: list[Claim] = []
        """Those of the frames that are running, innermost last."""

    def claim(self, event: Operation | Modified, tensor: torch.Tensor, node_ids: list[str], place: Place) -> None:
        """Notes that an event's variable stands for a tensor until the program's expression goes on."""
        if (place.folds or not place.direct) and event.variable is not None:
            self.pending.append(Claim(id(place.frame), place.span, place.folds, weakref.ref(tensor), node_ids, event))

    def settle(self, place: Place, taken: list[torch.Tensor]) -> None:
        """Takes the last name away again if the same call of the program's goes on, or has returned something else."""
        if place.frame is None or (claim := self._claim_in(place.frame)) is None:
            return
        tensor, goes_on = claim.tensor(), place.span == claim.span
        if goes_on and claim.folds and not any(one is tensor for one in taken):
            return
        variables = variables_of(place.frame)
        if goes_on:
            is_named = tensor is not None and any(value is tensor for value in variables.values())
        else:
            is_named = variables.get(claim.event.variable or "", tensor) is tensor
        if not is_named:
            # An event is frozen for everybody who reads a recording; there is none yet.
            force_setattr(claim.event, "variable", None)
            for node_id in claim.node_ids:
                self._graph.describe(node_id, None)

    def _claim_in(self, frame: FrameType) -> Claim | None:
        """The claim that was made in a frame, if any; those of functions that have returned are dropped."""
        claims = self.pending
        if claims and claims[-1].frame_id != id(frame):
            running, outer = {id(frame)}, frame.f_back
            while outer is not None:
                running.add(id(outer))
                outer = outer.f_back
            while claims and claims[-1].frame_id not in running:
                claims.pop()
        return claims.pop() if claims and claims[-1].frame_id == id(frame) else None

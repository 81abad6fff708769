"""Where a backward pass begins and ends, as the recording tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import torch

from explorer.model import BackwardStarted, Root, Stats, TensorValue
from explorer.recorder.builder import Builder
from explorer.recorder.graph import GradFn, is_accumulate
from explorer.recorder.leaves import LeafDraft
from explorer.recorder.names import name_in
from explorer.recorder.places import Place
from explorer.recorder.requests import End, Request, edge_of
from explorer.recorder.values import dtype_name


class Ends:
    """Describes the tensors and edges of one pass.

    Args:
        builder: Knows leaves and nodes.
        place: Where in the program the pass was asked for.
    """

    def __init__(self, builder: Builder, place: Place) -> None:
        self._builder = builder
        self._place = place

    def started(self, request: Request, backward_pass: int) -> BackwardStarted:
        """What a pass was asked to do."""
        seeds = request.seeds[: len(request.roots)]
        return BackwardStarted(
            span=self._place.span,
            backward_pass=backward_pass,
            by=request.by,
            roots=tuple([self._root(root, seed) for root, seed in zip_longest(request.roots, seeds)]),
            retain_graph=request.retain_graph,
            create_graph=request.create_graph,
            inputs=self.names(request.inputs),
        )

    def names(self, inputs: Sequence[End]) -> tuple[str, ...]:
        """What the program calls the tensors that a pass was limited to."""
        return tuple([self._name(end) or (leaf.id if (leaf := self._leaf(end)) else "?") for end in inputs])

    def _root(self, root: End, seed: Any) -> Root:
        node, input_nr = edge_of(root)
        self._builder.graph.discover(node, self._place.span)
        for cut in self._builder.cuts.behind(root) if isinstance(root, torch.Tensor) else ():
            self._builder.cuts.note(cut)
        return Root(
            node_id=self._builder.graph.node_id(node),
            input_nr=input_nr,
            variable=self._name(root),
            value=self._value(root),
            seed_grad=self._builder.value(seed) if isinstance(seed, torch.Tensor) else None,
        )

    def _value(self, end: End) -> TensorValue:
        """What a tensor holds; for an edge, the tensor whose gradient arrives there, as far as it is known."""
        if isinstance(end, torch.Tensor):
            return self._builder.value(end)
        if (leaf := self._leaf(end)) is not None:
            return leaf.value if (tensor := leaf.tensor()) is None else self._builder.value(tensor)
        node_id = self._builder.graph.node_id(end.node)
        node = self._builder.graph.nodes[node_id] if node_id else None
        known = node.value if node is not None and node.value_nr == end.output_nr else None
        return known or shape_only(end.node._input_metadata[end.output_nr])

    def _name(self, end: End) -> str | None:
        if (leaf := self._leaf(end)) is not None:
            if leaf.name is None and isinstance(end, torch.Tensor):
                leaf.name = name_in(self._place.frame, end)
            return leaf.name
        if isinstance(end, torch.Tensor) and (name := name_in(self._place.frame, end)) is not None:
            return name  # what it is called here, and not where it was made
        node, output_nr = edge_of(end)
        node_id = self._builder.graph.node_id(node)
        return self._builder.graph.nodes[node_id].variable_of(output_nr) if node_id else None

    def _leaf(self, end: End) -> LeafDraft | None:
        if isinstance(end, torch.Tensor):
            return self._builder.leaves.known(end)
        node: GradFn = end.node
        return self._builder.leaves.leaf(node.variable) if is_accumulate(node) else None


def shape_only(metadata: Any) -> TensorValue:
    """What torch says of a tensor of which nobody has seen the elements."""
    shape = tuple(metadata.shape)
    empty = math.prod(shape) == 0
    return TensorValue(
        shape=shape,
        dtype=dtype_name(metadata.dtype),
        values=(),
        indices=None if empty else (),
        summary=None if empty else Stats(),
    )

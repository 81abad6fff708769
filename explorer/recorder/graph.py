"""The graph of backward nodes as the recorder finds it; keeps no node of torch alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from msgspec.structs import force_setattr

from explorer.model import Edge, Node, SavedTensor, Span, TensorValue
from explorer.recorder.leaves import Leaves
from explorer.recorder.limits import Budget
from explorer.recorder.saved import Kept, has_unpack_hooks, holds_tensors, plain, saved_by, signed, unpacks_by_program
from explorer.recorder.snapshots import Snapshots
from explorer.recorder.storages import Storages, storage_of
from explorer.recorder.values import grad_fn_of

GradFn = Any
"""A `torch.autograd.graph.Node`, whose type stub takes the attribute `metadata` for a method."""

NextFunctions = tuple[tuple[GradFn | None, int], ...]
Hooks = tuple[Callable[..., None], Callable[..., None]]


class Graph:
    """Finds nodes, puts hooks on them and knows them again.

    torch gives a node a new Python object whenever nobody holds the last one, so the id is noted in the node's own
    `metadata`, which lives as long as the node. To hold the nodes themselves would hold what they saved. An
    `AccumulateGrad` goes with the graph that needs it, and the leaf gets another one: it is known by its leaf.

    Args:
        budget: What it may still keep.
        snapshots: Takes the values of saved tensors.
        leaves: Knows the leaves.
        storages: Numbers the memory of saved tensors.
        hooks: Given a node, its part of the recording and whether the engine frees something when it has run it: what
            to call before and after it runs.
    """

    def __init__(
        self,
        budget: Budget,
        snapshots: Snapshots,
        leaves: Leaves,
        storages: Storages,
        hooks: Callable[[GradFn, Node, bool], Hooks],
    ) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self._budget = budget
        self._snapshots = snapshots
        self._leaves = leaves
        self._storages = storages
        self._hooks = hooks
        self._first_sequence_nr: int = torch._C._autograd._get_sequence_nr()
        self._key = object()
        self._notes: list[dict[Any, Any]] = []
        self._handles: list[Any] = []

    def discover(
        self, grad_fn: GradFn | None, *, span: Span | None, order: int = 1, made_by: str | None = None
    ) -> tuple[str, ...]:
        """Takes in every node behind `grad_fn` that is new, and returns their ids in order of creation."""
        if grad_fn is None or self._key in grad_fn.metadata:
            return ()
        new = self._unknown(grad_fn)
        if not self._budget.pay_nodes(len(new), sum([len(edges) for _, edges in new])):
            return ()
        ids = [self._add_node(node, span, order, made_by) for node, _ in new]
        for node, edges in new:
            self._add_edges(node.metadata[self._key], edges)
        return tuple([node_id for node_id in ids if node_id is not None])

    def describe(self, node_id: str, *, variable: str | None, value: TensorValue | None = None) -> None:
        """Notes what is known of a node's result later than of the node itself."""
        # A node is frozen for everybody who reads a recording; there is none yet.
        node = self.nodes[node_id]
        force_setattr(node, "variable", variable)
        if value is not None:
            force_setattr(node, "value", value)

    def node_id(self, grad_fn: GradFn | None) -> str | None:
        """The id of a node that is known."""
        return None if grad_fn is None else grad_fn.metadata.get(self._key)

    def name(self, grad_fn: GradFn | None, variable: str) -> None:
        """Gives a node's result its variable, if it has none."""
        node_id = self.node_id(grad_fn)
        if node_id is not None and self.nodes[node_id].variable is None:
            self.describe(node_id, variable=variable)

    def is_older(self, sequence_nr: int) -> bool:
        """Whether a node was there before the session: hooks may be on it that nobody has told of."""
        return sequence_nr < self._first_sequence_nr

    def run_last(self) -> bool:
        """Moves the hooks behind those of the program, which may change what they look at; whether there are any."""
        alive, others = [], False
        for handle in self._handles:
            hooks = handle.hooks_dict_ref()
            if hooks is not None:
                alive.append(handle)
                if len(hooks) > 1:
                    others = True
                    # Not `move_to_end`: torch goes by the order of the plain dict that an ordered one is too.
                    hooks[handle.id] = hooks.pop(handle.id)
        self._handles = alive
        return others

    def unhook(self) -> None:
        """Leaves torch as it was found."""
        for handle in self._handles:
            if handle.hooks_dict_ref() is not None:  # else the node has gone, and its hooks with it
                handle.remove()
        for note in self._notes:
            note.pop(self._key, None)
        self._handles.clear()
        self._notes.clear()

    def _unknown(self, grad_fn: GradFn) -> list[tuple[GradFn, NextFunctions]]:
        """The new nodes behind a new one, itself included, in order of creation, and where each leads."""
        key, found = self._key, {grad_fn: grad_fn.next_functions}
        pending = [following for following, _ in found[grad_fn]]
        while pending:
            node = pending.pop()
            if node is not None and key not in node.metadata and node not in found:
                found[node] = edges = node.next_functions
                pending += [following for following, _ in edges]
        if len(found) == 1:
            return list(found.items())
        # A leaf's node is there before the operation that uses it; torch numbers all others in order.
        return sorted(found.items(), key=lambda item: -1 if is_accumulate(item[0]) else sequence_nr(item[0]))

    def _add_node(self, grad_fn: GradFn, span: Span | None, order: int, made_by: str | None) -> str | None:
        """Takes in a node and returns its id; None if it is a further `AccumulateGrad` of a leaf that has one."""
        node_id, is_leafs = f"n{len(self.nodes)}", is_accumulate(grad_fn)
        if is_leafs:
            node_id = self._of_leaf(grad_fn, node_id)
        note = grad_fn.metadata
        note[self._key] = node_id
        self._notes.append(note)
        kept, frees = self._kept(grad_fn)
        is_new = node_id not in self.nodes
        if is_new:
            self.nodes[node_id] = Node(
                id=node_id,
                name=type(grad_fn).__name__,
                kind="accumulate" if is_leafs else kind_of(grad_fn),
                span=None if is_leafs else span,
                saved=tuple([self._saved(name, part) for name, part in kept]),
                sequence_nr=sequence_nr(grad_fn),
                order=1 if is_leafs else order,
                made_by=None if is_leafs else made_by,
            )
        before, after = self._hooks(grad_fn, self.nodes[node_id], frees)
        self._handles += (grad_fn.register_prehook(before), grad_fn.register_hook(after))
        return node_id if is_new else None

    def _of_leaf(self, grad_fn: GradFn, new_id: str) -> str:
        """The id that a leaf's `AccumulateGrad` has or gets."""
        leaf = self._leaves.leaf(grad_fn.variable)
        leaf.node_id = leaf.node_id or new_id
        return leaf.node_id

    def _kept(self, grad_fn: GradFn) -> tuple[list[Kept], bool]:
        """What a node saved, as far as it can be read, and whether the engine frees some of it."""
        if has_unpack_hooks() or (self.is_older(sequence_nr(grad_fn)) and unpacks_by_program(grad_fn)):
            return [], holds_tensors(grad_fn)
        kept = saved_by(grad_fn)
        return kept, any(isinstance(part, (torch.Tensor, RuntimeError)) for _, part in kept)

    def _add_edges(self, source: str, next_functions: NextFunctions) -> None:
        edges = self.edges
        for slot, (following, input_nr) in enumerate(next_functions):
            if following is not None:
                target = following.metadata[self._key]
                edges.append(Edge(id=f"e{len(edges)}", source=source, slot=slot, target=target, input_nr=input_nr))

    def _saved(self, name: str, kept: Any) -> SavedTensor:
        if not isinstance(kept, torch.Tensor):
            return SavedTensor(name=name, text=str(signed(kept)), plain=plain(signed(kept)))
        leaf, node_id, storage = self._leaves.known(kept), self.node_id(grad_fn_of(kept)), storage_of(kept)
        return SavedTensor(
            name=name,
            value=self._snapshots.take(kept),
            leaf_id=leaf.id if leaf else None,
            node_id=node_id,
            version=kept._version,
            storage=None if storage is None else self._storages.number(storage, leaf.id if leaf else node_id),
            storage_bytes=0 if storage is None else storage.nbytes(),
        )


def is_accumulate(grad_fn: GradFn) -> bool:
    """Whether a node fills a leaf's `.grad`."""
    return type(grad_fn).__name__ == "AccumulateGrad"


def kind_of(grad_fn: GradFn) -> Literal["operation", "custom"]:
    """Whether torch or the program computes a node's backward."""
    return "custom" if isinstance(grad_fn, torch.autograd.function.BackwardCFunction) else "operation"


def sequence_nr(grad_fn: GradFn) -> int:
    """torch's number of a node; 0 where it gives none."""
    number = getattr(grad_fn, "_sequence_nr", None)
    return int(number()) if number is not None else 0

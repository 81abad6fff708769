"""The one mutable thing: a recording while it grows."""

from __future__ import annotations

import platform
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import torch
from torch.autograd.graph import Node as GradFn

from explorer.model import Cut, Edge, Event, Leaf, Node, Raised, Recording, SavedTensor, Span, TensorValue
from explorer.model.recording import SCHEMA
from explorer.recorder.derivatives import torch_rules_of
from explorer.recorder.saved import has_unpack_hooks, plain, saved_by
from explorer.recorder.storages import Storages, storage_of
from explorer.recorder.values import tensor_value


class RecordingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where a recorder stops looking; the program goes on.

    Args:
        events, nodes: How many of each are kept at most.
        values: How many elements of a tensor are kept; of larger ones a sample.
        jacobians: How many local Jacobians are asked for; 0 for none.
    """

    events: int = 5_000
    nodes: int = 2_000
    values: int = 1_024
    jacobians: int = 256


@dataclass
class LeafDraft:
    """A leaf whose name may not be known yet."""

    id: str
    tensor: weakref.ref[torch.Tensor]
    value: TensorValue
    span: Span | None
    requires_grad: bool
    name: str | None = None
    node_id: str | None = None
    grad: TensorValue | None = None
    """Its `.grad` as last seen."""


@dataclass
class CutDraft:
    """A cut whose consumers may still come."""

    cut: Cut
    consumers: list[tuple[str, int | None]] = field(default_factory=list)


Hooks = tuple[Callable[..., None], Callable[..., None]]


class Builder:
    """Gathers leaves, nodes, edges, cuts and events.

    Args:
        limits: Where it stops.
        hooks: Given a node and its id, what to call before and after the engine runs it.
    """

    def __init__(self, limits: RecordingLimits, hooks: Callable[[GradFn, str], Hooks]) -> None:
        self.limits = limits
        self.events: list[Event] = []
        self.nodes: dict[str, Node] = {}
        self.truncated = False
        self.storages = Storages()
        self._hooks = hooks
        self._handles: list[Any] = []
        self._edges: list[Edge] = []
        self._ids: dict[GradFn, str] = {}  # holds every node alive, so that its hooks stay
        self._drafts: list[LeafDraft] = []
        self._leaves: dict[int, LeafDraft] = {}  # a later tensor may have the id of one that is gone
        self._cuts: dict[str, CutDraft] = {}
        self._cut_tensors: dict[int, tuple[weakref.ref[torch.Tensor], tuple[str, ...]]] = {}

    # Events

    def emit(self, event: Event) -> None:
        """Appends an event, unless the limit is reached."""
        if len(self.events) >= self.limits.events:
            self.truncated = True
        else:
            self.events.append(event)

    def value(self, tensor: torch.Tensor) -> TensorValue:
        """The tensor's numbers, within the limit."""
        return tensor_value(tensor, self.limits.values)

    def maybe_value(self, tensor: torch.Tensor | None) -> TensorValue | None:
        """The tensor's numbers, or None for an undefined gradient."""
        return None if tensor is None else self.value(tensor)

    # Nodes

    def discover(
        self, grad_fn: GradFn | None, *, span: Span | None, order: int = 1, made_by: str | None = None
    ) -> tuple[str, ...]:
        """Takes in every node behind `grad_fn` that is new, and returns their ids in order of creation."""
        new = self._unknown(grad_fn)
        if not new:
            return ()
        if len(self._ids) + len(new) > self.limits.nodes:
            self.truncated = True
            return ()
        ids = tuple(self._add_node(node, span, order, made_by) for node in new)
        for node in new:
            self._add_edges(node)
        return ids

    def node_id(self, grad_fn: GradFn | None) -> str | None:
        """The id of a node that is known."""
        return None if grad_fn is None else self._ids.get(grad_fn)

    def describe(self, node_id: str, *, variable: str | None, value: TensorValue | None) -> None:
        """Notes what a node made in the forward pass."""
        self.nodes[node_id] = msgspec.structs.replace(self.nodes[node_id], variable=variable, value=value)

    def name_node(self, grad_fn: GradFn | None, name: str) -> None:
        """Gives a node's result its variable, if it has none."""
        node_id = self.node_id(grad_fn)
        if node_id is not None and self.nodes[node_id].variable is None:
            self.nodes[node_id] = msgspec.structs.replace(self.nodes[node_id], variable=name)

    def _unknown(self, grad_fn: GradFn | None) -> list[GradFn]:
        found: dict[GradFn, None] = {}
        pending = [grad_fn]
        while pending:
            node = pending.pop()
            if node is None or node in self._ids or node in found:
                continue
            found[node] = None
            pending.extend(following for following, _ in node.next_functions)
        # A leaf's node is there before the operation that uses it; torch numbers all others in order.
        return sorted(found, key=lambda node: -1 if is_accumulate(node) else sequence_nr(node))

    def _add_node(self, grad_fn: GradFn, span: Span | None, order: int, made_by: str | None) -> str:
        node_id = f"n{len(self._ids)}"
        self._ids[grad_fn] = node_id
        if is_accumulate(grad_fn):
            leaf = self.leaf(grad_fn.variable)  # type: ignore[attr-defined]
            leaf.node_id = node_id
            node = Node(id=node_id, name="AccumulateGrad", kind="accumulate", sequence_nr=sequence_nr(grad_fn))
        else:
            node = Node(
                id=node_id,
                name=type(grad_fn).__name__,
                kind="custom" if isinstance(grad_fn, torch.autograd.function.BackwardCFunction) else "operation",
                span=span,
                saved=() if has_unpack_hooks() else tuple(self._saved(*kept) for kept in saved_by(grad_fn)),
                sequence_nr=sequence_nr(grad_fn),
                order=order,
                made_by=made_by,
            )
        self.nodes[node_id] = node
        before, after = self._hooks(grad_fn, node_id)
        self._handles += [grad_fn.register_prehook(before), grad_fn.register_hook(after)]
        return node_id

    def _add_edges(self, grad_fn: GradFn) -> None:
        source = self._ids[grad_fn]
        for slot, (following, input_nr) in enumerate(grad_fn.next_functions):
            if following is not None:
                edge_id = f"e{len(self._edges)}"
                target = self._ids[following]
                self._edges.append(Edge(id=edge_id, source=source, slot=slot, target=target, input_nr=input_nr))

    def _saved(self, name: str, kept: Any) -> SavedTensor:
        if not isinstance(kept, torch.Tensor):
            return SavedTensor(name=name, text=str(signed(kept)), plain=plain(signed(kept)))
        leaf, node_id, storage = self.known_leaf(kept), self.node_id(kept.grad_fn), storage_of(kept)
        return SavedTensor(
            name=name,
            value=self.value(kept),
            leaf_id=leaf.id if leaf else None,
            node_id=node_id,
            version=kept._version,
            storage=self.storages.number(kept, leaf.id if leaf else node_id),
            storage_bytes=0 if storage is None else storage.nbytes(),
        )

    # Leaves

    def leaf(self, tensor: torch.Tensor, *, name: str | None = None, span: Span | None = None) -> LeafDraft:
        """The leaf that a tensor is, taken in if it is new."""
        known = self.known_leaf(tensor)
        if known is None:
            known = LeafDraft(
                id=f"l{len(self._drafts)}",
                tensor=weakref.ref(tensor),
                value=self.value(tensor),
                span=span,
                requires_grad=tensor.requires_grad,
                grad=self.maybe_value(tensor.grad),
            )
            self._drafts.append(known)
            self._leaves[id(tensor)] = known
            self.storages.know(known.id, tensor)
        known.name = known.name or name
        return known

    def known_leaf(self, tensor: torch.Tensor) -> LeafDraft | None:
        """The leaf that a tensor is, if it was met before."""
        leaf = self._leaves.get(id(tensor))
        return leaf if leaf is not None and leaf.tensor() is tensor else None

    def leaves(self) -> tuple[LeafDraft, ...]:
        """The leaves met so far."""
        return tuple(self._drafts)

    def leaf_of_grad(self, grad: torch.Tensor) -> LeafDraft | None:
        """The leaf whose `.grad` this very tensor is."""
        return next((leaf for leaf in self._leaves.values() if grad_of(leaf) is grad), None)

    def name_tensors(self, named: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Gives names to the leaves and results that have none."""
        for name, tensor in named:
            leaf = self.known_leaf(tensor)
            if leaf is not None:
                leaf.name = leaf.name or name
            elif not tensor.is_leaf:
                self.name_node(tensor.grad_fn, name)

    # Cuts

    def cut(
        self,
        tensor: torch.Tensor,
        *,
        operation: str,
        reason: Literal["detach", "no_grad", "not differentiable"],
        variable: str | None,
        span: Span | None,
        sources: tuple[str, ...],
    ) -> str:
        """Notes that a tensor came out without the history of what went in."""
        cut_id = f"c{len(self._cuts)}"
        made = Cut(
            id=cut_id,
            operation=operation,
            reason=reason,
            variable=variable,
            span=span,
            value=self.value(tensor),
            sources=sources,
        )
        self._cuts[cut_id] = CutDraft(made)
        self.pass_cuts_on(tensor, (cut_id,))
        return cut_id

    def cuts_behind(self, tensor: torch.Tensor) -> tuple[str, ...]:
        """The cuts that a tensor without a history comes from."""
        known = self._cut_tensors.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else ()

    def pass_cuts_on(self, tensor: torch.Tensor, cut_ids: tuple[str, ...]) -> None:
        """Notes that a tensor comes from these cuts."""
        self._cut_tensors[id(tensor)] = (weakref.ref(tensor), cut_ids)

    def consume_cut(self, cut_id: str, node_id: str, slot: int | None) -> None:
        """Notes that a node would have sent a gradient to a cut."""
        self._cuts[cut_id].consumers.append((node_id, slot))

    # The end

    def unhook(self) -> None:
        """Leaves torch as it was found."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._ids.clear()

    def recording(self, *, source: str | None, seed: int | None, error: Raised | None) -> Recording:
        """What has been gathered."""
        leaves = self._finished_leaves()
        name_of_node = {leaf.node_id: leaf.name for leaf in leaves if leaf.node_id}
        return Recording(
            schema=SCHEMA,
            source=source,
            seed=seed,
            versions={"torch": str(torch.__version__), "python": platform.python_version()},
            leaves=leaves,
            nodes=tuple(
                msgspec.structs.replace(node, variable=name_of_node.get(node.id, node.variable))
                for node in self.nodes.values()
            ),
            edges=tuple(self._edges),
            cuts=tuple(
                msgspec.structs.replace(draft.cut, consumers=tuple(dict.fromkeys(draft.consumers)))
                for draft in self._cuts.values()
            ),
            torch_rules=torch_rules_of(dict.fromkeys(node.name for node in self.nodes.values())),
            events=tuple(self.events),
            error=error,
            truncated=self.truncated,
        )

    def _finished_leaves(self) -> tuple[Leaf, ...]:
        taken: dict[str, int] = {}
        return tuple(
            Leaf(
                id=leaf.id,
                name=_unused(leaf.name or leaf.id, taken),
                value=leaf.value,
                requires_grad=still.requires_grad if (still := leaf.tensor()) is not None else leaf.requires_grad,
                node_id=leaf.node_id,
                span=leaf.span,
            )
            for leaf in self._drafts
        )


def grad_of(leaf: LeafDraft) -> torch.Tensor | None:
    """A leaf's `.grad` as it is now."""
    tensor = leaf.tensor()
    return None if tensor is None else tensor.grad


def is_accumulate(grad_fn: GradFn) -> bool:
    """Whether a node fills a leaf's `.grad`."""
    return type(grad_fn).__name__ == "AccumulateGrad"


def sequence_nr(grad_fn: GradFn) -> int:
    """torch's number of a node; 0 where it gives none."""
    return int(grad_fn._sequence_nr()) if hasattr(grad_fn, "_sequence_nr") else 0


def signed(kept: Any) -> Any:
    """Saved numbers as the program wrote them: torch keeps `dim=-1` as 2**64 - 1."""
    if type(kept) is tuple:
        return tuple(map(signed, kept))
    return kept - 2**64 if isinstance(kept, int) and kept >= 2**63 else kept


def _unused(name: str, taken: dict[str, int]) -> str:
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name} #{taken[name]}"

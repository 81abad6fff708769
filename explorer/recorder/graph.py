"""The graph of backward nodes as the recorder finds it; keeps no node of torch alive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Literal

import torch
from msgspec.structs import force_setattr
from torch.utils.hooks import RemovableHandle

from explorer.model import Edge, Node, SavedTensor, Span, TensorValue
from explorer.model.graph import BETWEEN_NAMES
from explorer.recorder.leaves import Leaves
from explorer.recorder.limits import Budget
from explorer.recorder.saved import has_unpack_hooks, holds_tensors, saved_by, unpacks_by_program
from explorer.recorder.snapshots import Snapshots
from explorer.recorder.storages import Storages, storage_of
from explorer.recorder.values import grad_fn_of, is_wrapped

GradFn = Any
"""A `torch.autograd.graph.Node`, whose type stub takes the attribute `metadata` for a method."""

NodeKind = Literal["operation", "accumulate", "custom"]

NextFunctions = tuple[tuple[GradFn | None, int], ...]
Hooks = tuple[Callable[..., None] | None, Callable[..., None]]

running_node: Callable[[], GradFn] = torch._C._current_autograd_node
"""The node that the engine is running on this thread."""

MOST_NAMED = 8
"""Of a node with more results none gets a name by itself: it would stand between too many others without."""


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
        hooks: Given a node, its part of the recording, whether the engine frees something when it has run it and
            whether code of the program's may run with it: what to call before it runs, if anything, and after.
    """

    def __init__(
        self,
        budget: Budget,
        snapshots: Snapshots,
        leaves: Leaves,
        storages: Storages,
        hooks: Callable[[GradFn, Node, bool, bool], Hooks],
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
        self._before: list[RemovableHandle] = []
        self._after: list[RemovableHandle] = []
        self._first: list[RemovableHandle] = []
        """Our hooks: before nodes, after them, and after them before those of the program."""
        self._several: dict[str, dict[int, TensorValue]] = {}
        """What the nodes with several results made, by the results' numbers."""

    def discover(
        self, grad_fn: GradFn | None, span: Span | None, order: int = 1, made_by: str | None = None
    ) -> tuple[str, ...]:
        """Takes in every node behind `grad_fn` that is new, and returns their ids in order of creation."""
        key = self._key
        if grad_fn is None or key in grad_fn.metadata:
            return ()
        following = grad_fn.next_functions
        for node, _ in following:
            if node is not None and key not in node.metadata:
                return self._discover_all(grad_fn, span, order, made_by)
        if not following:  # a leaf's node, perhaps
            return self._discover_all(grad_fn, span, order, made_by)
        if not self._budget.pay_nodes(1, len(following)):
            return ()
        node_id = self._add_node(grad_fn, span, order, made_by, has_unpack_hooks())
        self._add_edges(node_id, following)
        return (node_id,)

    def _discover_all(self, grad_fn: GradFn, span: Span | None, order: int, made_by: str | None) -> tuple[str, ...]:
        """The same where others are new, too, or the node is a leaf's."""
        new, ids = self._unknown(grad_fn), []
        if not self._budget.pay_nodes(len(new), sum(map(len, new.values()))):
            return ()
        unpacks = has_unpack_hooks()
        for node in new:
            if not is_accumulate(node):
                ids.append(self._add_node(node, span, order, made_by, unpacks))
            elif (node_id := self._add_accumulate(node)) is not None:
                ids.append(node_id)
        for node, following in new.items():
            self._add_edges(node.metadata[self._key], following)
        return tuple(ids)

    def discover_higher(
        self, grads: Iterable[torch.Tensor | None], span: Span | None, made_by: str | None = None
    ) -> None:
        """Takes in what computed gradients that have a history of their own.

        Args:
            grads: Those that a node has computed, or a pass returned.
            span: Where in the program the pass was asked for.
            made_by: The node.
        """
        order = 1 + (self.nodes[made_by].order if made_by else 1)
        for grad in grads:
            if grad is not None:
                self.discover(grad_fn_of(grad), span, order, made_by)

    def describe_one(self, result: torch.Tensor, variable: str | None) -> tuple[str, TensorValue]:
        """Notes what is known of the one result of a node just found; returns its id and what the result holds."""
        node_id: str = result.grad_fn.metadata[self._key]  # type: ignore[union-attr, index]
        value = self._snapshots.take_result(node_id, result)
        self.describe(node_id, variable, value)
        return node_id, value

    def describe(self, node_id: str, variable: str | None, value: TensorValue | None = None, results: int = 1) -> None:
        """Notes what is known of a node's result later than of the node itself."""
        # A node is frozen for everybody who reads a recording; there is none yet.
        node = self.nodes[node_id]
        force_setattr(node, "variable", variable)
        if results > 1:
            force_setattr(node, "results", results)
        if value is not None:
            force_setattr(node, "value", value)

    def describe_several(self, node_id: str, names: dict[int, str | None], values: dict[int, TensorValue]) -> None:
        """Notes what is known of the results of a node that made more than one, by their numbers."""
        self._several[node_id] = values
        self.describe(node_id, joined(names), results=max(values) + 1)
        self._show(self.nodes[node_id], next((nr for nr in sorted(values) if is_name(names[nr])), min(values)))

    def _show(self, node: Node, output_nr: int) -> None:
        """Takes one of several results for the value of a node."""
        if (value := self._several.get(node.id, {}).get(output_nr)) is not None:
            force_setattr(node, "value", value)
            force_setattr(node, "value_nr", output_nr)

    def node_id(self, grad_fn: GradFn | None) -> str | None:
        """The id of a node that is known."""
        return None if grad_fn is None else grad_fn.metadata.get(self._key)

    def current_id(self) -> str:
        """The id of the node that the engine is running on this thread."""
        node_id: str = running_node().metadata[self._key]
        return node_id

    def name(self, grad_fn: GradFn | None, output_nr: int, variable: str, *, lasts: bool) -> None:
        """Gives one of a node's results its variable, if it has none: the only one, or one of several if it lasts."""
        node_id = self.node_id(grad_fn)
        if node_id is None:
            return
        node = self.nodes[node_id]
        if node.results > (MOST_NAMED if lasts else 1):
            return
        names = ["_"] * node.results if node.variable is None else BETWEEN_NAMES.split(node.variable)
        if output_nr < len(names) == node.results and not is_name(names[output_nr]):
            if not any(map(is_name, names[:output_nr])):
                self._show(node, output_nr)
            names[output_nr] = variable
            self.describe(node_id, ", ".join(names))

    def run_around(self, first: Callable[..., None]) -> bool:
        """Moves the hooks behind those of the program, which may change what they look at; whether there are any.

        Args:
            first: What to call after a node before those of the program.
        """
        before, after = shared(self._before), shared(self._after)
        for hooks, _ in after:
            self._first += put_first(hooks, first)
        for hooks, handle in (*before, *after):
            # Not `move_to_end`: torch goes by the order of the plain dict that an ordered one is too.
            hooks[handle.id] = hooks.pop(handle.id)
        return bool(before or after)

    def unhook(self) -> None:
        """Leaves torch as it was found."""
        for handles in (self._before, self._after, self._first):
            for handle in handles:
                hooks = handle.hooks_dict_ref()
                if hooks is not None:  # else the node has gone, and its hooks with it
                    hooks.pop(handle.id, None)
            handles.clear()
        for note in self._notes:
            note.pop(self._key, None)
        self._notes.clear()

    def _unknown(self, grad_fn: GradFn) -> dict[GradFn, NextFunctions]:
        """The new nodes behind a new one, itself included, in order of creation, and where each leads."""
        key, found = self._key, {grad_fn: grad_fn.next_functions}
        pending = [*found[grad_fn]]
        while pending:
            node, _ = pending.pop()
            if node is not None and key not in node.metadata and node not in found:
                found[node] = node.next_functions
                pending += found[node]
        # A leaf's node is there before the operation that uses it; torch numbers all others in order.
        return dict(sorted(found.items(), key=lambda item: -1 if is_accumulate(item[0]) else sequence_nr(item[0])))

    def _add_node(self, grad_fn: GradFn, span: Span | None, order: int, made_by: str | None, unpacks: bool) -> str:
        """Takes in a node and returns its id.

        Args:
            unpacks: Whether reading what is saved now would run code of the program.
        """
        name, kind = type_of(grad_fn.__class__)
        node_id, note, number = f"n{len(self.nodes)}", grad_fn.metadata, grad_fn._sequence_nr()
        note[self._key] = node_id
        self._notes.append(note)
        # Hooks may be on a node that was there before the session, and nobody has told of them.
        is_older = number < self._first_sequence_nr
        unpacks = unpacks or (is_older and unpacks_by_program(grad_fn))
        packed = unpacks and holds_tensors(grad_fn)
        saved, frees = ((), True) if packed else saved_by(grad_fn, self._saved)
        node = self.nodes[node_id] = Node(
            id=node_id,
            name=name,
            kind=kind,
            span=span,
            saved=saved,
            packed=packed,
            sequence_nr=number,
            order=order,
            made_by=made_by,
        )
        self._hook(grad_fn, node, frees, unpacks or is_older)
        return node_id

    def _add_accumulate(self, grad_fn: GradFn) -> str | None:
        """Takes in what fills a leaf's `.grad`, and returns its id; None if it is a further one that the leaf has."""
        leaf, note, new_id = self._leaves.leaf(grad_fn.variable), grad_fn.metadata, f"n{len(self.nodes)}"
        node_id = note[self._key] = leaf.node_id = leaf.node_id or new_id
        self._notes.append(note)
        if node_id == new_id:
            name, kind = type_of(grad_fn.__class__)
            self.nodes[node_id] = Node(id=node_id, name=name, kind=kind, sequence_nr=sequence_nr(grad_fn))
            if is_wrapped(grad_fn.variable):
                self._leaves.borrowing.append(leaf)
        self._hook(grad_fn, self.nodes[node_id], False, False)
        return node_id if node_id == new_id else None

    def _hook(self, grad_fn: GradFn, node: Node, frees: bool, runs_program: bool) -> None:
        before, after = self._hooks(grad_fn, node, frees, runs_program)
        if before is not None:
            self._before.append(grad_fn.register_prehook(before))
        self._after.append(grad_fn.register_hook(after))

    def _add_edges(self, source: str, next_functions: NextFunctions) -> None:
        edges = self.edges
        for slot, (following, input_nr) in enumerate(next_functions):
            if following is not None:
                target = following.metadata[self._key]
                edges.append(Edge(id=f"e{len(edges)}", source=source, slot=slot, target=target, input_nr=input_nr))

    def _saved(self, name: str, kept: torch.Tensor) -> SavedTensor:
        leaf, node_id, storage = self._leaves.known(kept), self.node_id(grad_fn_of(kept)), storage_of(kept)
        value = self._snapshots.take(kept) if node_id is None else self._snapshots.take_result(node_id, kept)
        return SavedTensor(
            name=name,
            value=value,
            leaf_id=leaf.id if leaf else None,
            node_id=node_id,
            output_nr=0 if node_id is None else kept.output_nr,
            version=kept._version,
            storage=None if storage is None else self._storages.number(storage, leaf.id if leaf else node_id),
            storage_bytes=0 if storage is None else storage.nbytes(),
        )


def nodes_behind(roots: Iterable[GradFn | None]) -> list[GradFn]:
    """The nodes that a pass from these roots may run through."""
    found: dict[GradFn, None] = {}
    pending = [*roots]
    while pending:
        node = pending.pop()
        if node is not None and node not in found:
            found[node] = None
            pending += [following for following, _ in node.next_functions]
    return [*found]


def shared(handles: list[RemovableHandle]) -> list[tuple[dict[int, Any], RemovableHandle]]:
    """The hooks at places where the program has some, too, and ours among them; forgets the places that are gone."""
    found = [(hooks, handle) for handle in handles if (hooks := handle.hooks_dict_ref()) is not None]
    handles[:] = [handle for _, handle in found]
    return [(hooks, handle) for hooks, handle in found if len(hooks) > 1]


def put_first(hooks: dict[int, Any], hook: Callable[..., None]) -> tuple[RemovableHandle, ...]:
    """Has torch call a hook before all others at its place, if it does not already; returns what removes it again."""
    if next(iter(hooks.values())) is hook:
        return ()
    handle, others = RemovableHandle(hooks), [*hooks]
    hooks[handle.id] = hook
    for key in others:
        hooks[key] = hooks.pop(key)
    return (handle,)


def stay_around(ours: tuple[Callable[..., None], ...], first: Callable[..., None]) -> tuple[RemovableHandle, ...]:
    """Moves our hook after the running node behind those that the program has put there since the pass began.

    Args:
        ours: What may be our hook.
        first: What to call before those of the program.

    Returns:
        What removes `first` again.
    """
    handle = running_node().register_hook(ours[0])
    hooks: dict[int, Any] = handle.hooks_dict_ref() or {}
    hooks.pop(handle.id)
    if len(hooks) > 1:
        key = next(key for key, hook in hooks.items() if hook in ours)
        hooks[key] = hooks.pop(key)
        return put_first(hooks, first)
    return ()


def joined(names: dict[int, str | None]) -> str | None:
    """One text for what the results of a node are called, given by their number."""
    if not any(names.values()):
        return None
    whole = (names.get(0) or "").removesuffix("[0]")
    if len(names) > 1 and all(name == f"{whole}[{nr}]" for nr, name in names.items()):
        return whole
    return ", ".join([names.get(nr) or "_" for nr in range(max(names) + 1)])


def is_name(name: str | None) -> bool:
    """Whether it leads to a result: `_` is what stands where there is none."""
    return name not in (None, "_")


def is_accumulate(grad_fn: GradFn) -> bool:
    """Whether a node fills a leaf's `.grad`."""
    return kind_of(grad_fn) == "accumulate"


def kind_of(grad_fn: GradFn) -> NodeKind:
    """What a node is."""
    return type_of(grad_fn.__class__)[1]


@lru_cache(maxsize=1024)
def type_of(kind: type) -> tuple[str, NodeKind]:
    """torch's name of nodes of a type, and whether torch or the program computes them, or they fill a `.grad`."""
    if kind.__name__ == "AccumulateGrad":
        return kind.__name__, "accumulate"
    return kind.__name__, "custom" if issubclass(kind, torch.autograd.function.BackwardCFunction) else "operation"


def sequence_nr(grad_fn: GradFn) -> int:
    """torch's number of a node, in order of creation on its thread; of an `AccumulateGrad` the highest there is."""
    number: int = grad_fn._sequence_nr()
    return number

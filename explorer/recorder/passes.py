"""Watches the engine: which backward pass runs, which node, what came in and what went on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

from explorer.model import Accumulated, BackwardEnded, BackwardStarted, NodeRan, Root, Span, TensorValue
from explorer.recorder.builder import Builder, Hooks, LeafDraft, is_accumulate
from explorer.recorder.jacobians import Ask, Jacobian, jacobian_of
from explorer.recorder.places import Place
from explorer.recorder.saved import saves_nothing
from explorer.recorder.values import tensors_in

Grads = tuple[torch.Tensor | None, ...]


class Passes:
    """Turns calls of `backward` and `grad` and the engine's hooks into events."""

    def __init__(self) -> None:
        self.builder: Builder
        self.failed_node: str | None = None
        """The node that was running when torch last raised."""
        self._running: list[BackwardStarted] = []
        self._count = 0
        self._pending: dict[str, tuple[TensorValue | None, ...]] = {}
        self._before: dict[str, tuple[LeafDraft, TensorValue | None]] = {}
        self._jacobians: dict[str, Jacobian | None] = {}
        self._asked = 0

    def run(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], place: Place) -> Any:
        """Runs a backward pass as the program asked for, noting its start and its end."""
        started = self._started(func, args, kwargs, place.span)
        self.builder.emit(started)
        self._running.append(started)
        self._pending.clear()
        self._jacobians.clear()
        result, error = None, None
        try:
            result = func(*args, **kwargs)
        except Exception as raised:
            error = str(raised)
            self.failed_node = next(reversed(self._pending), None)
            raise
        finally:
            self._running.pop()
            self.builder.emit(
                BackwardEnded(
                    backward_pass=started.backward_pass,
                    returned=tuple(self.builder.maybe_value(grad) for grad in result or ()),
                    error=error,
                    failed_node=None if error is None else self.failed_node,
                    span=place.span,
                )
            )
        self._discover_higher(tensors_in(result), place.span, None)
        return result

    def hooks(self, grad_fn: GradFn, node_id: str) -> Hooks:
        """What the engine calls before and after it runs a node."""
        if is_accumulate(grad_fn):
            leaf = self.builder.leaf(grad_fn.variable)  # type: ignore[attr-defined]
            return (
                lambda grad_outputs: self._accumulate_starts(node_id, leaf, grad_outputs),
                lambda grad_inputs, grad_outputs: self._accumulate_ends(node_id),
            )
        frees = not saves_nothing(grad_fn)
        ask = jacobian_of(grad_fn)
        return (
            lambda grad_outputs: self._operation_starts(node_id, grad_outputs, ask),
            lambda grad_inputs, grad_outputs: self._node_ends(node_id, grad_inputs, frees),
        )

    def _started(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], span: Span | None
    ) -> BackwardStarted:
        given = signature(func).bind(*args, **kwargs).arguments
        by_grad = func is torch.autograd.grad
        roots = _listed(given.get("self", given.get("tensors", given.get("outputs"))))
        seeds = _listed(given.get("gradient", given.get("grad_tensors", given.get("grad_outputs"))))
        create_graph = bool(given.get("create_graph", False))
        retain_graph = given.get("retain_graph")
        self._count += 1
        return BackwardStarted(
            span=span,
            backward_pass=self._count - 1,
            by="grad" if by_grad else "backward",
            roots=tuple(
                self._root(root, seeds[i] if i < len(seeds) else None, span)
                for i, root in enumerate(roots)
                if isinstance(root, torch.Tensor)
            ),
            retain_graph=create_graph if retain_graph is None else bool(retain_graph),
            create_graph=create_graph,
            inputs=tuple(self._name(tensor) for tensor in tensors_in(_listed(given.get("inputs")))),
        )

    def _root(self, root: torch.Tensor, seed: Any, span: Span | None) -> Root:
        grad_fn = root.grad_fn
        self.builder.discover(grad_fn, span=span)
        node_id = self.builder.node_id(grad_fn)
        leaf = self.builder.known_leaf(root)
        if node_id is None and leaf is not None:
            node_id = leaf.node_id
        return Root(
            node_id=node_id,
            variable=leaf.name if leaf else (self.builder.nodes[node_id].variable if node_id else None),
            value=self.builder.value(root),
            seed_grad=self.builder.value(seed) if isinstance(seed, torch.Tensor) else None,
        )

    def _name(self, tensor: torch.Tensor) -> str:
        leaf = self.builder.known_leaf(tensor)
        if leaf is not None:
            return leaf.name or leaf.id
        node_id = self.builder.node_id(tensor.grad_fn)
        return (self.builder.nodes[node_id].variable if node_id else None) or "?"

    def _node_starts(self, node_id: str, grad_outputs: Grads) -> None:
        self._pending[node_id] = tuple(self.builder.maybe_value(grad) for grad in grad_outputs)

    def _operation_starts(self, node_id: str, grad_outputs: Grads, ask: Ask | None) -> None:
        self._node_starts(node_id, grad_outputs)
        if ask is not None and self._running and self._asked < self.builder.limits.jacobians:
            self._jacobians[node_id] = ask(grad_outputs)
            self._asked += self._jacobians[node_id] is not None

    def _node_ends(self, node_id: str, grad_inputs: Grads, frees: bool) -> None:
        came_in = self._pending.pop(node_id, ())
        if not self._running:
            return
        started = self._running[-1]
        self.builder.emit(
            NodeRan(
                span=started.span,
                backward_pass=started.backward_pass,
                node_id=node_id,
                grad_outputs=came_in,
                grad_inputs=tuple(self.builder.maybe_value(grad) for grad in grad_inputs),
                freed=frees and not started.retain_graph,
                jacobian=self._jacobians.pop(node_id, None),
            )
        )
        if started.create_graph:
            self._discover_higher(grad_inputs, started.span, node_id)

    def _accumulate_starts(self, node_id: str, leaf: LeafDraft, grad_outputs: Grads) -> None:
        self._node_starts(node_id, grad_outputs)
        tensor = leaf.tensor()
        self._before[node_id] = leaf, None if tensor is None else self.builder.maybe_value(tensor.grad)

    def _accumulate_ends(self, node_id: str) -> None:
        came_in = self._pending.get(node_id, (None,))[0]
        leaf, before = self._before.pop(node_id)
        self._node_ends(node_id, (), False)
        tensor = leaf.tensor()
        if not self._running or tensor is None or tensor.grad is None or came_in is None:
            return
        started = self._running[-1]
        leaf.grad = self.builder.value(tensor.grad)
        self.builder.emit(
            Accumulated(
                span=started.span,
                backward_pass=started.backward_pass,
                leaf_id=leaf.id,
                before=before,
                incoming=came_in,
                after=leaf.grad,
            )
        )
        if started.create_graph:
            self._discover_higher((tensor.grad,), started.span, node_id)

    def _discover_higher(self, grads: Iterable[torch.Tensor | None], span: Span | None, made_by: str | None) -> None:
        order = 1 + (self.builder.nodes[made_by].order if made_by else 1)
        for grad in grads:
            if grad is not None and grad.grad_fn is not None:
                self.builder.discover(grad.grad_fn, span=span, order=order, made_by=made_by)


@cache
def signature(func: Callable[..., Any]) -> inspect.Signature:
    """The parameters of one of torch's three ways to start a pass."""
    return inspect.signature(func)


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]

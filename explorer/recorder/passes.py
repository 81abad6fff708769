"""Watches the engine: which backward pass runs, which node, what came in and what went on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch
from msgspec.structs import force_setattr
from torch.utils.hooks import RemovableHandle

from explorer.model import (
    Accumulated,
    BackwardEnded,
    BackwardStarted,
    GradCleared,
    Modified,
    Node,
    NodeRan,
    Span,
    TensorValue,
)
from explorer.recorder.blame import named_node, next_to_run
from explorer.recorder.builder import Builder
from explorer.recorder.ends import Ends
from explorer.recorder.graph import GradFn, Hooks, kind_of, nodes_behind, stay_around
from explorer.recorder.jacobians import Jacobian, ask_running
from explorer.recorder.leaves import LeafDraft
from explorer.recorder.places import Place
from explorer.recorder.requests import Request, edge_of
from explorer.recorder.storages import version
from explorer.recorder.unseen import unseen
from explorer.recorder.values import dense, grad_fn_of

Grads = tuple[torch.Tensor | None, ...]

HOOK = "post_accumulate_grad_hook"
"""What stands for the name of a function where a hook of the program's has changed something."""


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


class Passes:
    """Turns calls of `backward` and `grad` and the engine's hooks into events."""

    def __init__(self) -> None:
        self.builder: Builder
        self.failed_node: str | None = None
        """The node that was running when torch last raised."""
        self.program_runs_between = False
        """Whether code of the program's may run between two nodes, and change numbers where no counter tells."""
        self.running: list[RunningPass] = []
        """The passes that the engine is in, innermost last."""
        self._count = 0
        self._after = partial(self._node_ends, False, None), partial(self._node_ends, True, None)
        """Called after a node of torch's own, the same for all: one that frees nothing, and one that frees."""
        self._first = self._node_computed
        """Called after a node before hooks of the program's."""

    @property
    def waits_for_engine(self) -> bool:
        """Whether a pass has been asked for that the engine has not begun."""
        return bool(self.running) and not self.running[-1].has_engine

    def engine_begins(self, request: Request) -> None:
        """Notes what the engine is asked for in the pass that waits for it, where the program's call could not tell."""
        running = self.running[-1]
        running.has_engine = True
        if request.inputs and not running.started.inputs:
            with unseen():
                # An event is frozen for everybody who reads a recording; there is none yet.
                force_setattr(running.started, "inputs", running.ends.names(request.inputs))
                self._watch_starts(running)

    def run(self, call: Callable[[], Any], request: Request, place: Place, *, has_engine: bool) -> Any:
        """Runs a backward pass as the program asked for, noting its start and its end.

        Args:
            call: Runs it.
            request: What was asked for.
            place: Where.
            has_engine: Whether `call` is the engine, and not the program's call which comes to it later.
        """
        self.failed_node = None
        with unseen():
            self._note_changes_around()
            running = self._begun(request, place, has_engine)
            started = running.started
            self.builder.emit(started)
            self.program_runs_between |= self.builder.graph.run_around(self._first)
            self._watch_starts(running)
        self.running.append(running)
        result, error = None, None
        try:
            result = call()
        except Exception as raised:
            error = str(raised)
            self.failed_node = self.failed_node or self._node_that_failed(running, error)
            with unseen():
                self._note_changes(running)
            raise
        finally:
            self.running.pop()
            for handle in running.starts:
                handle.remove()
            with unseen():
                self._begin_moment()
                self._note_end(started, tensors_or_none(result), error)
                self._note_changes_around()
        return result

    def let_go(self) -> None:
        """Drops what leads back here, for the session has ended; a hook that is called late finds no pass running."""
        del self.builder, self._after, self._first

    def hooks(self, grad_fn: GradFn, node: Node, frees: bool, runs_program: bool) -> Hooks:
        """What the engine calls before and after it runs a node."""
        if node.kind == "operation":
            self.program_runs_between |= runs_program
            return None, self._after[frees]
        came: list[TensorValue | None] = []
        if node.kind == "accumulate":
            leaf = self.builder.leaves.leaf(grad_fn.variable)
            self.program_runs_between |= has_hooks(grad_fn.variable)
            return (
                partial(self._accumulate_starts, node.id, leaf, came),
                partial(self._accumulate_ends, node.id, leaf, came),
            )
        self.program_runs_between = True
        return partial(self._python_starts, node.id, came), partial(self._node_ends, frees, came)

    def _begun(self, request: Request, place: Place, has_engine: bool) -> RunningPass:
        self._count += 1
        ends = Ends(self.builder, place)
        roots = [edge_of(root)[0] for root in request.roots]
        return RunningPass(ends.started(request, self._count - 1), roots, ends, has_engine)

    def _watch_starts(self, running: RunningPass) -> None:
        """Sees to it that it is known which node of torch's own the engine runs, should it fail.

        For that it is enough to see it begin: it goes by its queue, unless it is asked for some of the gradients only,
        or code of the program's runs in between, which may also put hooks behind ours.
        """
        is_simple = not (self.program_runs_between or running.started.inputs)
        for node in running.roots if is_simple else nodes_behind(running.roots):
            if node is not None and kind_of(node) == "operation":
                running.starts.append(node.register_prehook(self._node_starts))

    def _node_that_failed(self, running: RunningPass, error: str) -> str | None:
        """The node that the engine was running when it raised, or that the error names."""
        events, graph, started = self.builder.events, self.builder.graph, running.started
        if (found := running.node_id or named_node(events, graph.nodes.values(), error)) is not None:
            return found
        steps = (event for event in events if isinstance(event, NodeRan))
        ran = {step.node_id for step in steps if step.backward_pass == started.backward_pass}
        if not ran or self.program_runs_between or started.inputs or self.builder.budget.is_spent:
            return None
        return next_to_run([root.node_id for root in started.roots], ran, graph.nodes, graph.edges)

    def _python_starts(self, node_id: str, came: list[TensorValue | None], grad_outputs: Grads) -> None:
        """Keeps what came in: the program's own code may change it in place."""
        if self.running:
            self.running[-1].node_id = node_id
            with unseen():
                self._begin_moment()
                came[:] = () if self.builder.budget.is_spent else self._values(grad_outputs)

    def _node_starts(self, grad_outputs: Grads) -> None:
        if self.running:
            self.running[-1].node_id = self.builder.graph.current_id()
            if self.program_runs_between:
                self.running[-1].starts += stay_around(self._after, self._first)

    def _node_computed(self, grad_inputs: Grads, grad_outputs: Grads) -> None:
        """Keeps what a node computed: hooks of the program's that are called now may change it."""
        if self.running and not self.builder.budget.is_spent:
            with unseen():
                self._begin_moment()
                self.running[-1].computed = self._values(grad_inputs)

    def _node_ends(
        self, frees: bool, came: list[TensorValue | None] | None, grad_inputs: Grads, grad_outputs: Grads
    ) -> None:
        """Notes that a node ran, and what came in, which `came` tells of a node of the program's."""
        if not self.running:
            return
        running, builder = self.running[-1], self.builder
        computed, running.computed, running.node_id = running.computed, None, None
        if builder.budget.is_spent:
            return
        started, node_id = running.started, builder.graph.current_id()
        with unseen():
            self._begin_moment()
            received = self._values(grad_outputs) if came is None else tuple(came)
            sent = self._values(grad_inputs)
            builder.emit(
                NodeRan(
                    span=started.span,
                    backward_pass=started.backward_pass,
                    node_id=node_id,
                    grad_outputs=received,
                    grad_inputs=sent,
                    before_hooks=computed,
                    batched=builder.snapshots.has_met_batches
                    and are_batched((*grad_outputs, *grad_inputs), (*received, *sent)),
                    freed=frees and not started.retain_graph,
                    jacobian=self._ask(grad_outputs) if came is None and builder.budget.jacobians > 0 else None,
                )
            )
            if started.create_graph:
                self._discover_higher(grad_inputs, started.span, node_id)

    def _ask(self, grad_outputs: Grads) -> Jacobian | None:
        """The local Jacobian of a node that has run: what it saved is freed after its hooks."""
        found = ask_running(grad_outputs)
        self.builder.budget.jacobians -= found is not None
        return found

    def _begin_moment(self) -> None:
        """The engine goes on to another node: what was copied before may have been changed since."""
        if self.program_runs_between:
            self.builder.snapshots.forget()

    def _values(self, grads: Grads) -> tuple[TensorValue | None, ...]:
        return tuple(map(self.builder.snapshots.take_passing, grads))

    def _accumulate_starts(
        self, node_id: str, leaf: LeafDraft, came: list[TensorValue | None], grad_outputs: Grads
    ) -> None:
        """Keeps what came in and the `.grad` of before: the engine may make the one the other."""
        came.clear()
        if not self.running or self.builder.budget.is_spent:
            return
        running = self.running[-1]
        running.node_id = node_id
        with unseen():
            self._begin_moment()
            tensor = leaf.tensor()
            came += self._values((grad_outputs[0], leaf.current_grad()))
            if tensor is not None and tensor._post_accumulate_grad_hooks:
                self._look_before_the_program(tensor, running, node_id, leaf, came)

    def _look_before_the_program(
        self,
        tensor: torch.Tensor,
        running: RunningPass,
        node_id: str,
        leaf: LeafDraft,
        came: list[TensorValue | None],
    ) -> None:
        """Notes what was added to a `.grad` before the program's own hooks change it, or run a pass of their own."""

        def look(_: torch.Tensor) -> None:
            handle.remove()
            with unseen():
                self._begin_moment()
                if self._note_accumulated(running.started, node_id, leaf, came):
                    running.added = added_to(leaf)

        handle = tensor.register_post_accumulate_grad_hook(look)  # type: ignore[no-untyped-call]
        hooks = tensor._post_accumulate_grad_hooks
        for key in [key for key in hooks if key != handle.id]:
            hooks[key] = hooks.pop(key)

    def _accumulate_ends(
        self, node_id: str, leaf: LeafDraft, came: list[TensorValue | None], grad_inputs: Grads, grad_outputs: Grads
    ) -> None:
        if not self.running or self.builder.budget.is_spent:
            return
        running = self.running[-1]
        running.node_id, running.computed, started = None, None, running.started
        with unseen():
            self._begin_moment()
            self._note_accumulated(started, node_id, leaf, came)
            self._note_changes(running)
            if started.create_graph:
                self._discover_higher((leaf.current_grad(),), started.span, node_id)

    def _note_accumulated(
        self, started: BackwardStarted, node_id: str, leaf: LeafDraft, came: list[TensorValue | None]
    ) -> bool:
        """Notes, once, that a node ran and what its leaf's `.grad` is now; returns whether it was added to."""
        if self.builder.budget.is_spent or not came:
            return False
        incoming, before = came
        came.clear()
        self.builder.emit(
            NodeRan(
                span=started.span,
                backward_pass=started.backward_pass,
                node_id=node_id,
                grad_outputs=(incoming,),
            )
        )
        grad = leaf.current_grad()
        if incoming is None or grad is None:
            return False
        after = self.builder.leaves.see_grad(leaf, grad)
        if after is not None:
            self.builder.emit(
                Accumulated(
                    span=started.span,
                    backward_pass=started.backward_pass,
                    leaf_id=leaf.id,
                    before=before,
                    incoming=incoming,
                    after=after,
                )
            )
            for other in self.builder.leaves.sharing_grad(leaf, grad):
                self._note_grad_changed(other, "add_", started.span)
        return after is not None

    def _note_changes_around(self) -> None:
        """Notes, where a pass begins or ends inside of a hook, what the hook has done so far, and goes on looking."""
        if self.running and (added := self.running[-1].added) is not None:
            self._note_changes(self.running[-1])
            self.running[-1].added = added_to(added.leaf)

    def _note_changes(self, running: RunningPass) -> None:
        """Notes what the program's own hooks did to a leaf and its `.grad`, which had just been added to."""
        added, running.added = running.added, None
        if added is None:
            return
        leaf, span = added.leaf, running.started.span
        tensor = leaf.tensor()
        if tensor is not None and version(tensor) != added.version:
            self._note_leaf_changed(leaf, tensor, span)
        if not added.is_still(leaf.current_grad()):
            self._note_grad_changed(leaf, HOOK, span)

    def _note_leaf_changed(self, leaf: LeafDraft, tensor: torch.Tensor, span: Span | None) -> None:
        """Notes that a hook of the program's changed a leaf, once for all passes that have just added to it."""
        for running in self.running:
            if running.added is not None and running.added.leaf is leaf:
                running.added = running.added._replace(version=version(tensor))
        self.builder.emit(
            Modified(
                span=span,
                name=HOOK,
                variable=leaf.name,
                leaf_id=leaf.id,
                after=self.builder.snapshots.take(tensor),
                version=version(tensor),
                counted_with=self.builder.storages.counted_with(tensor),
                storage=self.builder.storages.known_number(tensor),
            )
        )

    def _note_grad_changed(self, leaf: LeafDraft, name: str, span: Span | None) -> None:
        """Notes that a leaf's `.grad` is another than when it was last seen."""
        before, grad = leaf.grad, leaf.current_grad()
        after = self.builder.leaves.see_grad(leaf, grad)
        if grad is None or after is None:
            self.builder.emit(GradCleared(span=span, leaf_id=leaf.id, before=before, to="none"))
            return
        self.builder.emit(
            Modified(
                span=span,
                name=name,
                variable=leaf.name,
                leaf_id=leaf.id,
                of_grad=True,
                before=before,
                after=after,
                version=grad._version,
            )
        )

    def _note_end(self, started: BackwardStarted, returned: Grads, error: str | None) -> None:
        self.builder.emit(
            BackwardEnded(
                backward_pass=started.backward_pass,
                returned=self._values(returned),
                error=error,
                failed_node=None if error is None else self.failed_node,
                span=started.span,
            )
        )
        self._discover_higher(returned, started.span, None)

    def _discover_higher(self, grads: Iterable[torch.Tensor | None], span: Span | None, made_by: str | None) -> None:
        graph = self.builder.graph
        order = 1 + (graph.nodes[made_by].order if made_by else 1)
        for grad in grads:
            if grad is not None and grad_fn_of(grad) is not None:
                graph.discover(grad_fn_of(grad), span, order, made_by)


def added_to(leaf: LeafDraft) -> Added | None:
    """A leaf's `.grad` as it is now; None if there is none."""
    tensor, grad, value = leaf.tensor(), leaf.current_grad(), leaf.grad
    if tensor is None or grad is None or value is None:
        return None
    return Added(grad, grad.detach().clone(), value, leaf, version(tensor))


def has_hooks(leaf: torch.Tensor) -> bool:
    """Whether the program looks at a leaf's gradients."""
    return bool(leaf._backward_hooks or leaf._post_accumulate_grad_hooks)


def are_batched(grads: Grads, values: tuple[TensorValue | None, ...]) -> bool:
    """Whether `vmap` has one of these gradients stand for many: what it holds has a dimension more than it shows."""
    for grad, value in zip(grads, values):  # noqa: B905 (strict takes longer; a spent budget leaves no values)
        if grad is not None and value is not None and len(value.shape) > grad.dim():
            return True
    return False


def tensors_or_none(result: Any) -> Grads:
    """What `torch.autograd.grad` returned, one for each input; () for `backward`, which returns None."""
    return tuple(result) if isinstance(result, (list, tuple)) else ()

"""Watches the engine: which backward pass runs, which node, what came in and what went on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import force_setattr

from explorer.model import BackwardEnded, BackwardStarted, Node, NodeRan, TensorValue
from explorer.recorder.accumulations import Accumulations
from explorer.recorder.blame import named_node, next_to_run
from explorer.recorder.builder import Builder
from explorer.recorder.ends import Ends
from explorer.recorder.engine import Engine, Grads, RunningPass
from explorer.recorder.graph import GradFn, Hooks, kind_of, nodes_behind, stay_around
from explorer.recorder.jacobians import Jacobian, ask_running
from explorer.recorder.limits import RecordingLimits
from explorer.recorder.places import Place
from explorer.recorder.requests import Request, edge_of
from explorer.recorder.unseen import unseen


class Passes:
    """Turns calls of `backward` and `grad` and the engine's hooks into events.

    Args:
        limits: Where the recording stops.
    """

    def __init__(self, limits: RecordingLimits) -> None:
        self.builder = Builder(limits, self._hooks)
        self.engine = Engine(self.builder.budget, self.builder.snapshots)
        self.failed_node: str | None = None
        """The node that was running when torch last raised."""
        self._accumulations = Accumulations(self.engine, self.builder)
        self._count = 0
        self._after = partial(self._node_ends, False, None), partial(self._node_ends, True, None)
        """Called after a node of torch's own, the same for all: one that frees nothing, and one that frees."""
        self._first = self._node_computed
        """Called after a node before hooks of the program's."""

    @property
    def waits_for_engine(self) -> bool:
        """Whether a pass has been asked for that the engine has not begun."""
        return bool(self.engine.running) and not self.engine.running[-1].has_engine

    def engine_begins(self, request: Request) -> None:
        """Notes what the engine is asked for in the pass that waits for it, where the program's call could not tell."""
        running = self.engine.running[-1]
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
            self._accumulations.note_changes_around()
            running = self._begun(request, place, has_engine)
            started = running.started
            self.builder.emit(started)
            self.engine.program_runs_between |= self.builder.graph.run_around(self._first)
            self._watch_starts(running)
        self.engine.running.append(running)
        result, error = None, None
        try:
            result = call()
        except Exception as raised:
            error = str(raised)
            self.failed_node = self.failed_node or self._node_that_failed(running, error)
            with unseen():
                self._accumulations.note_changes(running)
            raise
        finally:
            self.engine.running.pop()
            for handle in running.starts:
                handle.remove()
            with unseen():
                self.engine.begin_moment()
                self._note_end(started, tensors_or_none(result), error)
                self._accumulations.note_changes_around()
        return result

    def let_go(self) -> None:
        """Drops what leads back here, for the session has ended; a hook that is called late finds no pass running."""
        del self.builder, self._accumulations, self._after, self._first

    def _hooks(self, grad_fn: GradFn, node: Node, frees: bool, runs_program: bool) -> Hooks:
        """What the engine calls before and after it runs a node."""
        match node.kind:
            case "operation":
                self.engine.program_runs_between |= runs_program
                return None, self._after[frees]
            case "accumulate":
                return self._accumulations.hooks(node.id, grad_fn.variable)
        self.engine.program_runs_between = True
        came: list[TensorValue | None] = []
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
        is_simple = not (self.engine.program_runs_between or running.started.inputs)
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
        if not ran or self.engine.program_runs_between or started.inputs or self.builder.budget.is_spent:
            return None
        return next_to_run([root.node_id for root in started.roots], ran, graph.nodes, graph.edges)

    def _python_starts(self, node_id: str, came: list[TensorValue | None], grad_outputs: Grads) -> None:
        """Keeps what came in: the program's own code may change it in place."""
        if self.engine.running:
            self.engine.running[-1].node_id = node_id
            with unseen():
                self.engine.begin_moment()
                came[:] = () if self.builder.budget.is_spent else self.engine.values(grad_outputs)

    def _node_starts(self, grad_outputs: Grads) -> None:
        if self.engine.running:
            self.engine.running[-1].node_id = self.builder.graph.current_id()
            if self.engine.program_runs_between:
                self.engine.running[-1].starts += stay_around(self._after, self._first)

    def _node_computed(self, grad_inputs: Grads, grad_outputs: Grads) -> None:
        """Keeps what a node computed: hooks of the program's that are called now may change it."""
        if self.engine.is_watched:
            with unseen():
                self.engine.begin_moment()
                self.engine.running[-1].computed = self.engine.values(grad_inputs)

    def _node_ends(
        self, frees: bool, came: list[TensorValue | None] | None, grad_inputs: Grads, grad_outputs: Grads
    ) -> None:
        """Notes that a node ran, and what came in, which `came` tells of a node of the program's."""
        engine = self.engine
        if not engine.running:
            return
        running, builder = engine.running[-1], self.builder
        computed, running.computed, running.node_id = running.computed, None, None
        if builder.budget.is_spent:
            return
        started, node_id = running.started, builder.graph.current_id()
        with unseen():
            engine.begin_moment()
            received = engine.values(grad_outputs) if came is None else tuple(came)
            sent = engine.values(grad_inputs)
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
                builder.graph.discover_higher(grad_inputs, started.span, node_id)

    def _ask(self, grad_outputs: Grads) -> Jacobian | None:
        """The local Jacobian of a node that has run: what it saved is freed after its hooks."""
        found = ask_running(grad_outputs)
        self.builder.budget.jacobians -= found is not None
        return found

    def _note_end(self, started: BackwardStarted, returned: Grads, error: str | None) -> None:
        self.builder.emit(
            BackwardEnded(
                backward_pass=started.backward_pass,
                returned=self.engine.values(returned),
                error=error,
                failed_node=None if error is None else self.failed_node,
                span=started.span,
            )
        )
        self.builder.graph.discover_higher(returned, started.span, None)


def are_batched(grads: Grads, values: tuple[TensorValue | None, ...]) -> bool:
    """Whether `vmap` has one of these gradients stand for many: what it holds has a dimension more than it shows."""
    for grad, value in zip(grads, values):  # noqa: B905 (strict takes longer; a spent budget leaves no values)
        if grad is not None and value is not None and len(value.shape) > grad.dim():
            return True
    return False


def tensors_or_none(result: Any) -> Grads:
    """What `torch.autograd.grad` returned, one for each input; () for `backward`, which returns None."""
    return tuple(result) if isinstance(result, (list, tuple)) else ()

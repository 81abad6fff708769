"""Watches `AccumulateGrad` add to the leaves' `.grad`, and what hooks of the program's make of it."""

from __future__ import annotations

from functools import partial

import torch

from explorer.model import BackwardStarted, Modified, NodeRan, Span, TensorValue
from explorer.recorder.builder import Builder
from explorer.recorder.engine import Engine, Grads, RunningPass, added_to
from explorer.recorder.grads import note_added, note_replaced
from explorer.recorder.graph import Hooks
from explorer.recorder.leaves import LeafDraft
from explorer.recorder.storages import version
from explorer.recorder.unseen import unseen

HOOK = "post_accumulate_grad_hook"
"""What stands for the name of a function where a hook of the program's has changed something."""


class Accumulations:
    """Turns the engine's runs of `AccumulateGrad` into events.

    Args:
        engine: Runs them.
        builder: Gathers events.
    """

    def __init__(self, engine: Engine, builder: Builder) -> None:
        self._engine = engine
        self._builder = builder

    def hooks(self, node_id: str, variable: torch.Tensor) -> Hooks:
        """What the engine calls before and after it adds to a leaf's `.grad`.

        Args:
            node_id: The leaf's `AccumulateGrad`.
            variable: The leaf.
        """
        leaf, came = self._builder.leaves.leaf(variable), list[TensorValue | None]()
        self._engine.program_runs_between |= has_hooks(variable)
        return partial(self._starts, node_id, leaf, came), partial(self._ends, node_id, leaf, came)

    def note_changes_around(self) -> None:
        """Notes, where a pass begins or ends inside of a hook, what the hook has done so far, and goes on looking."""
        running = self._engine.running
        if running and (added := running[-1].added) is not None:
            self.note_changes(running[-1])
            running[-1].added = added_to(added.leaf)

    def note_changes(self, running: RunningPass) -> None:
        """Notes what the program's own hooks did to a leaf and its `.grad`, which had just been added to."""
        added, running.added = running.added, None
        if added is None:
            return
        leaf, span = added.leaf, running.started.span
        tensor = leaf.tensor()
        if tensor is not None and version(tensor) != added.version:
            self._note_leaf_changed(leaf, tensor, span)
        if not added.is_still(leaf.current_grad()):
            note_replaced(self._builder, leaf, HOOK, span)

    def _starts(self, node_id: str, leaf: LeafDraft, came: list[TensorValue | None], grad_outputs: Grads) -> None:
        """Keeps what came in and the `.grad` of before: the engine may make the one the other."""
        came.clear()
        if not self._engine.is_watched:
            return
        running = self._engine.running[-1]
        running.node_id = node_id
        with unseen():
            self._engine.begin_moment()
            tensor = leaf.tensor()
            came += self._engine.values((grad_outputs[0], leaf.current_grad()))
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
                self._engine.begin_moment()
                if self._note_ran(running.started, node_id, leaf, came):
                    running.added = added_to(leaf)

        handle = tensor.register_post_accumulate_grad_hook(look)  # type: ignore[no-untyped-call]
        hooks = tensor._post_accumulate_grad_hooks
        for key in [key for key in hooks if key != handle.id]:
            hooks[key] = hooks.pop(key)

    def _ends(
        self, node_id: str, leaf: LeafDraft, came: list[TensorValue | None], grad_inputs: Grads, grad_outputs: Grads
    ) -> None:
        if not self._engine.is_watched:
            return
        running = self._engine.running[-1]
        running.node_id, running.computed, started = None, None, running.started
        with unseen():
            self._engine.begin_moment()
            self._note_ran(started, node_id, leaf, came)
            self.note_changes(running)
            if started.create_graph:
                self._builder.graph.discover_higher((leaf.current_grad(),), started.span, node_id)

    def _note_ran(
        self, started: BackwardStarted, node_id: str, leaf: LeafDraft, came: list[TensorValue | None]
    ) -> bool:
        """Notes, once, that a node ran and what its leaf's `.grad` is now; returns whether it was added to."""
        if self._builder.budget.is_spent or not came:
            return False
        incoming, before = came
        came.clear()
        self._builder.emit(
            NodeRan(
                span=started.span,
                backward_pass=started.backward_pass,
                node_id=node_id,
                grad_outputs=(incoming,),
            )
        )
        return incoming is not None and note_added(self._builder, started, leaf, before, incoming)

    def _note_leaf_changed(self, leaf: LeafDraft, tensor: torch.Tensor, span: Span | None) -> None:
        """Notes that a hook of the program's changed a leaf, once for all passes that have just added to it."""
        for running in self._engine.running:
            if running.added is not None and running.added.leaf is leaf:
                running.added = running.added._replace(version=version(tensor))
        self._builder.emit(
            Modified(
                span=span,
                name=HOOK,
                variable=leaf.name,
                leaf_id=leaf.id,
                after=self._builder.snapshots.take(tensor),
                version=version(tensor),
                counted_with=self._builder.storages.counted_with(tensor),
                storage=self._builder.storages.known_number(tensor),
            )
        )


def has_hooks(leaf: torch.Tensor) -> bool:
    """Whether the program looks at a leaf's gradients."""
    return bool(leaf._backward_hooks or leaf._post_accumulate_grad_hooks)

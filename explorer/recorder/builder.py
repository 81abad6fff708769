"""The one mutable thing: a recording while it grows."""

from __future__ import annotations

import platform
from collections.abc import Callable, Container, Iterable

import torch

from explorer.model import Event, Node, Printed, Recording, Span, TensorValue
from explorer.model.recording import SCHEMA
from explorer.recorder.cuts import Cuts
from explorer.recorder.derivatives import torch_rules_of
from explorer.recorder.graph import GradFn, Graph, Hooks
from explorer.recorder.leaves import Leaves
from explorer.recorder.limits import Budget, RecordingLimits
from explorer.recorder.names import better_name
from explorer.recorder.snapshots import Snapshots
from explorer.recorder.storages import Storages
from explorer.recorder.values import grad_fn_of, is_leaf

LONGEST_MESSAGE = 10_000
"""How many characters of an error's or a warning's text are kept."""

LONGEST_NAME = 200
"""And of a name, such as the path to a module's parameter or the key of a dictionary."""


class Builder:
    """Gathers leaves, nodes, edges, cuts and events.

    Args:
        limits: Where it stops.
        hooks: Given a node, its part of the recording, whether the engine frees something when it has run it and
            whether code of the program's may run with it: what to call before it runs, if anything, and after.
    """

    def __init__(self, limits: RecordingLimits, hooks: Callable[[GradFn, Node, bool, bool], Hooks]) -> None:
        self.events: list[Event] = []
        self.budget = Budget(limits)
        self.storages = Storages()
        self.snapshots = Snapshots(self.budget, self.storages)
        self.leaves = Leaves(self.snapshots, self.storages)
        self.graph = Graph(self.budget, self.snapshots, self.leaves, self.storages, hooks)
        self.cuts = Cuts()
        self.value = self.snapshots.take
        """What a tensor holds, within the limit."""
        self._unfinished: list[str] = []
        self._late: list[str] = []

    def emit(self, event: Event) -> None:
        """Appends an event, unless a limit is reached."""
        if self._unfinished:
            self._end_line()
        budget = self.budget
        budget.events -= 1
        if budget.events < 0 or budget.elements < 0:  # or what its tensors hold is too much
            budget.is_spent = True
        if not budget.is_spent:
            self.events.append(event)

    def write(self, text: str, span: Span | None) -> None:
        """Notes printed text: what one `print` writes piece by piece is one event, and all after a limit another."""
        if not self.budget.pay_text(len(text)):
            return
        if not self._unfinished or self.events[-1].span != span:
            self.emit(Printed(text="", span=span))
        if self.budget.is_spent:
            self._late.append(writable(text))
        else:
            self._unfinished.append(writable(text))
            if text.endswith("\n"):
                self._end_line()

    def maybe_value(self, tensor: torch.Tensor | None) -> TensorValue | None:
        """The tensor's numbers, or None for an undefined gradient."""
        return None if tensor is None else self.snapshots.take(tensor)

    def name_tensors(self, named: Iterable[tuple[str, torch.Tensor]], fleeting: Container[str]) -> None:
        """Gives names to the leaves and results that have none; to one of several results none that does not last."""
        for full_name, tensor in named:
            name = writable(full_name, LONGEST_NAME)
            leaf = self.leaves.known(tensor)
            if leaf is not None:
                if full_name not in fleeting or leaf.first_name is None:
                    leaf.name = better_name(leaf.name, name)
            elif not is_leaf(tensor):
                self.graph.name(grad_fn_of(tensor), tensor.output_nr, name, lasts=full_name not in fleeting)

    def recording(self, *, source: str | None, seed: int | None) -> Recording:
        """What has been gathered."""
        self._end_line()
        if self._late:
            self.events.append(Printed(text="".join(self._late)))
        self.snapshots.fill()
        leaves = self.leaves.finished()
        for leaf in leaves:
            if leaf.node_id is not None:
                self.graph.describe(leaf.node_id, leaf.name)
        return Recording(
            schema=SCHEMA,
            source=source,
            seed=seed,
            versions={"torch": str(torch.__version__), "python": platform.python_version()},
            leaves=leaves,
            nodes=tuple(self.graph.nodes.values()),
            edges=tuple(self.graph.edges),
            cuts=self.cuts.finished(),
            torch_rules=torch_rules_of(dict.fromkeys(node.name for node in self.graph.nodes.values())),
            events=tuple(self.events),
            truncated=self.budget.is_spent,
        )

    def _end_line(self) -> None:
        if self._unfinished:
            self.events[-1] = Printed(text="".join(self._unfinished), span=self.events[-1].span)
            self._unfinished.clear()


def writable(text: str, most: int | None = None) -> str:
    """Text as UTF-8 can carry it: half a character, as "\\ud800" is one, is spelled out.

    Args:
        text: Perhaps of a class of the program's, which answers for itself.
        most: How many characters a page can show.
    """
    plain = str.__str__(text)
    if most is not None and len(plain) > most:
        plain = plain[:most] + "…"
    return plain.encode("utf-8", "backslashreplace").decode("utf-8")

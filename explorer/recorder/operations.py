"""Watches what the program does with tensors: operations, in-place changes, `.grad` being cleared, cuts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Literal

import torch

from explorer.model import Cut, Modified, Operation, TensorValue
from explorer.recorder.builder import Builder
from explorer.recorder.claims import Claims
from explorer.recorder.cuts import CutDraft
from explorer.recorder.grads import note_replaced, note_written
from explorer.recorder.leaves import LeafDraft
from explorer.recorder.names import name_in, names_of_results
from explorer.recorder.places import Place
from explorer.recorder.storages import version, versions
from explorer.recorder.surroundings import Surroundings
from explorer.recorder.unseen import unseen
from explorer.recorder.values import (
    grad_fn_of,
    grad_of,
    is_leaf,
    is_view_without_history,
    tensors_in,
    wrapped_in,
)

SHAPE_ONLY = ("_like", "new_zeros", "new_ones", "new_empty", "new_full", "new_tensor")
"""Functions that take a tensor for its shape and type: no number of it reaches the result."""

COPYING = "__deepcopy__"
"""It takes all that was copied before along, and what it copies requires a gradient if the original does."""

DETACHING = {"detach", "data"}

UNCOUNTED = {
    "_amp_foreach_non_finite_check_and_unscale_",
    "_fused_adagrad_",
    "_fused_adam_",
    "_fused_adamw_",
    "_fused_sgd_",
}
"""Functions that change their first argument and move no version counter: what a `GradScaler` does to every `.grad`,
and an optimizer with `fused=True` to every parameter."""

MARKING = {"requires_grad_", "requires_grad"}
TENSOR_PROPERTIES = {"data", "T", "mT", "H", "mH", "real", "imag"}


wants_grad: Callable[[torch.Tensor], bool] = attrgetter("requires_grad")


class Operations:
    """Turns calls of torch functions into events.

    Args:
        builder: Gathers them.
        named: Every tensor that has a name at a place, the shortest name first.
    """

    def __init__(self, builder: Builder, named: Callable[[Place], Iterable[tuple[str, torch.Tensor]]]) -> None:
        self.builder = builder
        self.claims = Claims(builder.graph)
        self._surroundings = Surroundings(named)

    def run(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], place: Place
    ) -> Any:
        """Calls a torch function as the program did and notes what came of it."""
        hidden = unseen()
        with hidden:
            taken = tensors_in([*args, *kwargs.values()] if kwargs else args)
            before = versions(taken)
        result = func(*args, **kwargs)
        with hidden:
            after = versions(taken)
            if name in UNCOUNTED:
                changed = tensors_in(args[:1])
            elif before == after:
                changed = []
            else:
                changed = [taken[i] for i in range(len(taken)) if before[i] != after[i]]
                if name == "__setitem__":
                    changed = changed[:1]  # `y[0] += 1` gives it a view of `y`, which only counts along
            self.note(name, taken, changed, result, place)
        return result

    def note(
        self, name: str, taken: list[torch.Tensor], changed: list[torch.Tensor], result: Any, place: Place
    ) -> None:
        """Notes one call: the tensors it took, those it changed in place, and what it returned."""
        if self.claims.pending:
            self.claims.settle(place, taken)
        for tensor in changed:
            self._note_change(name, tensor, taken, place)
        if name in MARKING and taken:
            self._note_mark(name, taken[0], place)
        elif not changed and (made := new_tensors(result, taken)):
            self._note_result(name, taken, made, result, place)
        if self.builder.leaves.borrowing:
            self._lend_names(place)

    def set_grad(self, func: Callable[..., Any], args: tuple[Any, ...], place: Place) -> None:
        """Sets or deletes a tensor's `.grad` as the program did and notes it."""
        tensor: torch.Tensor = args[0]
        with unseen():
            old = grad_of(tensor)
        func(*args)
        with unseen():
            # The second half of `x.grad *= 2` puts back what it has changed in place.
            if old is None or grad_of(tensor) is not old:
                self._note_grad_set(tensor, place)

    def _note_grad_set(self, tensor: torch.Tensor, place: Place) -> None:
        leaf = self._leaf(tensor)
        if leaf is None:
            return
        has_grad = leaf.grad is not None or leaf.current_grad() is not None
        if has_grad or place.direct:  # an optimizer clears what was never there, too
            note_replaced(self.builder, leaf, "grad.__set__", place.span)

    def _note_mark(self, name: str, tensor: torch.Tensor, place: Place) -> None:
        target = place.targets[0] if place.direct and place.targets else None
        if not is_leaf(tensor):
            return
        leaf = self.builder.leaves.leaf(tensor, name=target, span=place.span)
        leaf.requires_grad = tensor.requires_grad
        if leaf.name is None and leaf.first_name is None:
            leaf.first_name = self._surroundings.name_at(place, tensor)
        self.builder.emit(
            Operation(
                span=place.span,
                name=name,
                variable=target or leaf.name,
                values=(self.builder.value(tensor),),
                input_ids=tuple(cut.id for cut in self.builder.cuts.behind(tensor) if cut.id is not None),
                leaf_id=leaf.id,
                requires_grad=tensor.requires_grad,
            )
        )

    def _lend_names(self, place: Place) -> None:
        """Calls what `torch.func` has made as the program does now, or as the tensor that it is made of."""
        self._surroundings.look(place)
        for leaf in self.builder.leaves.borrowing:
            if (tensor := leaf.tensor()) is not None:
                names = map(self._surroundings.name, [tensor, *wrapped_in(tensor)])
                leaf.borrowed_name = next(filter(None, names), None)
        self.builder.leaves.borrowing.clear()

    def _note_change(self, name: str, tensor: torch.Tensor, taken: list[torch.Tensor], place: Place) -> None:
        node_ids = self.builder.graph.discover(grad_fn_of(tensor), place.span)
        if found := self.builder.leaves.with_grad_in(tensor):
            for one in found:
                note_written(self.builder, one, name, tensor, node_ids, place.span)
            return
        leaf = self.builder.leaves.known(tensor)
        if leaf is None and not node_ids and not place.direct:
            return  # a buffer inside torch's own code: a running mean, an optimizer's momentum
        after = self.builder.value(tensor)
        variable = leaf.name if leaf else next(iter(place.targets), None) or self._name_at(place, tensor)
        if node_ids:
            self.builder.graph.describe(node_ids[-1], variable, after)
            self._know(node_ids[-1], tensor, taken)
        event = Modified(
            span=place.span,
            name=name,
            variable=variable,
            leaf_id=leaf.id if leaf else None,
            after=after,
            version=version(tensor),
            counted_with=self.builder.storages.counted_with(tensor),
            storage=self.builder.storages.known_number(tensor),
            node_ids=node_ids,
        )
        self.builder.emit(event)
        if leaf is None:
            self.claims.claim(event, tensor, list(node_ids[-1:]), place)

    def _name_at(self, place: Place, tensor: torch.Tensor) -> str | None:
        return name_in(place.frame, tensor) if place.direct else None

    def _note_result(
        self, name: str, taken: list[torch.Tensor], made: list[torch.Tensor], result: Any, place: Place
    ) -> None:
        discover = self.builder.graph.discover
        if len(made) == 1:
            if node_ids := discover(grad_fn_of(made[0]), place.span):
                self._note_step(name, taken, made[0], node_ids, place)
                return
        else:
            node_ids = tuple([node_id for tensor in made for node_id in discover(grad_fn_of(tensor), place.span)])
        differentiable = any(map(wants_grad, made))
        if differentiable and taken and not node_ids:
            differentiable = not all(map(is_view_without_history, made))
        if place.direct or node_ids:
            self._note_results(name, taken, made, result, node_ids, differentiable, place)
        elif not differentiable:
            self._new_cut(name, not_returned(taken, result), made, place.variable, place)

    def _note_step(
        self, name: str, taken: list[torch.Tensor], made: torch.Tensor, node_ids: tuple[str, ...], place: Place
    ) -> None:
        """Notes a call that made one tensor and the node behind it, as most do."""
        builder = self.builder
        variable = variable_for_one(place)
        node_id, value = builder.graph.describe_one(made, variable)
        self._know(node_id, made, taken)
        event = Operation(
            span=place.span,
            name=name,
            variable=variable,
            values=(value,),
            node_ids=node_ids,
            input_ids=self._origins(taken),
            requires_grad=True,
        )
        builder.emit(event)
        self.claims.claim(event, made, [node_id], place)

    def _note_results(
        self,
        name: str,
        taken: list[torch.Tensor],
        made: list[torch.Tensor],
        result: Any,
        node_ids: tuple[str, ...],
        differentiable: bool,
        place: Place,
    ) -> None:
        """Notes a call that made several tensors, or one without a node of its own."""
        builder, variable = self.builder, place.variable if len(made) > 1 else variable_for_one(place)
        values = tuple(map(builder.value, made))
        new: list[str] = []
        if len(made) > 1:
            new = self._describe_all(made, values, node_ids, names_of_results(place.targets, result), taken)
        cut = None if differentiable else self._new_cut(name, not_returned(taken, result), made, variable, place)
        event = Operation(
            span=place.span,
            name=name,
            variable=variable,
            values=values,
            node_ids=node_ids,
            input_ids=self._origins(taken),
            leaf_id=self._new_leaf(made, place) if not taken or (differentiable and not node_ids) else None,
            cut_id=builder.cuts.note(cut) if cut else None,
            requires_grad=differentiable,
        )
        builder.emit(event)
        self.claims.claim(event, made[0], new, place)

    def _describe_all(
        self,
        made: list[torch.Tensor],
        values: tuple[TensorValue, ...],
        node_ids: tuple[str, ...],
        names: dict[int, str],
        taken: list[torch.Tensor],
    ) -> list[str]:
        """Notes what is known of the new nodes that made several tensors, together or each its own."""
        by_node: dict[str, dict[int, tuple[torch.Tensor, TensorValue]]] = {}
        for tensor, value in zip(made, values, strict=True):
            if (node_id := self.builder.graph.node_id(grad_fn_of(tensor))) is not None and node_id in node_ids:
                by_node.setdefault(node_id, {})[tensor.output_nr] = tensor, value
        for node_id, results in by_node.items():
            named = {nr: names.get(id(tensor)) for nr, (tensor, _) in results.items()}
            self.builder.graph.describe_several(node_id, named, {nr: value for nr, (_, value) in results.items()})
            self._know(node_id, results[min(results)][0], taken)
        return list(by_node)

    def _know(self, node_id: str, tensor: torch.Tensor, taken: list[torch.Tensor]) -> None:
        """Notes whose memory a new node's first result has, and the cuts behind what it took."""
        self.builder.storages.know(node_id, tensor)
        if self.builder.cuts.known:
            self.builder.cuts.consume(node_id, tensor, taken)

    def _new_leaf(self, made: list[torch.Tensor], place: Place) -> str | None:
        """A tensor made from no other is a leaf: it has a name, or wants a gradient."""
        if len(made) != 1 or not is_leaf(made[0]) or not (place.targets or made[0].requires_grad):
            return None
        return self.builder.leaves.leaf(made[0], name=next(iter(place.targets), None), span=place.span).id

    def _new_cut(
        self, name: str, taken: list[torch.Tensor], made: list[torch.Tensor], variable: str | None, place: Place
    ) -> CutDraft | None:
        if name.endswith(SHAPE_ONLY) or name == COPYING:
            return None
        behind = dict.fromkeys(cut for tensor in taken for cut in self.builder.cuts.behind(tensor))
        sources = self._origins([tensor for tensor in taken if tensor.requires_grad])
        cut = None
        # What one call of the program's computes step by step is one cut, which ends with its result.
        steps = [] if place.direct else [draft for draft in behind if draft.id is None and draft.cut.span == place.span]
        if sources or steps:
            for step in reversed(steps):
                sources = (*step.cut.sources, *sources)
                del behind[step]
            first = steps[0].cut if steps else None
            cut = CutDraft(
                Cut(
                    id="",
                    operation=first.operation if first else name,
                    reason=first.reason if first else reason_of_cut(name),
                    variable=variable,
                    span=place.span,
                    value=self.builder.value(made[0]),
                    sources=tuple(dict.fromkeys(sources)),
                )
            )
            behind[cut] = None
        for tensor in made if behind else ():
            self.builder.cuts.pass_on(tensor, behind)
        return cut

    def _origins(self, taken: list[torch.Tensor]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for tensor in taken:
            if (node_id := self.builder.graph.node_id(grad_fn_of(tensor))) is not None:
                found[node_id] = None
            elif (leaf := self._leaf(tensor)) is not None:
                found[leaf.id] = None
            else:
                found |= dict.fromkeys(cut.id for cut in self.builder.cuts.behind(tensor) if cut.id is not None)
        return tuple(found)

    def _leaf(self, tensor: torch.Tensor) -> LeafDraft | None:
        if tensor.requires_grad and is_leaf(tensor):
            return self.builder.leaves.leaf(tensor)
        return self.builder.leaves.known(tensor)


def new_tensors(result: Any, taken: list[torch.Tensor]) -> list[torch.Tensor]:
    """The tensors in a result that are none of those the function took."""
    given = set(map(id, taken))
    if isinstance(result, torch.Tensor):  # as most are, and quicker to tell
        return [] if id(result) in given else [result]
    return [tensor for tensor in tensors_in([result]) if id(tensor) not in given]


def variable_for_one(place: Place) -> str | None:
    """What one result is called; one that has several names is taken apart by the next call."""
    return place.variable if len(place.targets) < 2 else None


def not_returned(taken: list[torch.Tensor], result: Any) -> list[torch.Tensor]:
    """What a function took, but for what it returned as it was: its other results have nothing to do with that."""
    if isinstance(result, torch.Tensor):
        return taken
    returned = set(map(id, tensors_in([result])))
    return [tensor for tensor in taken if id(tensor) not in returned]


def reason_of_cut(name: str) -> Literal["detach", "no_grad", "not differentiable"]:
    """Why a function's result has no history, though an argument has one."""
    if name in DETACHING:
        return "detach"
    return "not differentiable" if torch.is_grad_enabled() else "no_grad"


def function_name(func: Callable[..., Any]) -> str:
    """torch's name of a function: `dot`, or the property's name (`T`)."""
    name: str = getattr(func, "__name__", str(func))
    return str(func.__self__.__name__) if name in {"__get__", "__set__", "__delete__"} else name  # type: ignore[attr-defined]

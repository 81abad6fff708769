"""Watches for what torch passes over in silence: `.data`, second names of a `.grad`, skipped steps, broadcasting."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from msgspec import structs
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from explorer.model import Modified
from explorer.model.remarks import Remark
from explorer.recorder.builder import LONGEST_NAME, Builder, writable
from explorer.recorder.leaves import LeafDraft
from explorer.recorder.names import elements, named_tensors, namespaces_of
from explorer.recorder.places import Place
from explorer.recorder.unseen import unseen
from explorer.recorder.values import grad_fn_of, grad_of, tensors_in

MOST = 200
"""More remarks than that are not kept."""

MOST_STEPS = 20
"""How deep a tensor may lie that is not called nameless."""

ELEMENTWISE = {"add", "sub", "rsub", "mul", "div", "true_divide", "pow", "maximum", "minimum"}
ELEMENTWISE |= {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits"}
"""Functions of two tensors that broadcast them against each other."""


@dataclass(frozen=True, slots=True)
class Idle:
    """An optimizer that has not taken a step yet.

    Args:
        optimizer: Which.
        remark: What there is to say if it never does.
        unknown: What it was given and is no leaf yet.
        leaves: The leaves that it was given.
    """

    optimizer: weakref.ref[torch.optim.Optimizer]
    remark: Remark
    unknown: dict[int, weakref.ref[torch.Tensor]] = field(default_factory=dict)
    leaves: list[LeafDraft] = field(default_factory=list)


class Remarks:
    """Gathers remarks.

    Args:
        builder: Knows leaves and nodes.
        filename: What the program's code objects say as their file.
        place: Tells where the program is.
    """

    def __init__(self, builder: Builder, filename: str, place: Callable[[], Place]) -> None:
        self._found: list[Remark] = []
        self._unused: dict[int, tuple[weakref.ref[torch.optim.Optimizer], list[Remark]]] = {}
        """Of each optimizer's last step, by its address."""
        self._idle: list[Idle] = []
        self._builder = builder
        self._filename = filename
        self._place = place
        self.views: dict[int, tuple[weakref.ref[torch.Tensor], weakref.ref[torch.Tensor], int]] = {}
        """What the program holds of `.data`, and may write to: by its address, it, whose it is, and its version."""

    def __enter__(self) -> Remarks:
        self._thread = threading.get_ident()
        self._handles = register_optimizer_step_pre_hook(self._steps), register_optimizer_step_post_hook(self._stepped)
        return self

    def __exit__(self, *raised: object) -> None:
        for handle in self._handles:
            handle.remove()
        self.views.clear()
        self.know_given()
        for optimizer in [reference() for reference, _ in self._unused.values()]:
            for parameter in self._parameters(optimizer) if optimizer is not None else ():
                if (leaf := self._builder.leaves.known(parameter)) is not None:
                    leaf.is_optimized = True  # though nothing had been computed from it by the last step

    @property
    def found(self) -> tuple[Remark, ...]:
        """All that there is to remark."""
        unused = (remark for _, step in self._unused.values() for remark in step)
        idle = (structs.replace(one.remark, source_id=leaf.id) for one in self._idle for leaf in one.leaves)
        return (*self._found, *unused, *islice(idle, MOST))

    def given(self, optimizer: torch.optim.Optimizer, place: Place) -> None:
        """Notes that an optimizer was made, or given more."""
        idle = Idle(weakref.ref(optimizer), self._remark("idle", place))
        idle.unknown.update({id(one): weakref.ref(one) for one in optimizer.param_groups[-1]["params"]})
        self._idle.append(idle)

    def know_given(self) -> None:
        """Marks the leaves among what optimizers were given, which had not been met before."""
        for idle in self._idle:
            for address, reference in list(idle.unknown.items()):
                parameter = reference()
                leaf = None if parameter is None else self._builder.leaves.known(parameter)
                if leaf is not None:
                    leaf.is_optimized = True
                    idle.leaves.append(leaf)
                    del idle.unknown[address]

    def after(self, name: str, kind: str, args: tuple[Any, ...], result: Any, place: Place) -> None:
        """Looks at one call of a torch function that has just returned.

        Args:
            name: torch's name for it.
            kind: "__get__" or "__set__" where it is an access to a property.
            args: What it was given.
            result: What it returned.
            place: Where in the program.
        """
        if name == "data":
            self._data(kind, args, result, place)
        elif name in ELEMENTWISE:
            self._broadcast(args, result, place)
        elif self.views and args and isinstance(args[0], torch.Tensor):
            self._written(args[0], place)
        if is_in_place(name):
            self._changed_grads(tensors_in(args[:1]), place)

    def may_matter(self, name: str, args: tuple[Any, ...]) -> bool:
        """Whether a remarkable call with these arguments may be worth a remark: elementwise ones of two shapes."""
        return name not in ELEMENTWISE or (len(args) > 1 and isinstance(args[1], torch.Tensor))

    def second_names(self, place: Place) -> list[tuple[str, LeafDraft, int]]:
        """Before a backward pass: the variables that are a leaf's `.grad`, and its version."""
        grads = {id(grad): leaf for leaf in self._builder.leaves if (grad := leaf.current_grad()) is not None}
        return [(name, leaf, tensor._version) for name, leaf, tensor in self._named_grads(grads, place)]

    def accumulated(self, names: Sequence[tuple[str, LeafDraft, int]], place: Place) -> None:
        """After a backward pass: those of the variables that changed, since the pass added to them."""
        before = {(name, leaf.id): version for name, leaf, version in names}
        grads = {id(grad): leaf for _, leaf, _ in names if (grad := leaf.current_grad()) is not None}
        for name, leaf, tensor in self._named_grads(grads, place):
            if before.get((name, leaf.id), tensor._version) != tensor._version:
                self._note("alias", place, name=name, source_id=leaf.id)

    def _data(self, kind: str, args: tuple[Any, ...], result: Any, place: Place) -> None:
        tensor = args[0]
        if kind == "__set__":
            if id(args[1]) in self.views:
                return  # the second half of `y.data *= 2`, which puts back what it has changed in place
            self._unnoticed(tensor, place)
        elif isinstance(result, torch.Tensor):
            self.views[id(result)] = weakref.ref(result), weakref.ref(tensor), result._version

    def _written(self, tensor: torch.Tensor, place: Place) -> None:
        """A tensor that came from `.data`, or a view of one, and has another version than before."""
        for key in {id(tensor), id(tensor._base)} & self.views.keys():
            view, owner, version = self.views[key]
            seen, owned = view(), owner()
            if seen is None or owned is None or seen._version == version:
                continue
            self.views[key] = view, owner, seen._version
            self._unnoticed(owned, place)

    def _unnoticed(self, tensor: torch.Tensor, place: Place) -> None:
        storage = self._builder.storages.known_number(tensor)
        self._note("unnoticed", place, name=self._name(tensor), source_id=self._id(tensor), storage=storage)
        if (leaf := self._builder.leaves.known(tensor)) is not None:
            self._changed_leaf(leaf, tensor, place)

    def _changed_leaf(self, leaf: LeafDraft, tensor: torch.Tensor, place: Place) -> None:
        """Notes a leaf's new value; its version counter has not moved."""
        last, after = self._builder.events[-1:], self._builder.value(tensor)
        match last:
            case [Modified(leaf_id=None, span=place.span) as event]:
                # An event is frozen for everybody who reads a recording; there is none yet.
                changes = {"leaf_id": leaf.id, "after": after, "version": tensor._version, "counted_with": ()}
                for field_name, value in changes.items():
                    structs.force_setattr(event, field_name, value)
            case _:
                event = Modified(
                    span=place.span,
                    name="data.__set__",
                    variable=leaf.name,
                    leaf_id=leaf.id,
                    after=after,
                    version=tensor._version,
                )
                self._builder.emit(event)

    def _broadcast(self, args: tuple[Any, ...], result: Any, place: Place) -> None:
        if len(args) < 2 or not isinstance(args[1], torch.Tensor) or not isinstance(args[0], torch.Tensor):
            return
        shapes = [tuple(arg.shape) for arg in args[:2]]
        if shapes[0] == shapes[1] or not isinstance(result, torch.Tensor):
            return
        stretched = torch.broadcast_shapes(*shapes)  # type: ignore[no-untyped-call]
        if tuple(stretched) not in shapes and result.requires_grad:
            self._note("stretched", place, source_id=self._id(result), shapes=tuple(shapes))

    def _changed_grads(self, tensors: Iterable[torch.Tensor], place: Place) -> None:
        leaves = (leaf for tensor in tensors for leaf in self._builder.leaves.with_grad_in(tensor))
        grads = {id(leaf.current_grad()): leaf for leaf in leaves}
        for name, leaf, _ in self._named_grads(grads, place):
            self._note("alias", place, name=name, source_id=leaf.id)

    def _steps(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        place = self._place()
        with unseen():
            for parameter in self._parameters(optimizer):
                leaf = self._builder.leaves.known(parameter)
                if grad_of(parameter) is None and leaf is not None:
                    self._note("skipped", place, name=leaf.name, source_id=leaf.id)

    def _stepped(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Looks once a step is over, for a closure may have computed the gradients in it."""
        place, unused = self._place(), []
        self._idle = [idle for idle in self._idle if idle.optimizer() is not optimizer]
        with unseen():
            for parameter in self._parameters(optimizer):
                if (leaf := self._builder.leaves.known(parameter)) is not None:
                    leaf.is_optimized = True
                elif grad_of(parameter) is None and parameter.requires_grad:
                    unused.append(parameter)
            names: dict[int, str] = {}
            spaces = namespaces_of(place.frame, self._filename)
            for name, tensor in named_tensors(spaces, most_steps=MOST_STEPS) if unused else ():
                names.setdefault(id(tensor), name)
            remarks = [self._remark("unused", place, name=names.get(id(one))) for one in unused[:MOST]]
        gone = self._unused.pop(id(optimizer), None)
        if gone is not None and gone[0]() is not optimizer:
            self._found += gone[1]  # another that is no more, and had the same address
        self._unused[id(optimizer)] = weakref.ref(optimizer), remarks

    def _parameters(self, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
        """What an optimizer was given; torch tells of the steps of all threads, and only this one's are watched."""
        is_here = threading.get_ident() == self._thread
        return [parameter for group in optimizer.param_groups for parameter in group["params"]] if is_here else []

    def _note(self, kind: Any, place: Place, **fields: Any) -> None:
        if len(self._found) < MOST:
            self._found.append(self._remark(kind, place, **fields))

    def _remark(self, kind: Any, place: Place, *, name: str | None = None, **fields: Any) -> Remark:
        name, step = name and writable(name, LONGEST_NAME), len(self._builder.events)
        return Remark(kind=kind, step=step, span=place.span, name=name, **fields)

    def _named_grads(self, grads: Mapping[int, LeafDraft], place: Place) -> list[tuple[str, LeafDraft, torch.Tensor]]:
        """The program's variables among some leaves' `.grad`, which are given by their address."""
        if not grads:
            return []
        named = (pair for space in namespaces_of(place.frame, self._filename) for pair in plainly_named(space))
        found = {(name, id(value)): value for name, value in named if id(value) in grads}
        return [(name, grads[address], value) for (name, address), value in found.items()]

    def _name(self, tensor: torch.Tensor) -> str | None:
        leaf, node_id = self._builder.leaves.known(tensor), self._builder.graph.node_id(grad_fn_of(tensor))
        return leaf.name if leaf else self._builder.graph.nodes[node_id].variable if node_id else None

    def _id(self, tensor: torch.Tensor) -> str | None:
        leaf = self._builder.leaves.known(tensor)
        return leaf.id if leaf else self._builder.graph.node_id(grad_fn_of(tensor))


def is_remarkable(name: str) -> bool:
    """Whether torch may pass over something in silence when a function of that name is called."""
    return name == "data" or name in ELEMENTWISE or is_in_place(name)


def is_in_place(name: str) -> bool:
    """Whether a function changes its first argument, by torch's way of naming: `zero_`, `__imul__`, `__setitem__`."""
    if name.startswith("__"):
        return name == "__setitem__" or name.startswith("__i")
    return name.endswith("_")


def plainly_named(namespace: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors that are variables, or elements of a variable's list, tuple or dict."""
    for name, value in list(namespace.items()):
        if isinstance(value, torch.Tensor):
            yield name, value
        elif not name.startswith("_"):
            yield from ((path, part) for path, part in elements(name, value) if isinstance(part, torch.Tensor))

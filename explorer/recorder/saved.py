"""What a backward node kept from the forward pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

from explorer.model import Plain, SavedTensor, from_float

default_hooks = torch._C._autograd._top_saved_tensors_default_hooks


def saved_by(grad_fn: GradFn, keep: Callable[[str, torch.Tensor], SavedTensor]) -> tuple[tuple[SavedTensor, ...], bool]:
    """Everything a node saved, tensors in lists one by one, and whether the engine will free some of it.

    Reading unpacks: torch raises where it was freed.

    Args:
        grad_fn: The node.
        keep: Given torch's name of a tensor and the tensor, its part of the recording.
    """
    names, read_all = reader(grad_fn.__class__)
    try:
        values = read_all(grad_fn)
    except (RuntimeError, AttributeError):
        values = tuple([read(grad_fn, attribute) for attribute, _ in saved_names(type(grad_fn))])
    found: list[SavedTensor] = []
    frees = False
    for name, kept in zip(names, values):  # noqa: B905 (strict takes longer, and one names what the other reads)
        if kept is None:
            continue
        if isinstance(kept, torch.Tensor):
            found.append(keep(name, kept))
            frees = True
        elif type(kept) is tuple and any([isinstance(part, torch.Tensor) for part in kept]):
            parts = [(f"{name}[{index}]", part) for index, part in enumerate(kept)]
            found += [keep(*part) if isinstance(part[1], torch.Tensor) else saved_setting(*part) for part in parts]
            frees = True
        else:
            found.append(saved_setting(name, kept))
            frees = frees or isinstance(kept, RuntimeError)
    return tuple(found), frees


def saved_setting(name: str, kept: Any) -> SavedTensor:
    """What is no tensor: sizes, dimensions, factors. The same for all nodes that kept the same whole numbers."""
    # Equal numbers of other types are written in other ways.
    kinds = set(map(type, kept)) if type(kept) is tuple else {type(kept)}
    return known_setting(name, kept) if kinds == {int} else new_setting(name, kept)


def new_setting(name: str, kept: Any) -> SavedTensor:
    """A saved number, flag, word or whatever else, as a recording has it."""
    kept = signed(kept)
    return SavedTensor(name=name, text=str(kept), plain=plain(kept))


known_setting = lru_cache(maxsize=1024)(new_setting)


def plain(kept: Any) -> Plain | None:
    """A saved number, flag, word or tuple of numbers as JSON can hold it; None for anything else."""
    match kept:
        case bool() | int() | str():
            return kept
        case float():
            return from_float(kept)
        case complex():
            return str(kept).strip("()")
        case tuple() if all(part is None or isinstance(part, bool | int | float) for part in kept):
            return tuple(from_float(part) if isinstance(part, float) else part for part in kept)
    return None


def holds_tensors(grad_fn: GradFn) -> bool:
    """Whether a node holds tensors for its backward, without unpacking them."""
    return bool(raw_saved_by(grad_fn))


def unpacks_by_program(grad_fn: GradFn) -> bool:
    """Whether reading one of a node's saved tensors runs code of the program, put there whenever."""
    return any(saved.unpack_hook is not None for saved in raw_saved_by(grad_fn))


def raw_saved_by(grad_fn: GradFn) -> list[Any]:
    """The tensors that a node saved, still packed."""
    names = [f"_raw{attribute}" for attribute, _ in saved_names(type(grad_fn)) if attribute[0] == "_"]
    if isinstance(grad_fn, torch.autograd.function.BackwardCFunction):
        names = ["_raw_saved_tensors"]
    found: list[Any] = []
    for kept in (read(grad_fn, name) for name in names):
        found += kept if isinstance(kept, (list, tuple)) else [kept]
    return [saved for saved in found if isinstance(saved, torch._C._autograd.SavedTensor)]


def read(grad_fn: GradFn, name: str) -> Any:
    """One saved attribute; the error itself where torch refuses to give it, None where there is no such thing."""
    try:
        return getattr(grad_fn, name, None)
    except RuntimeError as error:
        return error


def has_unpack_hooks() -> bool:
    """Whether reading a saved tensor would run code of the program (checkpointing, offloading)."""
    return default_hooks(False) is not None


def signed(kept: Any) -> Any:
    """Saved numbers as the program wrote them: torch keeps `dim=-1` as 2**64 - 1."""
    if type(kept) is tuple:
        return tuple(map(signed, kept))
    return kept - 2**64 if isinstance(kept, int) and kept >= 2**63 else kept


@lru_cache(maxsize=1024)
def reader(kind: type) -> tuple[tuple[str, ...], Callable[[GradFn], tuple[Any, ...]]]:
    """The plain names of what nodes of a kind save, and what reads all of it."""
    attributes = [attribute for attribute, _ in saved_names(kind)]
    names = tuple(name for _, name in saved_names(kind))
    if len(attributes) > 1:
        return names, attrgetter(*attributes)
    return names, lambda grad_fn: tuple([getattr(grad_fn, attribute) for attribute in attributes])


@lru_cache(maxsize=1024)
def saved_names(kind: type) -> tuple[tuple[str, str], ...]:
    """The attributes under which torch shows what nodes of a kind saved, and their plain names."""
    if issubclass(kind, torch.autograd.function.BackwardCFunction):
        return (("saved_tensors", "saved_tensors"),)
    return tuple((name, name.removeprefix("_saved_")) for name in dir(kind) if name.startswith("_saved_"))

"""What a backward node kept from the forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

from explorer.model import Plain, from_float

Kept = tuple[str, Any]
"""(torch's name, the tensor or whatever else was kept)."""


def saved_by(grad_fn: GradFn) -> Iterator[Kept]:
    """Everything a node saved, tensors in lists one by one. Reading unpacks: torch raises where it was freed."""
    for name in saved_names(type(grad_fn)):
        kept = read(grad_fn, name)
        if isinstance(kept, tuple) and any(isinstance(part, torch.Tensor) for part in kept):
            for index, part in enumerate(kept):
                yield f"{name.removeprefix('_saved_')}[{index}]", part
        elif kept is not None:
            yield name.removeprefix("_saved_"), kept


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


def saves_nothing(grad_fn: GradFn) -> bool:
    """Whether the node holds no tensor for its backward."""
    if has_unpack_hooks():
        return not any(name.startswith("_raw_saved_") for name in dir(type(grad_fn)))
    return not any(isinstance(kept, (torch.Tensor, RuntimeError)) for _, kept in saved_by(grad_fn))


def read(grad_fn: GradFn, name: str) -> Any:
    """One saved attribute; the error itself where torch refuses to give it."""
    try:
        return getattr(grad_fn, name)
    except RuntimeError as error:
        return error


def has_unpack_hooks() -> bool:
    """Whether reading a saved tensor would run code of the program (checkpointing, offloading)."""
    return torch._C._autograd._top_saved_tensors_default_hooks(False) is not None


@lru_cache(maxsize=1024)
def saved_names(kind: type) -> tuple[str, ...]:
    """The attributes under which torch shows what nodes of a kind saved."""
    if issubclass(kind, torch.autograd.function.BackwardCFunction):
        return ("saved_tensors",)
    return tuple(name for name in dir(kind) if name.startswith("_saved_"))

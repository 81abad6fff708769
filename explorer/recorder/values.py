"""Tensors → plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from math import isfinite
from typing import Any

import torch

from explorer.model import Number, TensorValue, from_float

MOST_DENSE = 2**22
"""Up to so many elements a sparse tensor is laid out in full."""

DEEPEST = 10
"""How deep in lists of lists tensors are looked for; a list may hold itself."""

CONTAINERS = list, tuple, dict

CreationMeta, creation_meta = torch._C._autograd.CreationMeta, torch._C._autograd._get_creation_meta


@cache
def dtype_name(dtype: torch.dtype) -> str:
    """torch's name without `torch.`: "float32"."""
    return str(dtype).removeprefix("torch.")


def grad_fn_of(tensor: torch.Tensor) -> Any:
    """A tensor's grad_fn; None of a view made without gradients and changed since, where torch has none to give."""
    try:
        return tensor.grad_fn
    except RuntimeError:
        return None


def grad_of(tensor: torch.Tensor) -> torch.Tensor | None:
    """A tensor's `.grad`, without the warning that torch has for whoever reads that of a result."""
    return tensor.grad if is_leaf(tensor) or tensor.retains_grad else None


def is_leaf(tensor: torch.Tensor) -> bool:
    """Whether a tensor is a leaf; torch cannot say it of a view made without gradients and changed since."""
    try:
        return tensor.is_leaf and not is_view_without_history(tensor)
    except RuntimeError:
        return False


def is_view_without_history(tensor: torch.Tensor) -> bool:
    """Whether it is a view made without gradients of what requires one.

    Torch says of such a view that it is a leaf and requires a gradient, and lets none through.
    """
    base = tensor._base
    return base is not None and base.requires_grad and creation_meta(tensor) == CreationMeta.NO_GRAD_MODE


def whole(tensor: torch.Tensor) -> TensorValue:
    """Every element of a tensor without a history."""
    values = tuple(numbers(tensor.reshape(-1).tolist()))
    return TensorValue(shape=tuple(tensor.shape), dtype=dtype_name(tensor.dtype), values=values)


def is_wrapped(tensor: torch.Tensor) -> bool:
    """Whether `torch.func` has made it of another tensor, for the time of a call."""
    return torch._C._functorch.is_functorch_wrapped_tensor(tensor)


def wrapped_in(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """The tensor that one of `torch.func`'s is made of, and the one that is made of, if need be."""
    while is_wrapped(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
        yield tensor


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor without its history, laid out in full.

    Raises:
        RuntimeError, NotImplementedError: It has a shape but nothing to read: on "meta", or batched by torch.func;
            or it is sparse and large.
    """
    while torch._C._functorch.is_gradtrackingtensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    plain = tensor.detach()
    if plain.is_meta or is_wrapped(plain):
        raise NotImplementedError
    if plain.is_quantized:
        return plain.dequantize()
    if plain._is_zerotensor():  # torch knows that it is zero, and has no memory for it
        return plain.clone()
    if plain.layout is torch.strided:
        return plain
    if plain.numel() > MOST_DENSE:
        raise NotImplementedError
    return plain.to_dense()


def unbatched(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor behind one that torch batches: the batch dimensions first, that of the outermost `vmap` in front.

    The same tensor where it is no such one.
    """
    if torch._C._functorch.is_legacy_batchedtensor(tensor):  # by `is_grads_batched`, which has a vmap of its own
        return torch._remove_batch_dim(tensor, 1, 1, 0)
    wrapped = []
    while is_wrapped(tensor):
        wrapped.append(torch._C._functorch.maybe_get_bdim(tensor))
        tensor = torch._C._functorch.get_unwrapped(tensor)
    dimensions = list(range(tensor.dim()))
    batches = [dimensions.pop(batch) for batch in reversed(wrapped) if batch >= 0]
    return tensor.permute(*batches, *dimensions) if batches else tensor


def is_ordinary(tensor: torch.Tensor) -> bool:
    """Whether torch can list a tensor's elements as it is."""
    # What is sparse, or wrapped by torch.func, has no storage.
    return torch._C._has_storage(tensor) and not tensor.is_quantized and not tensor.is_meta


def numbers(elements: list[Any]) -> Sequence[Number]:
    """Elements of `Tensor.tolist()` as JSON can hold them."""
    try:
        # A finite sum has finite parts only, and is quicker to tell.
        return elements if isfinite(sum(elements)) else list(map(from_float, elements))
    except TypeError:  # complex numbers are not finite or infinite for `math`
        return [str(element).strip("()") for element in elements]


def tensors_in(things: Iterable[Any], depth: int = 0) -> list[torch.Tensor]:
    """The tensors among arguments or results, through lists, tuples and dicts, in order."""
    found: list[torch.Tensor] = []
    for thing in things:
        if isinstance(thing, torch.Tensor):
            found.append(thing)
        elif isinstance(thing, CONTAINERS) and depth < DEEPEST:
            found += tensors_in(elements_of(thing), depth + 1)
    return found


def elements_of(container: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> Iterable[Any]:
    """What it holds, whatever a class of the program's that is derived from it would say."""
    if isinstance(container, dict):
        return dict.values(container)
    return list.__iter__(container) if isinstance(container, list) else tuple.__iter__(container)

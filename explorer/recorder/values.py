"""Tensors → plain numbers."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import torch

from explorer.model import Number, Stats, TensorValue, from_float

SAFE = 1e-25
"""A sum of squares between this and its inverse has lost nothing to float32's range."""

DEEPEST = 10
"""How deep in lists of lists tensors are looked for; a list may hold itself."""


def dtype_name(dtype: torch.dtype) -> str:
    """torch's name without `torch.`: "float32"."""
    return str(dtype).removeprefix("torch.")


def grad_fn_of(tensor: torch.Tensor) -> Any:
    """A tensor's grad_fn; None of a view made without gradients and changed since, where torch has none to give."""
    try:
        return tensor.grad_fn
    except RuntimeError:
        return None


def is_leaf(tensor: torch.Tensor) -> bool:
    """Whether a tensor is a leaf; torch cannot say it of a view made without gradients and changed since."""
    try:
        return tensor.is_leaf
    except RuntimeError:
        return False


def whole(tensor: torch.Tensor) -> TensorValue:
    """Every element of a tensor without a history."""
    values = tuple(numbers(tensor.reshape(-1).tolist()))
    return TensorValue(shape=tuple(tensor.shape), dtype=dtype_name(tensor.dtype), values=values)


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor without its history, laid out in full.

    Raises:
        RuntimeError, NotImplementedError: It has a shape but nothing to read: on "meta", or batched by torch.func.
    """
    while torch._C._functorch.is_gradtrackingtensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    plain = tensor.detach()
    if plain.is_meta or torch._C._functorch.is_functorch_wrapped_tensor(plain):
        raise NotImplementedError
    if plain.is_quantized:
        return plain.dequantize()
    return plain if plain.layout is torch.strided else plain.to_dense()


def unbatched(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor behind one that torch batches: the batch dimensions first, that of the outermost `vmap` in front.

    The same tensor where it is no such one.
    """
    if torch._C._functorch.is_legacy_batchedtensor(tensor):  # by `is_grads_batched`, which has a vmap of its own
        return torch._remove_batch_dim(tensor, 1, 1, 0)
    wrapped = []
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        wrapped.append(torch._C._functorch.maybe_get_bdim(tensor))
        tensor = torch._C._functorch.get_unwrapped(tensor)
    dimensions = list(range(tensor.dim()))
    batches = [dimensions.pop(batch) for batch in reversed(wrapped) if batch >= 0]
    return tensor.permute(*batches, *dimensions) if batches else tensor


def is_ordinary(tensor: torch.Tensor) -> bool:
    """Whether torch can list a tensor's elements as it is."""
    return (
        tensor.layout is torch.strided
        and not tensor.is_quantized
        and not tensor.is_meta
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def numbers(elements: list[Any]) -> Sequence[Number]:
    """Elements of `Tensor.tolist()` as JSON can hold them."""
    kind = type(elements[0]) if elements else int
    if kind is float:
        # A finite sum has finite parts only, and is quicker to tell.
        return elements if math.isfinite(sum(elements)) else list(map(from_float, elements))
    if kind is complex:
        return [str(element).strip("()") for element in elements]
    return elements


def stats(tensor: torch.Tensor) -> Stats:
    """Statistics of a large tensor, computed by torch; of what `expand` repeats, once.

    Sums are in the tensor's own precision, and in float64 where float32 would overflow or underflow.
    """
    once = tensor[tuple([slice(1 if stride == 0 else None) for stride in tensor.stride()])]
    if once.numel() < tensor.numel():
        return repeated(stats(once), tensor.numel() // once.numel())
    real = (tensor.abs() if tensor.is_complex() else tensor).reshape(-1)
    if real.dtype not in {torch.float32, torch.float64}:
        real = real.to(torch.float64)
    lowest, highest = real.aminmax()
    low, high = lowest.item(), highest.item()
    if not (math.isfinite(low) and math.isfinite(high)):
        return stats_of_finite(real.to(torch.float64))
    total, square = real.sum().item(), torch.dot(real, real).item()
    norm = math.sqrt(square)
    if not (math.isfinite(total) and SAFE < square < 1 / SAFE):
        total = real.sum(dtype=torch.float64).item()
        norm = torch.linalg.vector_norm(real, dtype=torch.float64).item()
    return Stats(
        min=low,
        max=high,
        mean=representable(total / real.numel()),
        norm=representable(norm),
        zero=zeros_in(real) if low <= 0 <= high else 0,
    )


def repeated(once: Stats, times: int) -> Stats:
    """Statistics of a tensor that holds others' elements several times."""
    norm = representable(once.norm * math.sqrt(times))
    return msgspec.structs.replace(once, norm=norm, nan=once.nan * times, inf=once.inf * times, zero=once.zero * times)


def zeros_in(real: torch.Tensor) -> int:
    """How many elements are 0; up to 2**24, float32 counts exactly, and several times faster than `count_nonzero`."""
    if real.numel() >= 2**24:
        return real.numel() - int(real.count_nonzero())
    signs = real.sign()
    return real.numel() - int(torch.dot(signs, signs))


def stats_of_finite(real: torch.Tensor) -> Stats:
    """Statistics over the finite elements of a tensor that holds others too."""
    finite = real[real.isfinite()]
    nan = int(real.isnan().sum())
    some = finite.numel() > 0
    return Stats(
        min=float(finite.min()) if some else None,
        max=float(finite.max()) if some else None,
        mean=representable(float(finite.mean())) if some else None,
        norm=representable(float(finite.norm())),
        nan=nan,
        inf=real.numel() - finite.numel() - nan,
        zero=int((finite == 0).sum()),
    )


def representable(number: float) -> float:
    """The number, or the largest there is where adding up has left the range: JSON has no infinity."""
    return max(-sys.float_info.max, min(sys.float_info.max, number))


def tensors_in(*things: Any, depth: int = 0) -> list[torch.Tensor]:
    """The tensors in arguments or results, through lists, tuples and dicts, in order."""
    found: list[torch.Tensor] = []
    for thing in things:
        if isinstance(thing, torch.Tensor):
            found.append(thing)
        elif isinstance(thing, (list, tuple, dict)) and depth < DEEPEST:
            found += tensors_in(*elements_of(thing), depth=depth + 1)
    return found


def elements_of(container: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> Iterable[Any]:
    """What it holds, whatever a class of the program's that is derived from it would say."""
    if isinstance(container, dict):
        return dict.values(container)
    return list.__iter__(container) if isinstance(container, list) else tuple.__iter__(container)

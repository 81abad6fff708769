"""Tensors → plain numbers."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from explorer.model import Number, Stats, TensorValue, from_float


def tensor_value(tensor: torch.Tensor, most: int) -> TensorValue:
    """What a tensor holds now: every element, or a sample of `most` spread evenly over it.

    Reads only: no version counter, graph, random state or `.grad` changes.
    """
    shape, dtype = tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")
    try:
        flat = dense(tensor).reshape(-1)
        if flat.numel() <= most:
            return TensorValue(shape=shape, dtype=dtype, values=numbers(flat.tolist()))
        indices = tuple(round(i * (flat.numel() - 1) / max(most - 1, 1)) for i in range(most))
        sample = flat[torch.tensor(indices, dtype=torch.long)]
        return TensorValue(
            shape=shape, dtype=dtype, values=numbers(sample.tolist()), indices=indices, summary=stats(flat)
        )
    except (RuntimeError, NotImplementedError):
        # Tensors that torch.func wraps, or that live on "meta", have a shape but nothing to read.
        return TensorValue(shape=shape, dtype=dtype, values=(), indices=(), summary=Stats())


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor without its history, laid out in full."""
    plain = tensor.detach()
    if plain.is_quantized:
        return plain.dequantize()
    return plain if plain.layout is torch.strided else plain.to_dense()


def numbers(elements: Sequence[Any]) -> tuple[Number, ...]:
    """Elements of `Tensor.tolist()` as JSON can hold them."""
    if not elements or isinstance(elements[0], int):
        return tuple(elements)
    if isinstance(elements[0], complex):
        return tuple(str(element).strip("()") for element in elements)
    if all(map(math.isfinite, elements)):
        return tuple(elements)
    return tuple(map(from_float, elements))


def stats(flat: torch.Tensor) -> Stats:
    """Statistics of a large tensor, computed by torch."""
    real = (flat.abs() if flat.is_complex() else flat).to(torch.float64)
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


def tensors_in(thing: Any) -> Iterator[torch.Tensor]:
    """The tensors in arguments or results, through lists, tuples and dicts, in order."""
    if isinstance(thing, torch.Tensor):
        yield thing
    elif isinstance(thing, (list, tuple)):
        for part in thing:
            yield from tensors_in(part)
    elif isinstance(thing, dict):
        for part in thing.values():
            yield from tensors_in(part)

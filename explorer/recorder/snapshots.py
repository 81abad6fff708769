"""What tensors hold at one moment, taken quickly; most numbers are written down when the session ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import torch
from msgspec.structs import force_setattr
from torch.multiprocessing.reductions import StorageWeakRef

from explorer.model import Number, Stats, TensorValue
from explorer.recorder.limits import Budget
from explorer.recorder.values import dense, dtype_name, is_ordinary, numbers, stats, unbatched

FEW = 32
"""Up to so many elements, writing down is quicker than copying."""

PLAIN = {torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.complex128}
PLAIN |= {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}
"""The types that `torch.cat` and `tolist` handle alike."""

T = TypeVar("T")

Waiting = tuple[TensorValue, torch.Tensor, tuple[int, ...] | None]
"""(the value to fill, a copy of its elements, their indices where they are a sample)."""


class Snapshots:
    """Takes the values of tensors.

    Reads only: no version counter, graph, random state or `.grad` changes, and no tensor of the program is kept.
    The numbers of a value with more than `FEW` elements are a copy at first and become Python numbers in `fill`,
    all at once, which is many times faster than one tensor after the other.

    Args:
        budget: How many elements it may keep, of each tensor and of all.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._most = budget.limits.values
        self._sample = min(budget.limits.values, budget.limits.sample)
        self._waiting: dict[torch.dtype, list[Waiting]] = {}
        self._recent: dict[tuple[Any, ...], tuple[StorageWeakRef, Any]] = {}
        self._dtypes: dict[torch.dtype, str] = {}
        self._places: dict[int, tuple[tuple[int, ...], torch.Tensor]] = {}

    def take(self, tensor: torch.Tensor) -> TensorValue:
        """What a tensor holds now."""
        kind = tensor.dtype
        dtype = self._dtypes.get(kind) or self._dtypes.setdefault(kind, dtype_name(kind))
        shape: tuple[int, ...] = ()
        try:
            shape, count = tuple(tensor.shape), tensor.numel()
            if count > FEW:
                return self._take_once(tensor, shape, dtype, count)
            self._budget.elements -= count
            return TensorValue(shape=shape, dtype=dtype, values=tuple(listed(tensor, len(shape))))
        except (RuntimeError, NotImplementedError):
            with suppress(RuntimeError, NotImplementedError):
                if (batch := unbatched(tensor)) is not tensor:
                    return self.take(batch)
            # Tensors that live on "meta" have a shape but nothing to read.
            return TensorValue(shape=shape, dtype=dtype, values=(), indices=(), summary=Stats())

    def forget(self) -> None:
        """Begins a new moment: the program runs on, and may change a tensor where no counter tells."""
        self._recent.clear()

    def fill(self) -> None:
        """Writes down the numbers of all values that wait for them."""
        for waiting in self._waiting.values():
            self._fill(waiting)
        self._waiting.clear()
        self._recent.clear()

    def _take_once(self, tensor: torch.Tensor, shape: tuple[int, ...], dtype: str, count: int) -> TensorValue:
        """The same memory in the same state within one moment is the same value."""
        self._budget.elements -= count if count <= self._most else self._sample
        if not is_ordinary(tensor) or tensor.is_inference():
            return self._copy(dense(tensor), shape, dtype, stats)
        memory = tensor.data_ptr(), tensor._version, count, dtype
        key = *memory, shape, tensor.stride(), tensor.is_conj(), tensor.is_neg()
        return self._once(tensor, key, lambda: self._copy(tensor.detach(), shape, dtype, partial(self._stats, memory)))

    def _copy(
        self, plain: torch.Tensor, shape: tuple[int, ...], dtype: str, stats_of: Callable[[torch.Tensor], Stats]
    ) -> TensorValue:
        if plain.dtype not in PLAIN:
            plain = plain.to(torch.complex64 if plain.is_complex() else torch.float64)
        if plain.numel() <= self._most:
            value = TensorValue(shape=shape, dtype=dtype, values=(), indices=())
            copy, indices = plain.clone(memory_format=torch.contiguous_format), None
        else:
            value = TensorValue(shape=shape, dtype=dtype, values=(), indices=(), summary=stats_of(plain))
            indices, places = self._spread(plain.numel())
            copy = plain.take(places.to(plain.device))
        self._waiting.setdefault(copy.dtype, []).append((value, copy.view(-1), indices))
        return value

    def _stats(self, memory: tuple[Any, ...], plain: torch.Tensor) -> Stats:
        """Statistics, the same for a matrix and its transpose, which linear layers save."""
        in_order = plain.t() if plain.dim() == 2 and not plain.is_contiguous() else plain
        return self._once(plain, memory, lambda: stats(in_order)) if in_order.is_contiguous() else stats(plain)

    def _once(self, tensor: torch.Tensor, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What was made for that key within this moment, as long as the tensor's memory is still its own."""
        recent = self._recent.get(key)
        if recent is not None and not recent[0].expired():  # type: ignore[no-untyped-call]
            return recent[1]  # type: ignore[no-any-return]
        made = make()
        self._recent[key] = StorageWeakRef(tensor.untyped_storage()), made  # type: ignore[no-untyped-call]
        return made

    def _spread(self, count: int) -> tuple[tuple[int, ...], torch.Tensor]:
        """The flat indices of a sample of so many elements, as a tuple and as a tensor."""
        if count not in self._places:
            step = (count - 1) / max(self._sample - 1, 1)
            indices = tuple(round(i * step) for i in range(self._sample))
            self._places[count] = indices, torch.tensor(indices, dtype=torch.long, device="cpu")
        return self._places[count]

    def _fill(self, waiting: list[Waiting]) -> None:
        elements = written(torch.cat([copy for _, copy, _ in waiting]))
        start = 0
        for value, copy, indices in waiting:
            end = start + len(copy)
            # The value is frozen for everybody who reads a recording; there is none yet.
            force_setattr(value, "values", tuple(elements[start:end]))
            force_setattr(value, "indices", indices)
            start = end


def listed(tensor: torch.Tensor, dimensions: int) -> Sequence[Number]:
    """The elements of a small tensor as JSON can hold them."""
    if dimensions == 1 and is_ordinary(tensor):
        return numbers(tensor.tolist())
    if dimensions == 0 and is_ordinary(tensor):
        return numbers([tensor.item()])
    return numbers(dense(tensor).reshape(-1).tolist())


def written(flat: torch.Tensor) -> list[Any]:
    """Many elements as JSON can hold them; looks at single ones only where they are not finite."""
    elements: list[Any] = flat.tolist()
    if flat.is_complex():
        return list(numbers(elements))
    if flat.is_floating_point():
        for index in flat.isfinite().logical_not().nonzero().view(-1).tolist():
            elements[index] = numbers([elements[index]])[0]
    return elements

"""What tensors hold at one moment, taken quickly; of larger ones the numbers are written down later."""

from __future__ import annotations

import weakref
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
import torch
from msgspec.structs import force_setattr

from explorer.model import Stats, TensorValue
from explorer.recorder.limits import Budget
from explorer.recorder.statistics import TOGETHER, Remembered, Statistics, in_memory_order, repeated, without_repetition
from explorer.recorder.storages import Storages
from explorer.recorder.values import dense, dtype_name, is_ordinary, numbers, unbatched

FEW = 32
"""Up to so many elements, lists of rows are quicker to join than a tensor to lay out in one."""

COPIED = 2**14
"""Up to so many elements, copying a tensor and looking at many copies at once is quicker than looking at it alone."""

MOST_ROWS = 32
"""Nor more tensors than that."""

MOST_BATCHES = 32
"""How many shapes of tensors are gathered at a time; a transformer's layer alone has about twenty, both passes taken
together. Each takes up to `TOGETHER` elements of memory."""

PLAIN = {torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64, torch.complex128}
PLAIN |= {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}
"""The types that copies, statistics and `tolist` handle alike."""


class Passed(msgspec.Struct, frozen=True, gc=False):
    """A gradient on its way, as it was when it was last looked at.

    Args:
        grad, version: The tensor, and how often it had been changed in place.
        value: What it held.
        price: How many elements of the budget that was.
    """

    grad: weakref.ref[torch.Tensor]
    version: int
    value: TensorValue
    price: int


class Batch:
    """Copies of tensors of one type and shape, in memory that is used again and again.

    Args:
        dtype: The tensors' type.
        shape: Their sizes.
        count: How many elements each has.
    """

    def __init__(self, dtype: torch.dtype, shape: tuple[int, ...], count: int) -> None:
        self.matrix = torch.empty(min(TOGETHER // count, MOST_ROWS), count, dtype=dtype, device="cpu")
        self.places = self.matrix.view(-1, *shape).unbind()
        """Its rows."""
        self.values: list[TensorValue] = []
        """Those to fill, one for each row in use."""


class Snapshots:
    """Takes the values of tensors.

    Reads only: no version counter, graph, random state or `.grad` changes, and no tensor of the program is kept.
    Up to so many elements as are kept whole, listing them at once is quicker than copying them first. A larger tensor
    of up to `COPIED` elements is a copy at first and becomes sample and statistics later, at the latest in `fill`:
    many tensors together, which is many times faster than one after the other.

    Args:
        budget: How many elements it may keep, of each tensor and of all.
        storages: Knows memory again.
    """

    def __init__(self, budget: Budget, storages: Storages) -> None:
        self._budget = budget
        self._storages = storages
        self._statistics = Statistics()
        self._remembered = Remembered()
        self._most = budget.limits.values
        self._sample = min(budget.limits.values, budget.limits.sample)
        self._batches: dict[tuple[torch.dtype, tuple[int, ...]], Batch] = {}
        self._recent: dict[tuple[Any, ...], TensorValue] = {}
        self._passed: dict[int, Passed] = {}
        self._results: dict[tuple[str, int, int], tuple[TensorValue, int]] = {}
        """What results held when they were last looked at, and how many elements of the budget that was."""
        self._recent_stats: dict[Any, Stats] = {}
        self.has_met_batches = False
        """Whether a tensor has stood for many, as `vmap` has it."""

    def take(self, tensor: torch.Tensor) -> TensorValue:
        """What a tensor holds now."""
        try:
            shape, dtype, count = form_of(tensor.shape, tensor.dtype)
            if count > self._most:
                return self._take_part(tensor, shape, dtype, count)
            elements = tensor.tolist() if len(shape) == 1 else listed(tensor, shape, count)
        except (RuntimeError, NotImplementedError):
            return self._take_rare(tensor)
        self._budget.elements -= count
        return TensorValue(shape=shape, dtype=dtype, values=tuple(numbers(elements)))

    def _take_rare(self, tensor: torch.Tensor) -> TensorValue:
        """What a tensor holds that is not listed at once: sparse, quantized, known to be zero, or of torch.func's."""
        shape: tuple[int, ...] = ()
        dtype = dtype_name(tensor.dtype)
        with suppress(RuntimeError, NotImplementedError):
            shape, dtype, count = form_of(tensor.shape, tensor.dtype)
            if (batch := unbatched(tensor)) is not tensor:
                self.has_met_batches = True
                return self.take(batch)
            plain = alike(dense(tensor))
            if count > self._most:
                return self._take_part(plain, shape, dtype, count)
            self._budget.elements -= count
            return TensorValue(shape=shape, dtype=dtype, values=tuple(numbers(plain.reshape(-1).tolist())))
        # Tensors that live on "meta" have a shape but nothing to read.
        return TensorValue(shape=shape, dtype=dtype, values=(), indices=(), summary=Stats())

    def take_result(self, node_id: str, result: torch.Tensor) -> TensorValue:
        """What a result of a node holds, read once within a moment, however many nodes have saved it.

        Args:
            node_id: The node that made it.
            result: The result.
        """
        key = node_id, result.output_nr, result._version
        if (known := self._results.get(key)) is not None:
            self._budget.elements -= known[1]
            return known[0]
        known = self._results[key] = self._priced(result)
        return known[0]

    def take_passing(self, grad: torch.Tensor | None) -> TensorValue | None:
        """What a gradient holds that the engine carries from node to node; None of an undefined one.

        What one node hands on and the next receives is the same object, and that is quicker to tell than to read.
        """
        if grad is None:
            return None
        address = id(grad)
        passed = self._passed.get(address)
        if passed is not None and passed.grad() is grad and passed.version == grad._version:
            self._budget.elements -= passed.price
            return passed.value
        value, price = self._priced(grad)
        if not grad.is_inference():
            self._passed[address] = Passed(weakref.ref(grad), grad._version, value, price)
        return value

    def _priced(self, tensor: torch.Tensor) -> tuple[TensorValue, int]:
        """What a tensor holds, and how many elements of the budget that took."""
        before = self._budget.elements
        return self.take(tensor), before - self._budget.elements

    def forget(self) -> None:
        """Begins a new moment: the program runs on, and may change a tensor where no counter tells."""
        self._results.clear()
        if self._recent or self._passed:
            self._recent.clear()
            self._recent_stats.clear()
            self._passed.clear()

    def fill(self) -> None:
        """Writes down the numbers of all values that wait for them."""
        self._look_at_all()
        self.forget()

    def _take_part(self, tensor: torch.Tensor, shape: tuple[int, ...], dtype: str, count: int) -> TensorValue:
        self._budget.elements -= self._sample
        plain = without_history(tensor)
        if count > COPIED:
            return self._take_once(plain, shape, dtype, count)
        plain = alike(plain)
        value = TensorValue(shape=shape, dtype=dtype, values=(), indices=())
        batch = self._batches.get((plain.dtype, shape)) or self._new_batch(plain.dtype, shape, count)
        values = batch.values
        batch.places[len(values)].copy_(plain)
        values.append(value)
        if len(values) == len(batch.places):
            self._look(batch)
        return value

    def _take_once(self, plain: torch.Tensor, shape: tuple[int, ...], dtype: str, count: int) -> TensorValue:
        """The same memory in the same state within one moment is the same value."""
        if plain.is_inference():
            return self._sampled(plain, shape, dtype, count, None)
        address = self._storages.address(plain.untyped_storage())
        memory = address, plain.data_ptr(), plain._version, count, dtype, plain.is_neg()
        key = *memory, shape, plain.stride(), plain.is_conj()
        if (value := self._recent.get(key)) is None:
            value = self._recent[key] = self._sampled(plain, shape, dtype, count, memory)
        return value

    def _new_batch(self, dtype: torch.dtype, shape: tuple[int, ...], count: int) -> Batch:
        if len(self._batches) == MOST_BATCHES:
            self._look_at_all()
        batch = self._batches[dtype, shape] = Batch(dtype, shape, count)
        return batch

    def _look(self, batch: Batch) -> None:
        """Takes samples and statistics of the tensors copied so far."""
        rows = batch.matrix[: len(batch.values)]
        indices, places = spread(rows.shape[1], self._sample)
        samples = rows.index_select(1, places).tolist()
        for value, sample, summary in zip(batch.values, samples, self._statistics.of_rows(rows), strict=True):
            # The value is frozen for everybody who reads a recording; there is none yet.
            force_setattr(value, "values", tuple(numbers(sample)))
            force_setattr(value, "indices", indices)
            force_setattr(value, "summary", summary)
        batch.values.clear()

    def _look_at_all(self) -> None:
        for batch in self._batches.values():
            if batch.values:
                self._look(batch)
        self._batches.clear()

    def _sampled(
        self, plain: torch.Tensor, shape: tuple[int, ...], dtype: str, count: int, memory: tuple[Any, ...] | None
    ) -> TensorValue:
        """A sample and statistics, taken at once."""
        plain = alike(plain)
        indices, places = spread(count, self._sample)
        values = tuple(numbers(plain.take(places.to(plain.device)).tolist()))
        return TensorValue(shape=shape, dtype=dtype, values=values, indices=indices, summary=self._stats(plain, memory))

    def _stats(self, plain: torch.Tensor, memory: tuple[Any, ...] | None) -> Stats:
        """Statistics, the same for all that look at the same elements: a matrix and its transpose, heads of one."""
        elements = in_memory_order(without_repetition(plain))
        times = plain.numel() // elements.numel()
        if memory is None or elements.data_ptr() != plain.data_ptr():  # a copy of what does not lie side by side
            return repeated(self._of_row(elements), times)
        key = memory, elements.numel()
        if (found := self._recent_stats.get(key)) is None:
            found = self._recent_stats[key] = repeated(self._remembered.of(key, elements, self._of_row), times)
        return found

    def _of_row(self, elements: torch.Tensor) -> Stats:
        return self._statistics.of_rows(elements.view(1, -1))[0]


@lru_cache(maxsize=4096)
def form_of(size: torch.Size, dtype: torch.dtype) -> tuple[tuple[int, ...], str, int]:
    """A tensor's sizes, its type and the number of its elements, the same objects for all that are alike.

    Raises:
        NotImplementedError: A size is no number, as that of a ragged dimension.
    """
    if any(isinstance(one, torch.SymInt) for one in size):
        raise NotImplementedError
    return tuple(size), dtype_name(dtype), size.numel()


@lru_cache(maxsize=256)
def spread(count: int, sample: int) -> tuple[tuple[int, ...], torch.Tensor]:
    """The flat indices of a sample of so many elements, as a tuple and as a tensor."""
    step = (count - 1) / max(sample - 1, 1)
    indices = tuple([round(i * step) for i in range(sample)])
    return indices, torch.tensor(indices, dtype=torch.long, device="cpu")


def alike(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of a rare type in one that can be handled like all others."""
    if tensor.dtype in PLAIN:
        return tensor
    return tensor.to(torch.complex64 if tensor.is_complex() else torch.float64)


def listed(tensor: torch.Tensor, shape: tuple[int, ...], count: int) -> list[Any]:
    """The elements of a tensor in order, whatever its shape."""
    match len(shape):
        case 0:
            return [tensor.item()]
        case 2 if count <= FEW:
            return list(chain.from_iterable(tensor.tolist()))
    return without_history(tensor).reshape(-1).tolist()


def without_history(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor that builds no graph, whatever is done with it, and can be read.

    Raises:
        RuntimeError, NotImplementedError: As `dense`.
    """
    if not is_ordinary(tensor):
        return dense(tensor)
    return tensor.detach() if tensor.requires_grad else tensor

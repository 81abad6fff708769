"""Which tensors share their memory, and whose version counter an in-place change moves."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from operator import attrgetter

import torch


class Storages:
    """Numbers the memory behind saved tensors, in order of appearance, and knows the tensors that own it by id.

    Weak references throughout: no memory is kept, and none is given a number that another has had.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._known: set[int] = set()
        self._owners: dict[int, dict[str, None]] = {}
        self._tensors: dict[str, weakref.ref[torch.Tensor]] = {}

    def __del__(self) -> None:
        for address in self._known:
            torch.UntypedStorage._free_weak_ref(address)  # type: ignore[no-untyped-call]

    def address(self, storage: torch.UntypedStorage) -> int:
        """Where torch keeps a storage, held weakly from now on: no later one gets its address."""
        address: int = storage._cdata
        if address not in self._known:
            storage._weak_ref()
            self._known.add(address)
        return address

    def number(self, storage: torch.UntypedStorage, owner_id: str | None) -> int:
        """The number of a saved tensor's memory.

        Args:
            storage: Of what a node saved.
            owner_id: The leaf that it is, or the node whose result it is.
        """
        number = self._numbers.get(storage._cdata)
        if number is None:
            number = self._numbers[self.address(storage)] = len(self._numbers)
        if owner_id is not None:
            self._owners.setdefault(number, {})[owner_id] = None
        return number

    def known_number(self, tensor: torch.Tensor) -> int | None:
        """The number of a tensor's memory; None where no node has saved any of it."""
        storage = storage_of(tensor)
        return None if storage is None else self._numbers.get(storage._cdata)

    def know(self, owner_id: str, tensor: torch.Tensor) -> None:
        """Notes which tensor a leaf is, or which one a node made."""
        self._tensors[owner_id] = weakref.ref(tensor)

    def counted_with(self, tensor: torch.Tensor) -> tuple[str, ...]:
        """The owners of what was saved in this tensor's memory whose version is now this tensor's."""
        number = self.known_number(tensor)
        owners = () if number is None else self._owners.get(number, ())
        return tuple(owner for owner in owners if self._is_at(owner, tensor))

    def _is_at(self, owner_id: str, tensor: torch.Tensor) -> bool:
        known = self._tensors.get(owner_id)
        alive = None if known is None else known()
        return alive is not None and storage_of(alive) is not None and version(alive) == version(tensor)


def storage_of(tensor: torch.Tensor) -> torch.UntypedStorage | None:
    """The memory behind a tensor; None where there is none to speak of."""
    try:
        return tensor.untyped_storage()
    except (RuntimeError, NotImplementedError):
        return None


def version(tensor: torch.Tensor) -> int:
    """How often a tensor was changed in place; 0 where torch does not count (inference mode)."""
    return 0 if tensor.is_inference() else tensor._version


_version_of: Callable[[torch.Tensor], int] = attrgetter("_version")


def versions(tensors: Sequence[torch.Tensor]) -> list[int]:
    """The versions of many tensors."""
    try:
        return list(map(_version_of, tensors))
    except RuntimeError:
        return [version(tensor) for tensor in tensors]

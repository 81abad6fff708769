"""What programs get in place of names that would do more than a program needs.

`functools.wraps` can copy any attribute from one object to another when it is told which; tensor classes, called with a
keyword that is not documented, take a number for an address.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

LEGACY_TENSORS = (
    "FloatTensor DoubleTensor HalfTensor BFloat16Tensor LongTensor IntTensor ShortTensor CharTensor ByteTensor "
    "BoolTensor"
)


class LegacyTensor:
    """A class such as `torch.FloatTensor`, to be called with values or sizes only.

    Args:
        real: torch's own.
    """

    def __init__(self, real: Any) -> None:
        self._real = real

    def __call__(self, *values: Any) -> Any:
        return self._real(*values)

    def __instancecheck__(self, obj: object) -> bool:
        return isinstance(obj, self._real)

    def __repr__(self) -> str:
        return repr(self._real)


def wraps(wrapped: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`functools.wraps`, of the usual attributes only."""
    return functools.wraps(wrapped)


def stand_ins(modules: Mapping[str, ModuleType]) -> dict[tuple[str, str], object]:
    """What to hand out instead, by module and name."""
    torch: Any = modules["torch"]
    legacy = {("torch", name): LegacyTensor(getattr(torch, name)) for name in LEGACY_TENSORS.split()}
    return {**legacy, ("functools", "wraps"): wraps}


def seal(torch: Any) -> None:
    """Changes torch in this process, for good: tensors take no addresses, sparse tensors look at their indices."""
    plain = torch._C.TensorBase.__new__

    def new(cls: type, *values: Any, **options: Any) -> Any:
        if "cdata" in options:
            raise TypeError("Tensor() got an unexpected keyword argument 'cdata'")
        return plain(cls, *values, **options)

    torch.Tensor.__new__ = staticmethod(new)
    torch.sparse.check_sparse_tensor_invariants.enable()

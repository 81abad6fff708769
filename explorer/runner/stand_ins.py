"""What programs get in place of names that would do more than a program needs.

`functools.wraps` copies a whole dictionary of attributes from one object to another; `dataclass` and `catch_warnings`
write into what they are given; a copy with a dictionary of one's own gives methods another `self`; `functional_call`
sets attributes by name; and some constructors of torch take addresses or skip the checks of their arguments when told
so. What is reached from within libraries too is changed there: `explorer.runner.seals`.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from explorer.runner.classes import Classes, StandIn
from explorer.runner.names import FILENAME, exact, is_dunder

LEGACY_TENSORS = (
    "FloatTensor DoubleTensor HalfTensor BFloat16Tensor LongTensor IntTensor ShortTensor CharTensor ByteTensor "
    "BoolTensor"
)

UNCHECKED = {
    "check_invariants": "sparse_coo_tensor sparse_compressed_tensor sparse_csr_tensor sparse_csc_tensor "
    "sparse_bsr_tensor sparse_bsc_tensor",
    "unsafe": "segment_reduce",
}
"""Keywords of torch's functions that switch the checks of indices off; they are dropped."""

Refuse = Callable[..., NoReturn]


class LegacyTensor(StandIn):
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


def stand_ins(modules: Mapping[str, ModuleType], classes: Classes, refuse: Refuse) -> dict[tuple[str, str], object]:
    """What to hand out instead, by module and name."""
    of_classes = {
        ("dataclasses", "dataclass"): _of_own(dataclasses.dataclass, classes, refuse),
        ("functools", "total_ordering"): _of_own(functools.total_ordering, classes, refuse),
    }
    return {**_for_all_programs(modules["torch"]), **of_classes}


@cache
def _for_all_programs(torch: Any) -> dict[tuple[str, str], object]:
    legacy = {("torch", name): LegacyTensor(getattr(torch, name)) for name in LEGACY_TENSORS.split()}
    checked = {
        ("torch", name): _without(keyword, getattr(torch, name))
        for keyword, names in UNCHECKED.items()
        for name in names.split()
    }
    plain = {("functools", "wraps"): wraps, ("copy", "copy"): copy_once, ("copy", "deepcopy"): deepcopy}
    plain["warnings", "catch_warnings"] = _without("module", warnings.catch_warnings)
    plain["torch.func", "functional_call"] = _with_plain_names(torch.func.functional_call)
    return {**legacy, **checked, **plain}


def wraps(wrapped: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`functools.wraps`, of the usual attributes, and only for functions of the program's own."""
    update = functools.wraps(wrapped)

    def decorate(wrapper: Callable[..., Any]) -> Callable[..., Any]:
        if type(wrapper) is not FunctionType or wrapper.__code__.co_filename != FILENAME:
            raise TypeError(f"{type(wrapper).__name__!r} object is no function of the program's")
        return update(wrapper)

    return decorate


def copy_once(x: Any) -> Any:
    """`copy.copy`."""
    return copy.copy(x)


def deepcopy(x: Any) -> Any:
    """`copy.deepcopy`, without a dictionary that says what to take for which object."""
    return copy.deepcopy(x)


def _without(keyword: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop(keyword, None)
        return function(*args, **kwargs)

    return checked


def _with_plain_names(call: Callable[..., Any]) -> Callable[..., Any]:
    """`functional_call`, which sets attributes of modules: of names that Python does not ask for."""

    def plain(given: Any) -> Any:
        if isinstance(given, (list, tuple)):
            return tuple(map(plain, given))
        if not isinstance(given, dict):
            return given
        named = {exact(name): value for name, value in given.items()}
        for name in named:
            if isinstance(name, str) and any(map(is_dunder, name.split("."))):
                raise KeyError(f"{name!r} cannot be the name of a parameter")
        return named

    @functools.wraps(call)
    def checked(module: Any, parameter_and_buffer_dicts: Any, *args: Any, **options: Any) -> Any:
        return call(module, plain(parameter_and_buffer_dicts), *args, **options)

    return checked


def _of_own(decorate: Callable[..., Any], classes: Classes, refuse: Refuse) -> Callable[..., Any]:
    """A decorator of classes that changes no library's, and whose new class is the program's own too."""

    @functools.wraps(decorate)
    def decorator(cls: Any = None, /, **options: Any) -> Any:
        if cls is None:
            return lambda cls: decorator(cls, **options)
        if isinstance(cls, type):
            if cls not in classes:
                refuse("assign_foreign", name=cls.__name__)
            for name, value in vars(cls).items():
                if isinstance(value, dataclasses.Field) and value.name is not None:
                    raise TypeError(f"the field {name!r} is the field {value.name!r} of another class already")
        made = decorate(cls, **options)
        if isinstance(made, type):
            classes.add(made)  # with slots it is another class
            classes.check_fields(made)
        return made

    return decorator

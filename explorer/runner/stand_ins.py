"""What programs get in place of names that would do more than a program needs.

`functools.wraps` copies a whole dictionary of attributes from one object to another; `dataclass` and `catch_warnings`
write into what they are given; a copy with a dictionary of one's own gives methods another `self`; a parametrization is
handed an attribute by name; and some constructors of torch take addresses or skip the checks of their arguments when
told so.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType, MethodType, ModuleType
from typing import Any, NoReturn

from explorer.runner.classes import Classes, StandIn
from explorer.runner.names import exact, is_dunder

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
    parametrize = torch.nn.utils.parametrize
    plain[parametrize.__name__, "register_parametrization"] = _of_module(parametrize.register_parametrization, torch)
    return {**legacy, **checked, **plain}


def wraps(wrapped: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`functools.wraps`, of the usual attributes only."""
    return functools.wraps(wrapped)


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


def _of_module(register: Callable[..., Any], torch: Any) -> Callable[..., Any]:
    """`register_parametrization` reads an attribute by name where an object says that it has it: let it be a module."""

    @functools.wraps(register)
    def checked(module: Any, tensor_name: str, parametrization: Any, **options: Any) -> Any:
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"{type(module).__name__!r} object is not a module")
        return register(module, exact(tensor_name), parametrization, **options)

    return checked


def _of_own(decorate: Callable[..., Any], classes: Classes, refuse: Refuse) -> Callable[..., Any]:
    """A decorator of classes that changes no library's, and whose new class is the program's own too."""

    @functools.wraps(decorate)
    def decorator(cls: Any = None, /, **options: Any) -> Any:
        if cls is None:
            return lambda cls: decorator(cls, **options)
        if isinstance(cls, type) and cls not in classes:
            refuse("assign_foreign", name=cls.__name__)
        made = decorate(cls, **options)
        if isinstance(made, type):
            classes.add(made)  # with slots it is another class
        for field in dataclasses.fields(made) if dataclasses.is_dataclass(made) else ():
            if classes.is_library_attribute(made, field.name):  # `asdict` would read it, and nobody look
                refuse("name_of_library", name=field.name)
        return made

    return decorator


def seal(modules: Mapping[str, ModuleType]) -> None:
    """Changes torch and Python in this process, for good, where what is handed out as it is would do too much."""
    torch: Any = modules["torch"]
    torch.sparse.check_sparse_tensor_invariants.enable()
    torch.Tensor.__new__ = staticmethod(_without_address(torch._C.TensorBase.__new__))
    torch.Tensor.type = _of_legacy(torch.Tensor.type)
    functools.update_wrapper = update_wrapper
    copy._deepcopy_dispatch[MethodType] = _copy_method  # type: ignore[attr-defined]
    module: Any = torch.nn.Module
    module.add_module = _refusing_hidden_names(module.add_module)
    _keep_to_keys(torch.nn.ParameterDict)
    for name in ("get_buffer", "get_parameter", "set_submodule"):
        setattr(module, name, _with_plain_paths(getattr(module, name), module.get_submodule))


def update_wrapper(wrapper: Any, wrapped: Any, *_: Any, **__: Any) -> Any:
    """`functools.update_wrapper`, which copies further attributes from functions alone.

    From a class or a module it would copy all that they hold into an object that nobody guards.
    """
    for name in functools.WRAPPER_ASSIGNMENTS:
        if (value := getattr(wrapped, name, None)) is not None:
            setattr(wrapper, name, value)
    if type(wrapped) is FunctionType:
        wrapper.__dict__.update(wrapped.__dict__)
    wrapper.__wrapped__ = wrapped
    return wrapper


def _of_legacy(plain: Callable[..., Any]) -> Callable[..., Any]:
    """`x.type(torch.DoubleTensor)`, where programs have a stand-in for the class."""

    @functools.wraps(plain)
    def change_type(self: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        return plain(self, dtype._real if isinstance(dtype, LegacyTensor) else dtype, *args, **kwargs)

    return change_type


def _without_address(plain: Callable[..., Any]) -> Callable[..., Any]:
    def new(cls: type, *values: Any, **options: Any) -> Any:
        if "cdata" in options:
            raise TypeError("Tensor() got an unexpected keyword argument 'cdata'")
        return plain(cls, *values, **options)

    return new


def _copy_method(method: MethodType, memo: dict[int, Any]) -> MethodType:
    """As `copy` copies methods; the copy's `self` must be of the same class."""
    owner = copy.deepcopy(method.__self__, memo)
    if type(owner) is not type(method.__self__):
        raise TypeError(f"cannot copy {method.__name__} to another class")
    return MethodType(method.__func__, owner)


def _refusing_hidden_names(plain: Callable[..., None]) -> Callable[..., None]:
    """Python and torch ask modules for names such as `__deepcopy__` and would find a program's module there."""

    @functools.wraps(plain)
    def add_module(self: Any, name: str, module: Any) -> None:
        name = exact(name)
        if isinstance(name, str) and is_dunder(name):
            raise KeyError(f"module name can't be {name!r}")
        plain(self, name, module)

    return add_module


def _keep_to_keys(cls: Any) -> None:
    """A `ParameterDict` is an object whose items are its attributes: let them be those that were put there."""
    plain_get, plain_set = cls.__getitem__, cls.__setitem__

    def get(self: Any, key: str) -> Any:
        if exact(key) not in self._keys:
            raise KeyError(key)
        return plain_get(self, exact(key))

    def put(self: Any, key: str, value: Any) -> None:
        if isinstance(key, str) and str.startswith(key, "_"):
            raise KeyError(f"{key!r} cannot be the name of a parameter")
        plain_set(self, exact(key), value)

    cls.__getitem__, cls.__setitem__ = get, put


def _with_plain_paths(method: Callable[..., Any], get_submodule: Any) -> Callable[..., Any]:
    """These methods read and write attributes of whatever `get_submodule` finds: let it be torch's."""

    @functools.wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if type(self).get_submodule is not get_submodule or "get_submodule" in vars(self):
            raise TypeError(f"{method.__name__}() needs the get_submodule() of nn.Module")
        return method(self, *args, **kwargs)

    return checked

"""What is changed of torch and Python in a worker's process, for good, before a stranger's program runs there.

Stand-ins change what a program is handed; these places are reached from within libraries too. Most of them set or read
attributes by a name, or of an object, that a program chooses.
"""

from __future__ import annotations

import copy
import functools
import importlib
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

from explorer.runner.names import exact, is_dunder
from explorer.runner.stand_ins import LegacyTensor


def seal(modules: Mapping[str, ModuleType]) -> None:
    """Changes this process."""
    torch: Any = modules["torch"]
    functools.update_wrapper = update_wrapper
    copy._deepcopy_dispatch[MethodType] = _copy_method  # type: ignore[attr-defined]
    _seal_tensors(torch)
    _seal_modules(torch.nn.Module, torch.nn.ParameterDict)
    _seal_weights(torch.nn)
    _seal_distributions(torch.distributions.Distribution)


def _seal_tensors(torch: Any) -> None:
    torch.sparse.check_sparse_tensor_invariants.enable()
    torch.Tensor.__new__ = staticmethod(_without_address(torch._C.TensorBase.__new__))
    torch.Tensor.type = _of_legacy(torch.Tensor.type)
    for name in ("apply_", "map_"):
        setattr(torch.Tensor, name, _on_copies(getattr(torch.Tensor, name), torch))


def _seal_modules(module: Any, parameter_dict: Any) -> None:
    module.add_module = _refusing_hidden_names(module.add_module)
    _keep_to_keys(parameter_dict)
    for name in ("get_buffer", "get_parameter", "set_submodule"):
        setattr(module, name, _with_plain_paths(getattr(module, name), module.get_submodule))
    lazy = importlib.import_module("torch.nn.modules.lazy").LazyModuleMixin
    lazy._infer_parameters = _becoming_what_torch_says(lazy._infer_parameters)


def _seal_weights(nn: Any) -> None:
    """Whatever computes a weight from other tensors sets an attribute: let it be one of a module."""
    parametrize = nn.utils.parametrize
    parametrize.register_parametrization = _of_modules(parametrize.register_parametrization, nn.Module)
    parametrize._inject_property = _in_classes_made(parametrize._inject_property, parametrize.__name__)
    for name in ("weight_norm", "spectral_norm"):
        for norm in vars(importlib.import_module(f"torch.nn.utils.{name}")).values():
            if isinstance(norm, type) and hasattr(norm, "compute_weight"):
                norm.apply = staticmethod(_of_modules(norm.apply, nn.Module))  # type: ignore[attr-defined]
                norm.compute_weight = _of_modules(norm.compute_weight, nn.Module, place=1)


def _seal_distributions(distribution: Any) -> None:
    """`expand` fills in an instance that it is given: let it be a distribution."""
    plain = distribution._get_checked_instance

    def checked(self: Any, cls: type, _instance: Any = None) -> Any:
        if not isinstance(_instance, (type(None), distribution)):
            raise TypeError(f"{type(_instance).__name__!r} object is not a distribution")
        return plain(self, cls, _instance)

    distribution._get_checked_instance = checked


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


def _of_modules(method: Callable[..., Any], module: type, place: int = 0) -> Callable[..., Any]:
    """A function that sets attributes of the module it is given: no other object's, and none that is hidden.

    Args:
        method: The function.
        module: The class of modules.
        place: Which of its arguments is the module; a name that follows is a text that says what it is.
    """

    @functools.wraps(method)
    def checked(*args: Any, **kwargs: Any) -> Any:
        given = dict(enumerate(args)) | kwargs
        of, name = (
            given.get(place, given.get("module")),
            given.get(place + 1, given.get("name", given.get("tensor_name"))),
        )
        if not isinstance(of, module):
            raise TypeError(f"{type(of).__name__!r} object is not a module")
        if isinstance(name, str) and (type(name) is not str or is_dunder(name)):
            raise KeyError(f"{exact(name)!r} cannot be the name of a parameter")
        return method(*args, **kwargs)

    return checked


def _in_classes_made(inject: Callable[..., Any], maker: str) -> Callable[..., Any]:
    """A function that changes the class of a module: let it be one that has been made for this module alone."""

    @functools.wraps(inject)
    def checked(module: Any, name: str) -> Any:
        if type(module).__module__ != maker:
            raise TypeError(f"{type(module).__name__!r} object has parametrizations that torch did not put there")
        return inject(module, name)

    return checked


def _becoming_what_torch_says(infer: Callable[..., Any]) -> Callable[..., Any]:
    """A lazy module becomes another class: let it be the one that torch's class names.

    What a program has put behind underscores while it was of the one class, the other would take for its own.
    """

    @functools.wraps(infer)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = type(self)
        named = [vars(base)["cls_to_become"] for base in before.__mro__ if "cls_to_become" in vars(base)]
        result = infer(self, *args, **kwargs)
        if type(self) not in (before, named[-2]):  # the last is the mixin's own, which is None
            self.__class__ = before
            raise TypeError(f"{before.__name__}.cls_to_become cannot be changed")
        return result

    return checked


def _on_copies(plain: Callable[..., Any], torch: Any) -> Callable[..., Any]:
    """`apply_` and `map_`, which walk over memory while the program's function runs that may resize it: over a copy."""

    @functools.wraps(plain)
    def checked(self: Any, *args: Any) -> Any:
        if torch.overrides.has_torch_function_unary(self):
            return torch.overrides.handle_torch_function(checked, (self,), self, *args)
        if self.requires_grad or self.is_sparse:
            return plain(self, *args)  # which raises
        copies = [arg.clone() if isinstance(arg, torch.Tensor) else arg for arg in (self, *args)]
        return self.copy_(plain(*copies))

    return checked

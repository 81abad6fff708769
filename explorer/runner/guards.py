"""What a running program meets: attributes, imports and builtins that look before they hand anything out."""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from explorer.runner import policy
from explorer.runner.allowed import (
    TENSOR,
    allowed_modules,
    allowed_names,
    assignable_names,
    refusal_of_attribute,
    refusal_of_member,
    refusal_of_tensor,
    refused_bases,
    refused_of_classes,
)
from explorer.runner.classes import Classes, StandIn
from explorer.runner.endings import Violation
from explorer.runner.formats import safe_format
from explorer.runner.names import DEFINABLE, FILENAME, GUARDED, READABLE, exact, is_dunder
from explorer.runner.positions import Lines
from explorer.runner.stand_ins import stand_ins
from explorer.runner.stops import Ended, Refused
from explorer.runner.subjects import subject_of

FREE_BUILTINS = (
    "abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate filter float "
    "format frozenset hash hex id int isinstance issubclass iter len list map max min next object oct ord pow print "
    "property range repr reversed round set slice sorted staticmethod str sum super tuple zip Ellipsis NotImplemented "
    "__build_class__"
)
"""Builtins that only compute with what they are given. `print` writes where standard output has been put."""

WRITABLE_OF_TENSOR = frozenset({"grad", "data", "requires_grad", "real", "imag", "names", "grad_dtype"})

FORMATS = frozenset({"format", "format_map"})
"""Methods of texts that read attributes."""

LONGEST = 200
"""Characters of a name in a sentence."""

NAMED_TUPLE = frozenset({"_asdict", "_replace", "_fields", "_make"})
"""Names with an underscore that are public all the same."""

TITLES = frozenset({"__name__", "__qualname__", "__doc__"})
"""What may be read of what stands in for a class."""

OPEN = "torch.nn.Module torch.autograd.Function decimal.Context"
"""Classes of libraries whose objects take attributes."""

NAMING = frozenset({"add_module", "register_module", "register_parameter", "register_buffer", "set_submodule"})
"""Methods of modules that set an attribute by a name they are given."""


def import_allowed() -> dict[str, ModuleType]:
    """Imports every module of the allow list, by name."""
    return {name: importlib.import_module(name) for name in allowed_modules()}


class Guards:
    """The guards of one program.

    Args:
        source: Its text, for the place of a refusal.
        modules: The allowed modules, by name.
    """

    def __init__(self, source: str, modules: dict[str, ModuleType]) -> None:
        self._lines = Lines(source)
        self._modules = modules
        self._names = {id(module): (name, allowed_names()[name]) for name, module in modules.items()}
        torch: Any = modules["torch"]
        self._tensor: type = torch.Tensor
        self._module: type = torch.nn.Module
        self._node: type = torch.autograd.graph.Node
        self._context: type = torch.autograd.function.FunctionCtx
        self._open: tuple[type, ...] = tuple(_find(modules, path) for path in OPEN.split())
        self._classes = Classes(self.refuse, self._tensor, sealed=[_find(modules, path) for path in refused_bases()])
        self._stand_ins = stand_ins(modules, self._classes, self.refuse)
        self._refused_of = [(_find(modules, path), names, code) for path, names, code in refused_of_classes()]
        self.first_refusal: Violation | None = None

    def namespace(self) -> dict[str, Any]:
        """Global variables to run a program with."""
        return {"__name__": "__main__", "__builtins__": self._builtins()}

    def own(self, *bound: str) -> Callable[[type], type]:
        """A decorator that notes a class as the program's own; `bound`: names with an underscore in its body."""
        return lambda cls: self._classes.define(cls, bound)

    def read(self, obj: Any, name: str) -> Any:
        """`obj.name`, if it is allowed."""
        self._check_name(name)
        subject = subject_of(obj)
        if name == "numpy" and issubclass(type(subject), self._tensor):
            return self._numpy(subject)
        self._check_read(subject, name)
        if name in FORMATS and (formatting := safe_format(subject, name, self.read)) is not None:
            return formatting
        if issubclass(type(obj), ModuleType):
            return self._stand_ins.get((obj.__name__, name)) or getattr(obj, name)
        found, cls = getattr(obj, name), type(subject)
        if issubclass(cls, type):
            found, cls = self._classes.unbound(subject, name, found), subject
        return self._naming(found, subject) if name in NAMING and issubclass(cls, self._module) else found

    def member(self, module: str, name: str) -> Any:
        """What `from module import name` binds."""
        return self.read(self._modules[module], name)

    def writable(self, obj: Any, name: str) -> Any:
        """`obj`, if its attribute may be assigned to."""
        self._check_name(name)
        if not self._may_write(obj, name):
            self.refuse("assign_foreign", name=f"{_name_of(obj)}.{name}")
        return obj

    def changeable(self, obj: Any, name: str) -> Any:
        """`obj`, if its attribute may be read and assigned to."""
        self._check_name(name)
        self._check_read(obj, name)
        return self.writable(obj, name)

    def refuse(self, code: str, **values: str) -> NoReturn:
        """Ends the program with a violation where it is right now."""
        said = {key: value[:LONGEST].encode(errors="backslashreplace").decode() for key, value in values.items()}
        violation = Violation(code=code, span=self._lines.span_of_caller(FILENAME), values=said)
        self.first_refusal = self.first_refusal or violation
        raise Refused

    # What may be read.

    def _check_read(self, obj: Any, name: str) -> None:
        cls = type(obj)
        for refusing, names, code in self._refused_of:
            if name in names and issubclass(obj if issubclass(cls, type) else cls, refusing):
                self.refuse(code, name=name)
        if issubclass(cls, ModuleType):
            self._check_member(obj, name)
        elif issubclass(cls, StandIn) and name not in TITLES:
            self.refuse("attribute_hidden", name=name)
        elif issubclass(cls, self._tensor) or (issubclass(cls, type) and issubclass(obj, self._tensor)):
            self._check_tensor(obj, name)
        elif name[0] == "_" and name not in READABLE and not self._is_hidden_name_free(obj, name):
            self.refuse("attribute_hidden", name=name)

    def _check_name(self, name: str) -> None:
        if type(name) is not str:
            raise TypeError("attribute name must be string")
        if (code := refusal_of_attribute(name)) is not None:
            self.refuse(code, name=name)

    def _check_member(self, module: ModuleType, name: str) -> None:
        known = self._names.get(id(module))
        if known is None:
            self.refuse("member_unknown", name=f"{module.__name__}.{name}")
        if name not in known[1]:
            code, values = refusal_of_member(known[0], name)
            self.refuse(code, **values)

    def _check_tensor(self, obj: Any, name: str) -> None:
        if name in allowed_names()[TENSOR] or name in READABLE or self._is_own_attribute(obj, name):
            return
        if hasattr(self._tensor, name) or name[0] == "_":
            self.refuse(refusal_of_tensor(name), name=name)

    def _is_hidden_name_free(self, obj: Any, name: str) -> bool:
        """Whether a name with an underscore is the program's own, or one of a node's saved tensors."""
        cls = type(obj)
        if name in GUARDED:
            return issubclass(cls, self._module) or cls in self._classes
        if is_dunder(name):
            return False
        if issubclass(cls, self._node):
            return name.startswith(("_saved_", "_raw_saved_"))
        return self._is_own_attribute(obj, name) or (issubclass(cls, tuple) and name in NAMED_TUPLE)

    def _is_own_attribute(self, obj: Any, name: str) -> bool:
        """Whether an attribute belongs to a class of the program's, and to no class below it that is not."""
        if is_dunder(name):
            return False
        cls = obj if issubclass(type(obj), type) else type(obj)
        return self._classes.has_own(cls) and not self._classes.is_library_name(cls, name)

    # What may be written.

    def _may_write(self, obj: Any, name: str) -> bool:
        cls = type(obj)
        if issubclass(cls, ModuleType):
            known = self._names.get(id(obj))
            return known is not None and name in assignable_names().get(known[0], ())
        if is_dunder(name):
            return issubclass(cls, type) and obj in self._classes and name in DEFINABLE
        if issubclass(cls, self._tensor):
            is_new = self._is_own_attribute(obj, name) if name[0] == "_" else not hasattr(self._tensor, name)
            return name in WRITABLE_OF_TENSOR or is_new
        if issubclass(cls, type):
            return obj in self._classes and self._may_bind(obj, name)
        if name[0] == "_":
            return self._is_own_attribute(obj, name)
        if issubclass(cls, FunctionType):
            return bool(obj.__code__.co_filename == FILENAME)
        if issubclass(cls, self._context):  # the recorder asks nodes; what a node answers is torch's
            return not self._classes.is_library_attribute(cls, name)
        return cls in self._classes or issubclass(cls, self._open)

    def _may_bind(self, cls: type, name: str) -> bool:
        """Whether a class of the program's may be given an attribute."""
        return not self._classes.is_answer_of(cls, name) and (name[0] != "_" or self._is_own_attribute(cls, name))

    def _naming(self, method: Callable[..., Any], owner: Any) -> Callable[..., Any]:
        """A method of a module that takes a name, with a look at the name."""

        def named(*args: Any, **kwargs: Any) -> Any:
            on_a_path = method.__name__ == "set_submodule"
            of = args[0] if issubclass(type(owner), type) and args else owner
            for given in map(exact, (*args, *kwargs.values())):
                for name in given.split(".") if isinstance(given, str) else ():
                    if name[:1] == "_" and (on_a_path or not self._is_new_name(of, name)):
                        self.refuse("assign_foreign", name=f"{_name_of(of)}.{name}")
            return method(*map(exact, args), **{key: exact(value) for key, value in kwargs.items()})

        return named

    def _is_new_name(self, obj: Any, name: str) -> bool:
        """Whether a name with an underscore says nothing to a library."""
        return not is_dunder(name) and not self._classes.is_library_name(type(obj), name)

    # Builtins.

    def _builtins(self) -> dict[str, Any]:
        free = {name: getattr(builtins, name) for name in FREE_BUILTINS.split()}
        errors = {
            name: error
            for name, error in vars(builtins).items()
            if isinstance(error, type) and issubclass(error, BaseException) and "Group" not in name
        }
        type_of = OneArgument(self.refuse, self._classes.shown)
        guarded = {
            # The real one: `policy` has seen every import statement, and torch's C code imports by way of this too.
            "__import__": builtins.__import__,
            # Functions, not methods: copying a method gives it another `self`.
            "getattr": lambda obj, name, *default: self._getattr(obj, name, *default),
            "hasattr": lambda obj, name: self._hasattr(obj, name),
            "setattr": lambda obj, name, value: self._setattr(obj, name, value),
            "delattr": lambda obj, name: self._delattr(obj, name),
            "type": type_of,
            policy.TYPE: type_of,
            policy.READ: self.read,
            policy.MEMBER: self.member,
            policy.WRITABLE: self.writable,
            policy.CHANGEABLE: self.changeable,
            policy.OWN: self.own,
            policy.ENDED: Ended,
        }
        return free | errors | guarded

    def _getattr(self, obj: Any, name: str, *default: Any) -> Any:
        try:
            return self.read(obj, name)
        except AttributeError:
            if not default:
                raise
            return default[0]

    def _hasattr(self, obj: Any, name: str) -> bool:
        try:
            self.read(obj, name)
        except AttributeError:
            return False
        return True

    def _setattr(self, obj: Any, name: str, value: Any) -> None:
        setattr(self.writable(obj, name), name, value)

    def _delattr(self, obj: Any, name: str) -> None:
        delattr(self.writable(obj, name), name)

    def _numpy(self, tensor: Any) -> Callable[[], NoReturn]:
        """Lets torch say why it refuses `numpy()` where it does; arrays themselves are not handed out."""

        def numpy() -> NoReturn:
            self._tensor.numpy(tensor)  # type: ignore[attr-defined]
            self.refuse("tensor_numpy", name="numpy")

        return numpy


class OneArgument(StandIn):
    """`type` as programs have it: tells an object's class and makes none.

    Args:
        refuse: What to call with the code of a violation.
        shown: Given a class, what to hand out for it.
    """

    def __init__(self, refuse: Callable[[str], NoReturn], shown: Callable[[type], Any]) -> None:
        self._refuse = refuse
        self._shown = shown
        self.__name__ = self.__qualname__ = "type"

    def __call__(self, obj: object, *more: object, **keywords: object) -> Any:
        if more or keywords:
            self._refuse("type_makes_class")
        cls = type(obj)
        if cls is type or obj is self:
            return self
        if issubclass(cls, type):
            self._refuse("type_of_class")
        return self._shown(cls)

    def __instancecheck__(self, obj: object) -> bool:
        return isinstance(obj, type)

    def __getitem__(self, parameter: Any) -> OneArgument:
        return self


def _find(modules: dict[str, ModuleType], path: str) -> type:
    module, _, name = path.rpartition(".")
    found: type = getattr(modules[module], name)
    return found


def _name_of(obj: object) -> str:
    """What to call the owner of an attribute: a module's or class's own name, else that of its class."""
    named = obj if issubclass(type(obj), (type, ModuleType)) else type(obj)
    return str(getattr(named, "__name__", ""))

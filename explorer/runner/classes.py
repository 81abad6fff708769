"""Which classes a program may name, subclass and call methods of: its own, and those of the allow list.

Code of a library trusts the object it is given as `self`. A program must therefore not pass it one of another class,
nor one of a subclass that changes what the library keeps behind underscores.
"""

from __future__ import annotations

import builtins
import functools
import importlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import CodeType, FunctionType, MemberDescriptorType
from typing import Any, NoReturn

from explorer.runner.allowed import allowed_modules, allowed_names
from explorer.runner.names import DEFINABLE, is_dunder

BUILTIN_BASES = "object int float complex str bytes bytearray list tuple dict set frozenset"
"""Builtin classes to subclass, besides exceptions: they only hold values."""

SHOWN = (type(None), type(NotImplemented), type(...), bool, range, slice, BaseException)
"""Further classes that `type(x)` may hand out as they are."""

OF_EVERY_CLASS = frozenset(
    {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__match_args__"}
    | {"__slots__", "__parameters__", "__orig_bases__", "__abstractmethods__", "_abc_impl"}
    | {"__dataclass_fields__", "__dataclass_params__", "__replace__"}
    | {"__type_params__", "__static_attributes__", "__firstlineno__"}
    | {"__annotate__", "__annotate_func__", "__annotations_cache__", "__classdictcell__"}
)
"""What Python puts into a class's dictionary itself."""

Refuse = Callable[..., NoReturn]


class Classes:
    """What is known of a program's classes.

    Args:
        refuse: Called with the code of a violation and its values.
        tensor: The class of tensors.
        sealed: Classes that programs can name and not derive from.
    """

    def __init__(self, refuse: Refuse, tensor: type, sealed: Iterable[type] = ()) -> None:
        self._refuse = refuse
        self._tensor = tensor
        self._sealed = tuple(sealed)
        self._nameable = nameable_classes()
        self._own: set[type] = set()
        self._shown: dict[type, ShownClass] = {}
        self._methods: dict[tuple[type, str], FunctionType] = {}

    def __contains__(self, cls: object) -> bool:
        """Whether a class is the program's own."""
        return cls in self._own

    def add(self, cls: type) -> type:
        """Notes a class as the program's own."""
        self._own.add(cls)
        return cls

    def define(self, cls: type, bound: tuple[str, ...]) -> type:
        """Notes a class that the program has defined.

        Args:
            cls: The class.
            bound: The names with an underscore that its body binds.
        """
        if not isinstance(cls, type):
            raise TypeError("bases must be types")
        for base in cls.__bases__:
            if not self._may_be_base(base):
                self._refuse("class_base", name=base.__name__)
        self.add(cls)
        slots = [name for name, value in vars(cls).items() if type(value) is MemberDescriptorType and name[0] == "_"]
        for name in slots:
            if is_dunder(name) and name not in DEFINABLE:
                self._refuse("name_hidden", name=name)
        if "__getattr__" in vars(cls):
            self._guard_getattr(cls)
        for name in (*bound, *slots):
            if self.is_library_name(cls, name):
                self._refuse("name_of_library", name=name)
        self.check_fields(cls)
        for own in cls.__mro__:
            for name in vars(own) if own in self._own else ():
                if self.is_answer_of(cls, name):
                    self._refuse("name_of_library", name=name)
        return cls

    def _guard_getattr(self, cls: type) -> None:
        """Keeps a `__getattr__` from answering when Python or torch ask for a hidden name, such as a pointer."""
        answer = vars(cls)["__getattr__"]
        if type(answer) is not FunctionType:
            self._refuse("method_hidden", name="__getattr__")

        own = self._own

        @functools.wraps(answer)
        def guarded(self: Any, name: str) -> Any:
            if name[:1] != "_":
                return answer(self, name)
            for base in type(self).__mro__:
                if base not in own and "__getattr__" in vars(base):  # of a module, whose parts go by any name
                    return vars(base)["__getattr__"](self, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

        type.__setattr__(cls, "__getattr__", guarded)

    def check_fields(self, cls: type) -> None:
        """Refuses fields of a data class that are named like attributes of a library's class behind it.

        `asdict` and `replace` would read those, and nobody look.
        """
        for name in getattr(cls, "__dataclass_fields__", ()):
            if self.is_library_attribute(cls, name):
                self._refuse("name_of_library", name=name)

    def _may_be_base(self, cls: type) -> bool:
        if self._sealed and issubclass(cls, self._sealed):
            return False
        return cls in self._own or cls in self._nameable or issubclass(cls, BaseException)

    def has_own(self, cls: type) -> bool:
        """Whether one of the classes behind a class is the program's own."""
        return any(base in self._own for base in cls.__mro__)

    def is_library_name(self, cls: type, name: str) -> bool:
        """Whether a library's class behind a class defines or uses a name."""
        return any(name in names_used_by(base) for base in cls.__mro__ if base not in self._own)

    def is_library_attribute(self, cls: type, name: str) -> bool:
        """Whether a library's class behind a class has an attribute of a name."""
        return any(name in vars(base) for base in cls.__mro__ if base not in self._own)

    def is_answer_of(self, cls: type, name: str) -> bool:
        """Whether a class, or one below it, is a tensor's, and asking it for a name is asking torch.

        The recorder asks tensors; what it is told must not come from the program.
        """
        if name in DEFINABLE or name in OF_EVERY_CLASS:
            return False
        return any(
            self.is_library_attribute(below, name) for below in _all_below(cls) if issubclass(below, self._tensor)
        )

    def shown(self, cls: type) -> Any:
        """A class as `type(x)` hands it out: itself, or what looks like it."""
        if cls in self._own or cls in self._nameable or issubclass(cls, SHOWN):
            return cls
        return self._shown.setdefault(cls, ShownClass(cls, self._refuse))

    def unbound(self, cls: type, name: str, found: Any) -> Any:
        """What reading a class's attribute gives: a library's methods only take a `self` of their class."""
        # Not the first class that has the name: `super` begins further on.
        base = next((base for base in cls.__mro__ if vars(base).get(name) is found), None)
        if base is None or base in self._own:
            return found
        if isinstance(found, (property, functools.cached_property)):
            self._refuse("attribute_descriptor", name=f"{base.__name__}.{name}")
        if type(found) is not FunctionType:
            return found
        return self._methods.setdefault((base, name), _checking_self(found, base))


class StandIn:
    """What programs get in place of a class or of `type`: its copy is itself, and it shows no more than its name."""

    def __copy__(self) -> StandIn:
        return self

    def __deepcopy__(self, memo: object) -> StandIn:
        return self


class ShownClass(StandIn):
    """Looks like a class that programs cannot name: it has a name and knows its instances, and makes none.

    Args:
        real: The class.
        refuse: Called when the program calls it.
    """

    def __init__(self, real: type, refuse: Refuse) -> None:
        self._real = real
        self._refuse = refuse
        self.__name__ = real.__name__
        self.__qualname__ = real.__qualname__
        self.__doc__ = real.__doc__

    def __call__(self, *_: object, **__: object) -> NoReturn:
        self._refuse("class_shown", name=self.__name__)

    def __instancecheck__(self, obj: object) -> bool:
        return isinstance(obj, self._real)

    def __subclasscheck__(self, cls: type) -> bool:
        return issubclass(cls, self._real)

    def __repr__(self) -> str:
        return repr(self._real)


def _all_below(cls: type) -> Iterator[type]:
    yield cls
    subclasses: list[type] = type.__subclasses__(cls)
    for below in subclasses:
        yield from _all_below(below)


@cache
def nameable_classes() -> frozenset[type]:
    """The classes that an allowed name stands for, and the builtin ones to subclass."""
    modules = ((importlib.import_module(module), allowed_names()[module]) for module in allowed_modules())
    named = (getattr(module, name) for module, names in modules for name in names)
    plain = (getattr(builtins, name) for name in BUILTIN_BASES.split())
    return frozenset(cls for cls in (*named, *plain) if isinstance(cls, type))


@cache
def names_used_by(cls: type) -> frozenset[str]:
    """Names that a library's class defines or that its methods use: a program's subclass keeps away from them."""
    used = set(vars(cls))
    for member in vars(cls).values():
        for code in _codes(_code_of(functions_of(member))):
            used.update(code.co_names)
    return frozenset(used)


def functions_of(member: Any) -> tuple[Any, ...]:
    """The functions behind what a class's dictionary holds under a name."""
    if isinstance(member, property):
        return (member.fget, member.fset, member.fdel)
    return (getattr(member, "func", None) or getattr(member, "__func__", None) or member,)


def _code_of(functions: Iterable[Any]) -> Iterator[Any]:
    return (getattr(function, "__code__", None) for function in functions)


def _codes(found: Iterable[Any]) -> Iterator[CodeType]:
    for code in found:
        if isinstance(code, CodeType):
            yield code
            yield from _codes(code.co_consts)


def _checking_self(method: FunctionType, cls: type) -> Any:
    """A library's method that refuses a `self` of another class."""

    @functools.wraps(method)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not args or cls not in type(args[0]).__mro__:
            raise TypeError(f"{method.__qualname__}() requires a {cls.__name__!r} object as its first argument")
        return method(*args, **kwargs)

    return checked

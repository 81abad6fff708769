"""What a program is called, and which names with underscores it may use: those that lead nowhere but to its own."""

from __future__ import annotations

from typing import Any

FILENAME = "<program>"
"""What a program's code objects say as their file."""

OPERATORS = (
    "add sub mul truediv floordiv mod divmod pow lshift rshift and or xor matmul "
    "radd rsub rmul rtruediv rfloordiv rmod rdivmod rpow rlshift rrshift rand ror rxor rmatmul "
    "iadd isub imul itruediv ifloordiv imod ipow ilshift irshift iand ior ixor imatmul "
    "neg pos abs invert round trunc floor ceil int float complex index bool "
    "lt le eq ne gt ge hash"
)
CONTAINERS = "len length_hint getitem setitem delitem missing contains iter next reversed enter exit call"
TEXTS = "repr str format bytes"
MAKING = "init post_init"

DEFINABLE = frozenset(f"__{name}__" for name in f"{OPERATORS} {CONTAINERS} {TEXTS} {MAKING}".split())
"""Methods that a class may define: Python calls them for operators, builtins and statements."""

GUARDED = frozenset({"__getattr__"})
"""A method that a class may define, and that is not asked for hidden names."""

READABLE = DEFINABLE | {"__name__", "__qualname__", "__doc__"}
"""Attributes that may be read of anything: they are functions a program can call anyway, or texts."""

ASSIGNABLE = frozenset({"__slots__", "__all__", "__author__", "__version__"})
"""Variables that a program may assign to, besides methods of its own."""


def exact(name: Any) -> Any:
    """A text as it is, also where it is of a class that answers questions about itself in its own way."""
    return str.__str__(name) if isinstance(name, str) else name


def is_dunder(name: str) -> bool:
    """Whether a name is one of Python's own: `__…__`."""
    return name.startswith("__") and name.endswith("__") and len(name) > 4


def mangled(name: str, class_name: str | None) -> str:
    """The name that a class's private name `__x` stands for."""
    stem = (class_name or "").lstrip("_")
    return f"_{stem}{name}" if stem and name.startswith("__") and not is_dunder(name) else name

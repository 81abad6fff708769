"""Whose attribute a read really is: some objects pass every read on to the object behind them."""

from __future__ import annotations

import typing
from types import GenericAlias, MethodType
from typing import Any

WRAPPERS = (MethodType, staticmethod, classmethod)
"""What Python builds around a function. `classmethod` builds it around anything: a module, a class."""

ALIASES = (GenericAlias, typing._BaseGenericAlias)  # type: ignore[attr-defined]
"""`list[int]`, `List[int]`, `Own[int]`: they answer for the class in front of the brackets."""


def subject_of(obj: Any) -> Any:
    """The object that answers when an attribute of `obj` is read."""
    while (behind := _behind(obj)) is not obj:
        obj = behind
    return obj


def _behind(obj: Any) -> Any:
    cls = type(obj)
    if issubclass(cls, super):
        return obj if obj.__self__ is None else obj.__self__
    if issubclass(cls, WRAPPERS):
        return obj.__func__
    return obj.__origin__ if issubclass(cls, ALIASES) else obj

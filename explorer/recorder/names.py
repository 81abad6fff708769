"""What the program calls its tensors."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

import torch

from explorer.recorder.values import elements_of, tensors_in

PLAIN_KEYS = {str, bytes, int, float, complex, bool, type(None)}

HELD_BY_FRAME = 3
"""How many references there are to a frame's variables if the program has not asked for its `locals()`: that of the
frame, of the variable here, and of the argument that counts them."""


def named_tensors(
    namespaces: Iterable[Mapping[str, Any]], fleeting: Container[str] = ()
) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor that can be reached by name: variables, parameters of modules, elements of lists and dicts.

    A tensor with several names comes several times, the shortest way first.

    Args:
        namespaces: The program's variables.
        fleeting: Names that stand for something else in a moment, so that any other way to a tensor comes before.
    """
    variables = [item for namespace in namespaces for item in list(namespace.items()) if not item[0].startswith("_")]
    tensors = [(name, value) for name, value in variables if isinstance(value, torch.Tensor)]
    yield from (item for item in tensors if item[0] not in fleeting)
    for name, value in variables:
        yield from _inside(name, value)
    yield from (item for item in tensors if item[0] in fleeting)


def namespaces_of(frame: FrameType | None, filename: str) -> Iterator[Mapping[str, Any]]:
    """The variables of the program's frames, innermost first, and its module's."""
    module: Mapping[str, Any] = {}
    while frame is not None:
        if frame.f_code.co_filename == filename:
            yield variables_of(frame)
            module = frame.f_globals
        frame = frame.f_back
    yield module


def variables_of(frame: FrameType) -> Mapping[str, Any]:
    """A frame's variables, without making the frame hold them.

    CPython keeps what `f_locals` of a function has shown in the frame, so that tensors would outlive a `del`.
    """
    variables = frame.f_locals
    if not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        return variables
    copy = dict(variables)
    if sys.getrefcount(variables) <= HELD_BY_FRAME:
        variables.clear()
    return copy


def name_in(frame: FrameType | None, tensor: torch.Tensor) -> str | None:
    """The variable of a frame that holds this very tensor."""
    variables = {} if frame is None else variables_of(frame)
    return next((name for name, value in variables.items() if value is tensor), None)


def names_of_results(targets: Sequence[str], result: Any) -> dict[int, str]:
    """What the tensors that a call returned are called, by their address, given what it is assigned to."""
    if not isinstance(result, (list, tuple)):
        return {}
    flat, parts = tensors_in(result), list(elements_of(result))
    if len(targets) == 1 < len(parts):
        return {id(part): f"{targets[0]}[{index}]" for index, part in enumerate(parts)}
    for tensors in (flat, parts):
        if len(tensors) == len(targets):
            return {id(tensor): name for tensor, name in zip(tensors, targets, strict=True)}
    return {}


def elements(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a list, tuple or dict holds, by name; runs no code of the program's, such as the `__repr__` of a key."""
    if isinstance(value, dict):
        yield from ((f"{name}[{key!r}]", part) for key, part in list(dict.items(value)) if is_plain_key(key))
    elif isinstance(value, (list, tuple)):
        yield from ((f"{name}[{index}]", part) for index, part in enumerate(list(elements_of(value))))


def is_plain_key(key: Any) -> bool:
    """Whether Python itself writes a key down."""
    return type(key) in PLAIN_KEYS or (type(key) is tuple and all(map(is_plain_key, key)))


def _inside(name: str, value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.nn.Module):
        yield from _of_module(name, value)
    elif isinstance(value, (list, tuple, dict)):
        for path, element in elements(name, value):
            if isinstance(element, torch.Tensor):
                yield path, element
            elif isinstance(element, torch.nn.Module):
                yield from _of_module(path, element)
    elif not isinstance(value, type) and type(value).__module__ != "builtins":
        for attribute, element in list(_attributes(value).items()):
            if isinstance(element, torch.Tensor):
                yield f"{name}.{attribute}", element


def _of_module(name: str, module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Its parameters and buffers by path, as `named_parameters` gives them, which the program may have overridden."""
    pending, seen = [(name, module)], set[int]()
    while pending:
        path, part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        held = _attributes(part)
        for attribute, tensor in (*held.get("_parameters", {}).items(), *held.get("_buffers", {}).items()):
            if isinstance(tensor, torch.Tensor):
                yield f"{path}.{attribute}", tensor
        pending += [(f"{path}.{key}", inner) for key, inner in reversed(held.get("_modules", {}).items())]


def _attributes(value: Any) -> dict[str, Any]:
    """What is in an object's own dictionary, if it has one."""
    try:
        return object.__getattribute__(value, "__dict__")  # type: ignore[no-any-return]
    except AttributeError:
        return {}

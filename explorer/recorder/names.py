"""What the program calls its tensors."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any

import torch

HELD_BY_FRAME = 3
"""How many references there are to a frame's variables if the program has not asked for its `locals()`: that of the
frame, of the variable here, and of the argument that counts them."""


def named_tensors(namespaces: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor that can be reached by name: variables, parameters of modules, elements of lists and dicts.

    A tensor with several names comes several times, the shortest way first.
    """
    variables = [item for namespace in namespaces for item in list(namespace.items()) if not item[0].startswith("_")]
    for name, value in variables:
        if isinstance(value, torch.Tensor):
            yield name, value
    for name, value in variables:
        yield from _inside(name, value)


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


def _inside(name: str, value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.nn.Module):
        for path, parameter in value.named_parameters():
            yield f"{name}.{path}", parameter
        for path, buffer in value.named_buffers():
            yield f"{name}.{path}", buffer
    elif isinstance(value, (list, tuple)):
        for index, element in enumerate(value):
            if isinstance(element, torch.Tensor):
                yield f"{name}[{index}]", element
            elif isinstance(element, torch.nn.Module):
                yield from _inside(f"{name}[{index}]", element)
    elif isinstance(value, dict):
        for key, element in value.items():
            if isinstance(element, torch.Tensor):
                yield f"{name}[{key!r}]", element
    elif hasattr(value, "__dict__") and not isinstance(value, type) and type(value).__module__ != "builtins":
        for attribute, element in list(vars(value).items()):
            if isinstance(element, torch.Tensor):
                yield f"{name}.{attribute}", element

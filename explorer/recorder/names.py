"""What the program calls its tensors."""

from __future__ import annotations

import ast
import inspect
import sys
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from types import FrameType
from typing import Any

import torch

from explorer.model.syntax import parsed_expression
from explorer.recorder.indices import number_of
from explorer.recorder.values import elements_of, tensors_in

PLAIN = {str, bytes, int, float, complex, bool, type(None)}

MOST_STEPS, MOST_WAITING, MOST_ELEMENTS = 4, 1000, 1000
"""How deep lists, dicts, modules and objects are looked into, `net.blocks[0].layers[1].weight`, how many of them at
most, and at how many elements of one: a data set may be a list of 100,000 pairs, and each pass looks anew."""

HELD_BY_FRAME = 3
"""How many references there are to a frame's variables if the program has not asked for its `locals()`: that of the
frame, of the variable here, and of the argument that counts them."""


def named_tensors(
    namespaces: Iterable[Mapping[str, Any]], fleeting: Container[str] = (), most_steps: int = MOST_STEPS
) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor that can be reached by name: variables, parameters of modules, elements of lists and dicts.

    A tensor with several names comes several times, the shortest way first.

    Args:
        namespaces: The program's variables.
        fleeting: Names that stand for something else in a moment, so that any other way to a tensor comes before.
        most_steps: How deep lists, dicts, modules and objects are looked into.
    """
    variables = [item for namespace in namespaces for item in list(namespace.items()) if not item[0].startswith("_")]
    tensors = [(name, value) for name, value in variables if isinstance(value, torch.Tensor)]
    yield from (item for item in tensors if item[0] not in fleeting)
    yield from _inside(variables, most_steps)
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

    CPython up to 3.12 keeps what `f_locals` of a function has shown in the frame, so that tensors would outlive a `del`
    (PEP 667).
    """
    variables = frame.f_locals
    if not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        return variables
    copy = dict(variables)
    if sys.version_info < (3, 13) and sys.getrefcount(variables) <= HELD_BY_FRAME:
        variables.clear()
    return copy


def name_in(frame: FrameType | None, tensor: torch.Tensor) -> str | None:
    """The variable of a frame that holds this very tensor."""
    variables = {} if frame is None else variables_of(frame)
    return next((name for name, value in variables.items() if value is tensor), None)


def reached(expression: ast.expr, variables: Mapping[str, Any]) -> Any:
    """What names, attributes and indices lead to, `net[0].weight`; None where only code of the program's could tell."""
    match expression:
        case ast.Name(id=name):
            return variables.get(name)
        case ast.Attribute(value=value, attr=attribute):
            owner = reached(value, variables)
            own = _attributes(owner)
            inner = (
                {**own.get("_modules", {}), **own.get("_parameters", {})} if isinstance(owner, torch.nn.Module) else {}
            )
            is_computed = inspect.getattr_static(type(owner), attribute, None) is not None
            return None if is_computed else {**inner, **own}.get(attribute)
        case ast.Subscript(value=value, slice=index):
            return _element(reached(value, variables), _key(index, variables))
    return None


def _key(index: ast.expr, variables: Mapping[str, Any]) -> int | str | None:
    match index:
        case ast.Constant(value=str() as key):
            return key
        case ast.Name(id=name) if type(variables.get(name)) is str:
            return variables[name]  # type: ignore[no-any-return]
    return number_of(index, variables)


def _element(owner: Any, key: int | str | None) -> Any:
    if isinstance(owner, torch.nn.Sequential | torch.nn.ModuleList | torch.nn.ModuleDict):
        inner = _attributes(owner)["_modules"]
        owner = inner if isinstance(owner, torch.nn.ModuleDict) else list(inner.values())
    if isinstance(owner, dict):
        return dict.get(owner, key)
    parts = list(elements_of(owner)) if isinstance(owner, (list, tuple)) else []
    return parts[key] if isinstance(key, int) and -len(parts) <= key < len(parts) else None


def better_name(known: str | None, found: str) -> str:
    """The name that tells more: what `self.w` and `W[i]` are depends on where the program is."""
    if known is None or (is_passing(known) and not is_passing(found)):
        return found
    return known


@lru_cache(maxsize=1024)
def is_passing(name: str) -> bool:
    """Whether a name stands for another tensor elsewhere: in another method, or once a variable in it has changed."""
    if name.startswith("self.") or "[" not in name:
        return name.startswith("self.")
    try:
        tree = parsed_expression(name)
    except (SyntaxError, ValueError):
        return False
    places = (node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript))
    return any(isinstance(part, ast.Name | ast.UnaryOp) for place in places for part in ast.walk(place))


def names_of_results(targets: Sequence[str], result: Any) -> dict[int, str]:
    """What the tensors that a call returned are called, by their address, given what it is assigned to."""
    if not isinstance(result, (list, tuple)):
        return {}
    flat, parts = tensors_in([result]), list(elements_of(result))
    if len(targets) == 1 < len(parts):
        return {id(part): f"{targets[0]}[{index}]" for index, part in enumerate(parts)}
    for tensors in (flat, parts):
        if len(tensors) == len(targets):
            return {id(tensor): name for tensor, name in zip(tensors, targets, strict=True) if name != "_"}
    return {}


def elements(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a list, tuple or dict holds first, but for numbers and texts, by name; runs no code of the program's."""
    if isinstance(value, dict):
        for key, part in list(islice(dict.items(value), MOST_ELEMENTS)):
            if type(part) not in PLAIN and is_plain_key(key):
                yield f"{name}[{key!r}]", part
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(list(islice(elements_of(value), MOST_ELEMENTS))):
            if type(part) not in PLAIN:
                yield f"{name}[{index}]", part


def is_plain_key(key: Any) -> bool:
    """Whether Python itself writes a key down."""
    return type(key) in PLAIN or (type(key) is tuple and all(map(is_plain_key, key)))


def _inside(variables: Iterable[tuple[str, Any]], most_steps: int) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors in lists, dicts, modules and objects, those on the way of fewest steps first."""
    pending, seen = deque((name, value, 0) for name, value in variables if _may_hold(value)), set[int]()
    while pending:
        name, value, steps = pending.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        for path, part in _parts(name, value):
            if isinstance(part, torch.Tensor):
                yield path, part
            elif steps < most_steps and len(pending) < MOST_WAITING and _may_hold(part):
                pending.append((path, part, steps + 1))


def _may_hold(value: Any) -> bool:
    """Whether tensors may be reached through a value; those that an optimizer holds have names of their own."""
    if isinstance(value, (list, tuple, dict, torch.nn.Module)):
        return True
    return type(value).__module__ != "builtins" and not isinstance(value, (type, torch.Tensor, torch.optim.Optimizer))


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a value holds, by name; runs no code of the program's."""
    if isinstance(value, (list, tuple, dict)):
        yield from elements(name, value)
    elif isinstance(value, torch.nn.Module):
        modules = list(_modules(name, value))
        for path, part in modules:
            held = _attributes(part)
            for attribute, tensor in (*held.get("_parameters", {}).items(), *held.get("_buffers", {}).items()):
                yield f"{path}.{attribute}", tensor
        for path, part in modules:
            yield from _own(path, part)
    else:
        yield from _own(name, value)


def _own(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """An object's own attributes, but for what torch keeps for itself in its own and in modules."""
    own = list(_attributes(value).items())
    if isinstance(value, torch.nn.Module) or type(value).__module__.startswith("torch."):
        own = [(key, part) for key, part in own if key[:1] != "_"]
    for key, part in own:
        if type(part) not in PLAIN:
            yield f"{name}.{key}", part


def _modules(name: str, module: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module]]:
    """A module and those inside, as `named_modules` gives them, which the program may have overridden."""
    pending, seen = [(name, module)], set[int]()
    while pending:
        path, part = pending.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield path, part
            inner = _attributes(part).get("_modules", {})
            pending += [(f"{path}.{key}", one) for key, one in reversed(inner.items()) if one is not None]


def _attributes(value: Any) -> dict[str, Any]:
    """What is in an object's own dictionary, if it has one."""
    try:
        return object.__getattribute__(value, "__dict__")  # type: ignore[no-any-return]
    except AttributeError:
        return {}

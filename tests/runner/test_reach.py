"""Library code that programs can call and that reaches attributes by name, evaluates text or opens files.

A program that chooses the name or the object could reach past the guards this way, also where what it calls leaves the
work to helpers. Each place stands in `reach.toml` with what holds it; a new one, as in another version of torch, has to be
looked at and written down there.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import torch
from catalogue import read

from explorer.runner.allowed import TENSOR, allowed_names
from explorer.runner.classes import functions_of

BY_NAME = {"getattr", "setattr", "delattr"}
FOLLOWED = """torch.nn torch.optim torch.distributions torch.autograd torch.amp torch.utils.checkpoint
torch._functorch.functional_call collections contextlib copy dataclasses functools json pprint"""
"""The libraries whose own helpers are looked at too."""

ANNOTATIONS = "__annotate_func__"
"""What computes a class's annotations from Python 3.14 on; its text is the whole class's."""

OUTRIGHT = {"eval", "exec", "open", "compile", "vars", "globals", "locals", "__import__", "import_module", "attrgetter"}


def callable_functions() -> dict[str, FunctionType]:
    """The Python functions that allowed names lead to: themselves, and the methods of classes."""
    found: dict[Any, tuple[str, FunctionType]] = {}
    for module, names in sorted(allowed_names().items()):
        owner = torch.Tensor if module == TENSOR else importlib.import_module(module)
        for name in sorted(names):
            for path, function in functions_in(f"{module}.{name}", vars(owner).get(name) or getattr(owner, name)):
                found.setdefault(function.__code__, (path, function))
    return dict(found.values())


def followed(start: dict[str, FunctionType]) -> dict[str, FunctionType]:
    """Some functions, and the functions and methods that they name, and those that these name, and so on."""
    found = {function.__code__: (path, function) for path, function in start.items()}
    pending = list(start.values())
    while pending:
        for thing in named_by(pending.pop()):
            for path, function in functions_in(f"{thing.__module__}.{thing.__qualname__}", thing):
                if function.__code__ not in found and is_followed(function):
                    found[function.__code__] = path, function
                    pending.append(function)
    return dict(found.values())


def named_by(function: FunctionType) -> list[Any]:
    """The functions and classes that a function's code names, behind modules too."""
    names = {name for code in codes_in(function.__code__) for name in code.co_names}
    things = [function.__globals__[name] for name in names if name in function.__globals__]
    for module in (thing for thing in things if isinstance(thing, ModuleType)):
        things += [thing for name in names if (thing := vars(module).get(name)) is not None and thing not in things]
    return [thing for thing in things if isinstance(thing, (type, FunctionType)) and is_followed(thing)]


def codes_in(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def is_followed(thing: Any) -> bool:
    return str(thing.__module__).startswith(tuple(FOLLOWED.split()))


def functions_in(path: str, thing: Any) -> Iterator[tuple[str, FunctionType]]:
    """The functions of a function, a class or a class's member."""
    if isinstance(thing, type):
        for base in thing.__mro__:
            for name, member in vars(base).items():
                if not isinstance(member, type) and name != ANNOTATIONS:
                    yield from functions_in(f"{base.__module__}.{base.__qualname__}.{name}", member)
    elif not isinstance(thing, ModuleType):
        for function in functions_of(thing):
            plain = inspect.unwrap(function) if isinstance(function, FunctionType) else None
            if isinstance(plain, FunctionType):
                yield path, plain


def reaches(function: FunctionType) -> bool:
    """Whether a function reads or writes attributes by a name that is not spelled in it, or runs text."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if called in BY_NAME and len(call.args) > 1 and not isinstance(call.args[1], ast.Constant):
            return True
        if called in OUTRIGHT and (isinstance(call.func, ast.Name) or called in {"import_module", "attrgetter"}):
            return True
    return False


def test_everything_that_reaches_by_name_has_been_looked_at() -> None:
    looked_at = {path for held in read("reach.toml", "held") for path in held["paths"].split()}
    functions = followed(callable_functions())
    assert len(functions) > 2_000
    assert {path for path, function in functions.items() if reaches(function)} == looked_at

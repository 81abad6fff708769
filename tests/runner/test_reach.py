"""Library code that programs can call and that reaches attributes by name, evaluates text or opens files.

A program that chooses the name or the object could reach past the guards this way. Each place stands in `reach.toml`
with what holds it; a new one, as in another version of torch, has to be looked at and written down there.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import torch

from explorer.runner.allowed import TENSOR, allowed_names
from explorer.runner.classes import functions_of

BY_NAME = {"getattr", "setattr", "delattr"}
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


def functions_in(path: str, thing: Any) -> Iterator[tuple[str, FunctionType]]:
    """The functions of a function, a class or a class's member."""
    if isinstance(thing, type):
        for base in thing.__mro__:
            for name, member in vars(base).items():
                if not isinstance(member, type):
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
    known = tomllib.loads(Path(__file__).with_name("reach.toml").read_text("utf-8"))
    looked_at = {path for held in known["held"] for path in held["paths"].split()}
    functions = callable_functions()
    assert len(functions) > 1_000
    assert {path for path, function in functions.items() if reaches(function)} == looked_at

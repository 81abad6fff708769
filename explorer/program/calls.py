"""Changes to one backward statement: `n = m.backward()` in, `n = m.backward(torch.ones_like(m))` out."""

from __future__ import annotations

import ast

from explorer.program.arguments import set_argument
from explorer.program.constructors import keyword
from explorer.program.flow import Root, find_root
from explorer.program.source import Source, read

_POSITIONS = {"gradient": 0, "retain_graph": 1, "create_graph": 2}  # of root.backward(); one later with torch.autograd


def with_argument(statement: str, name: str, value: str) -> str:
    """The statement with `retain_graph` or `create_graph` set."""
    source, root = _parts(statement)
    position = _POSITIONS[name] + (not root.is_method)
    return source.replaced([set_argument(source, root.call, name, position, value)])


def with_seed(statement: str, seed: str) -> str:
    """The statement with a gradient to start from, in place of the one it had."""
    source, root = _parts(statement)
    if not root.is_method:
        return source.replaced([set_argument(source, root.call, "grad_tensors", 1, seed)])
    if root.call.args or keyword(root.call, "gradient") is not None:
        return source.replaced([set_argument(source, root.call, "gradient", 0, seed)])
    start = _first_argument(source, root.call)
    return source.replaced([(start, start, f"{seed}, " if root.call.keywords else seed)])


def without_seed(statement: str) -> str:
    """The statement without a gradient to start from."""
    source, root = _parts(statement)
    name, position = ("gradient", 0) if root.is_method else ("grad_tensors", 1)
    if keyword(root.call, name) is None and len(root.call.args) <= position:
        return statement
    if root.is_method and len(root.call.args) + len(root.call.keywords) == 1:
        return source.replaced([(_first_argument(source, root.call), source.end(root.call) - 1, "")])
    return source.replaced([set_argument(source, root.call, name, position, "None")])


def with_root(statement: str, name: str) -> str:
    """The statement with a variable in place of the expression that it starts from."""
    source, root = _parts(statement)
    assert root.expression is not None
    end = source.end(root.expression)
    if root.is_method:  # up to the dot, so that brackets around the expression go with it
        assert isinstance(root.call.func, ast.Attribute)
        end = source.text.rindex(".", end, source.end(root.call.func))
    start = source.start(root.call) if root.is_method else source.start(root.expression)
    return source.replaced([(start, end, name)])


def _parts(statement: str) -> tuple[Source, Root]:
    source = read(statement)
    root = find_root(source.tree)
    assert root is not None
    return source, root


def _first_argument(source: Source, call: ast.Call) -> int:
    """Index after the call's opening bracket."""
    return source.text.index("(", source.end(call.func)) + 1

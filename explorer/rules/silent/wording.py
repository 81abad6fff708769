"""What the finders ask of the program's text."""

from __future__ import annotations

import ast
from functools import lru_cache

from explorer.model import Span
from explorer.model.syntax import parsed


def encloses(outer: Span | None, inner: Span | None) -> bool:
    """Whether one piece of the program lies inside another, and is not all of it."""
    if outer is None or inner is None or outer == inner:
        return False
    starts = (outer.line, outer.column) <= (inner.line, inner.column)
    return starts and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def is_inside_function(source: str | None, span: Span | None) -> bool:
    """Whether a piece of the program stands in a function, where a name is another variable than outside."""
    return span is not None and any(first <= span.line <= last for first, last in _functions(source or ""))


def is_read_after(source: str | None, name: str, line: int) -> bool:
    """Whether a variable is used below a line, before it is given another value there."""
    uses = [(at, kind) for at, kind in _uses(source or "", name) if at > line]
    first_store = min((at for at, kind in uses if kind == "store"), default=None)
    return any(kind == "load" and (first_store is None or at < first_store) for at, kind in uses)


@lru_cache(maxsize=32)
def _tree(source: str) -> ast.AST:
    try:
        return parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _functions(source: str) -> list[tuple[int, int]]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [
        (node.lineno, node.end_lineno or node.lineno) for node in ast.walk(_tree(source)) if isinstance(node, kinds)
    ]


def _uses(source: str, name: str) -> list[tuple[int, str]]:
    """(line, "load" or "store") of every use of a variable but `name.append(…)`."""
    tree = _tree(source)
    filled = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("append", "extend")
    }
    return [
        (node.lineno, "store" if isinstance(node.ctx, ast.Store) else "load")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == name and id(node) not in filled
    ]

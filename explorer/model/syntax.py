"""What a program's syntax tree tells of the names that it gives."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache

from explorer.model.graph import BETWEEN_NAMES, Span
from explorer.model.source import lines_of

_PARSING = threading.RLock()

Position = tuple[int, int, int, int]


def parsed(text: str) -> ast.Module:
    """The syntax tree of a program: `ast.parse`, but one thread at a time.

    CPython 3.11 raises SystemError now and then where two overlap, and sessions share a process.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: As `ast.parse` does.
    """
    with _PARSING:
        return ast.parse(text)


def parsed_expression(text: str) -> ast.expr:
    """The syntax tree of an expression; see `parsed`."""
    with _PARSING:
        return ast.parse(text, mode="eval").body


def is_given(source: str | None, span: Span | None, name: str) -> bool:
    """Whether the program itself gives a name to the value of the expression at a span: `m = x * x`, `a, b = f(x)`."""
    if source is None or span is None:
        return False
    targets = _assigned_in(source).get((span.line, span.column, span.end_line, span.end_column), ())
    return all(part == "_" or any(_is_same(part, target) for target in targets) for part in BETWEEN_NAMES.split(name))


def _is_same(name: str, target: str) -> bool:
    """Whether a target is what a name stands for, or holds it; outside of its methods an object is not `self`."""
    if target.startswith("self."):
        return name == target or name.endswith(target.removeprefix("self"))
    return name == target or name.startswith(f"{target}[")


@lru_cache(maxsize=8)
def _assigned_in(source: str) -> dict[Position, tuple[str, ...]]:
    """Where the values stand that a program assigns, and what to."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[Position, tuple[str, ...]] = {}
    lines = lines_of(source)
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                given = [pair for target in targets for pair in pairs(target, value)]
            case ast.AnnAssign(target=name, value=ast.expr() as value) | ast.NamedExpr(target=name, value=value):
                given = [(name, value)]
            case _:
                continue
        for target, part in given:
            where = position(part, lines)
            found[where] = (*found.get(where, ()), *names_of(target))
    return found


def pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is assigned to what: each of several values to its own target in `a, b = x, y`."""
    match target, value:
        case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values) and not any(
            isinstance(one, ast.Starred) for one in (*targets, *values)
        ):
            for one, other in zip(targets, values, strict=True):
                yield from pairs(one, other)
        case _:
            yield target, value


def names_of(target: ast.expr) -> tuple[str, ...]:
    """What an assignment target is called: `a`, `self.w`, or several for `a, (b, c)`."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return tuple(name for element in target.elts for name in names_of(element))
    return (ast.unparse(target),)


def position(node: ast.expr | ast.stmt, lines: Sequence[str]) -> Position:
    """Where a piece of syntax stands, its columns in characters."""
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return (
        node.lineno,
        len(lines[node.lineno - 1].encode()[: node.col_offset].decode(errors="ignore")),
        end_line,
        len(lines[end_line - 1].encode()[:end_column].decode(errors="ignore")),
    )

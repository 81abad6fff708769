"""Statements as places in a text: what to write before, after and around one, wherever it stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from explorer.errors import ProgramInvalid
from explorer.program.effects import effect_of
from explorer.program.source import Source

SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr)


def statement_at(source: Source, line: int, variable: str = "") -> ast.stmt:
    """The simple statement that a line belongs to; of several on it the last that gives a variable, or the last.

    Raises:
        ProgramInvalid: There is none.
    """
    found = [node for node in ast.walk(source.tree) if isinstance(node, SIMPLE) and _covers(node, line)]
    if not found:
        raise ProgramInvalid("program.no_place", line=line)
    giving = [statement for statement in found if variable.partition(".")[0] in effect_of(statement).binds]
    return max(giving or found, key=source.start)


def after(source: Source, statement: ast.stmt, written: str) -> str:
    """The text with another statement after one: on a line of its own where that one ends its line."""
    end = source.end(statement)
    if _starts_line(source, statement) and _ends_line(source, statement):
        at = end + len(_rest(source.text, end))
        return source.replaced([(at, at, f"{source.newline}{_indent(source, statement)}{written}")])
    return source.replaced([(end, end, f"; {written}")])


def before(source: Source, statement: ast.stmt, written: str) -> str:
    """The text with another statement before one."""
    start = source.start(statement)
    if _starts_line(source, statement):
        return source.replaced([(start, start, f"{written}{source.newline}{_indent(source, statement)}")])
    return source.replaced([(start, start, f"{written}; ")])


def before_and_inside(source: Source, statement: ast.stmt, head: str) -> str:
    """The text with a statement as the body of a `with`; lines inside its strings stay as they are.

    Raises:
        ProgramInvalid: It shares its line with another one.
    """
    if not (_starts_line(source, statement) and _ends_line(source, statement)):
        raise ProgramInvalid("program.no_place", line=statement.lineno)
    indent = _indent(source, statement)
    step = "\t" if "\t" in indent else "    "
    start = source.start(statement)
    changes = [(start, start, f"{head}{source.newline}{indent}{step}")]
    frozen = set(_lines_in_strings(statement))
    for line in range(statement.lineno + 1, (statement.end_lineno or statement.lineno) + 1):
        if line not in frozen:
            at = source.line_start(line)
            changes.append((at, at, step))
    return source.replaced(changes)


def _covers(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _lines_in_strings(statement: ast.stmt) -> Iterator[int]:
    """Lines that begin inside a string."""
    for node in ast.walk(statement):
        is_text = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        )
        if is_text and isinstance(node, ast.expr):
            yield from range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)


def _indent(source: Source, statement: ast.stmt) -> str:
    """What stands before a statement on its line."""
    return source.text[source.line_start(statement.lineno) : source.start(statement)]


def _starts_line(source: Source, statement: ast.stmt) -> bool:
    return not _indent(source, statement).strip()


def _ends_line(source: Source, statement: ast.stmt) -> bool:
    rest = _rest(source.text, source.end(statement)).strip()
    return not rest or rest.startswith("#")


def _rest(text: str, start: int) -> str:
    """What follows on the same line."""
    ends = [end for sign in "\r\n" if (end := text.find(sign, start)) >= 0]
    return text[start : min(ends, default=len(text))]

"""Pieces of a program's text, found by their spans."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from explorer.model.graph import Span

BYTE_ORDER_MARK = "\ufeff"
"""What some editors write before a file's first character; Python reads the file without it, and so is it read here."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_TWO_COLUMNS = frozenset("WF")
"""Unicode's classes of characters that a monospaced font draws two columns wide."""


@lru_cache(maxsize=8)
def lines_of(source: str) -> tuple[str, ...]:
    """The lines as Python's own tokenizer counts them; `splitlines()` splits at more characters."""
    return tuple(_LINE_END.split(source))


def line_at(source: str | None, line: int) -> str:
    """A line, counted from 1; "" where the source has none there."""
    lines = lines_of(source or "")
    return lines[line - 1] if 1 <= line <= len(lines) else ""


def piece_at(source: str | None, span: Span | None) -> str | None:
    """The piece of a program at a span as it stands there; None where the source does not reach that far."""
    if span is None or source is None:
        return None
    lines = list(lines_of(source)[span.line - 1 : span.end_line])
    if len(lines) != span.end_line - span.line + 1 or not lines:
        return None
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return "\n".join(lines).strip() or None


def excerpt(source: str, span: Span) -> str | None:
    """The line at which a span begins, its number before it and carets below, as Python shows where an error is."""
    lines = lines_of(source)
    if span.line > len(lines):
        return None
    line = lines[span.line - 1].replace("\t", " ").rstrip()
    end = span.end_column if span.end_line == span.line else len(line)
    number = f"{span.line} | "
    before, marked = line[: span.column], line[span.column : end]
    return f"{number}{line}\n{' ' * (len(number) + columns(before))}{'^' * max(columns(marked), 1)}"


def columns(text: str) -> int:
    """How wide a monospaced font draws a text."""
    return sum(2 if unicodedata.east_asian_width(character) in _TWO_COLUMNS else 1 for character in text)

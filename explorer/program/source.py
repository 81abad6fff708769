"""Program text, and where its parts stand in it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from explorer.errors import ProgramInvalid
from explorer.model import Span
from explorer.model.source import BYTE_ORDER_MARK
from explorer.model.syntax import parsed

_LINE_END = re.compile(r"\r\n|\r|\n")  # what CPython's tokenizer takes for one; str.splitlines knows more

LONGEST = 20_000
"""Characters of a program: reading takes the server's time, and nobody steps through more."""


class Positioned(Protocol):
    """An `ast` node that has a place in the text."""

    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


class Source:
    """A program text with its syntax tree.

    Args:
        text: Python source; without the byte order mark that it may begin with.

    Raises:
        ProgramInvalid: Python cannot read it.
    """

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix(BYTE_ORDER_MARK)
        self.tree = _parsed(self.text)
        self._line_starts = [0, *(match.end() for match in _LINE_END.finditer(self.text)), len(self.text)]

    @property
    def newline(self) -> str:
        """The line end that the text uses."""
        match = _LINE_END.search(self.text)
        return match.group() if match else "\n"

    def start(self, node: Positioned) -> int:
        """Index of the node's first character."""
        return self._index(node.lineno, node.col_offset)

    def end(self, node: Positioned) -> int:
        """Index after the node's last character."""
        return self._index(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)

    def segment(self, node: Positioned) -> str:
        """The node's own characters."""
        return self.text[self.start(node) : self.end(node)]

    def span(self, node: Positioned) -> Span:
        """The node's place, columns in characters."""
        line, end_line = node.lineno, node.end_lineno or node.lineno
        return Span(
            line=line,
            column=self.start(node) - self._line_starts[line - 1],
            end_line=end_line,
            end_column=self.end(node) - self._line_starts[end_line - 1],
        )

    def line_start(self, line: int) -> int:
        """Index of a line's first character; lines count from 1."""
        return self._line_starts[line - 1]

    def replaced(self, changes: Iterable[tuple[int, int, str]]) -> str:
        """The text with some stretches (start, end, new text) replaced; they must not overlap."""
        text = self.text
        for start, end, new in sorted(changes, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _index(self, line: int, byte_column: int) -> int:
        """ast counts columns in bytes of UTF-8."""
        start, end = self._line_starts[line - 1 : line + 1]
        characters = self.text[start:end]
        if characters.isascii():
            return start + byte_column
        return start + len(characters.encode()[:byte_column].decode())


@lru_cache(maxsize=64)
def read(text: str) -> Source:
    """The text with its syntax tree.

    Raises:
        ProgramInvalid: Python cannot read it; says line and column where Python does.
    """
    return Source(text)


def _parsed(text: str) -> ast.Module:
    if len(text) > LONGEST:
        raise ProgramInvalid("program.too_long", length=len(text), most=LONGEST)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string is for Python to complain about when it runs
            return parsed(text)
    except SyntaxError as error:
        if error.lineno is None:
            raise ProgramInvalid("program.unreadable", reason=error.msg) from error
        place = {"line": error.lineno, "column": error.offset or 1}
        raise ProgramInvalid("program.syntax_error", reason=error.msg, **place) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ProgramInvalid("program.unreadable", reason=str(error) or type(error).__name__) from error

"""Where in the program's text something stands, its columns counted in characters."""

from __future__ import annotations

import ast
import sys
from types import FrameType

from explorer.model import Span


class Lines:
    """The lines of a program, to turn Python's offsets in UTF-8 into columns.

    Args:
        source: The program's text.
    """

    def __init__(self, source: str) -> None:
        self._lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def span_of(self, node: ast.AST) -> Span | None:
        """Where a piece of syntax stands; None for the program as a whole."""
        if (line := getattr(node, "lineno", None)) is None:
            return None
        end_line = getattr(node, "end_lineno", None) or line
        return self._span(line, end_line, getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None) or 0)

    def span_of_caller(self, filename: str) -> Span | None:
        """What the innermost frame of a file is evaluating right now."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != filename:
            frame = frame.f_back
        if frame is None:
            return None
        line, end_line, column, end_column = list(frame.f_code.co_positions())[frame.f_lasti // 2]
        if line is None or end_line is None or column is None or end_column is None:
            return None
        return self._span(line, end_line, column, end_column)

    def _span(self, line: int, end_line: int, offset: int, end_offset: int) -> Span:
        column, end_column = self._column(line, offset), self._column(end_line, end_offset)
        return Span(line=line, column=column, end_line=end_line, end_column=end_column)

    def _column(self, line: int, offset: int) -> int:
        if line > len(self._lines):
            return offset
        return len(self._lines[line - 1].encode(errors="replace")[:offset].decode(errors="ignore"))

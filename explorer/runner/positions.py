"""Where in the program's text something stands, its columns counted in characters."""

from __future__ import annotations

import ast
import sys
from types import CodeType, FrameType, TracebackType

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
        return None if frame is None else self._span_at(frame.f_code, frame.f_lasti)

    def span_of_traceback(self, traceback: TracebackType | None, filename: str) -> Span | None:
        """The innermost expression of a file that an exception came through."""
        found = None
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == filename:
                found = self._span_at(traceback.tb_frame.f_code, traceback.tb_lasti)
            traceback = traceback.tb_next
        return found

    def _span_at(self, code: CodeType, lasti: int) -> Span | None:
        line, end_line, column, end_column = list(code.co_positions())[lasti // 2]
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

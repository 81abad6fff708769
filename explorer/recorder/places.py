"""Where in the program something happens, and what the program calls the result."""

from __future__ import annotations

import sys
from collections import ChainMap
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

import msgspec
import torch

from explorer.model import Span
from explorer.model.source import lines_of
from explorer.model.syntax import Position
from explorer.recorder.bindings import bindings
from explorer.recorder.indices import indices, with_numbers
from explorer.recorder.names import variables_of

TORCH = str(Path(torch.__file__).parent)

THIN = tuple(f"{TORCH}/{file}" for file in ("overrides.py", "functional.py", "nn/functional.py", "_tensor.py"))
"""Files of torch that only pass a call on: what comes through them was called by the program itself."""


class Place(msgspec.Struct, frozen=True):
    """A moment in the program.

    Args:
        frame: The innermost frame of the program.
        span: The expression it is evaluating.
        direct: Whether the program itself made the call, and not code of torch that it called.
        targets: The variables that the value of this very expression is assigned to; () if it is a part of more.
        variable: The same as one text, "a, b"; None if there are none.
        folds: Whether it is a call such as `sum(…)`, which makes one result from another before the last is assigned.
    """

    frame: FrameType | None
    span: Span | None
    direct: bool
    targets: tuple[str, ...] = ()
    variable: str | None = None
    folds: bool = False


Spot = tuple[Span | None, tuple[str, ...], str | None, bool]
"""An expression, the variables that it is assigned to, the same as one text, and whether it folds."""

Extent = tuple[int | None, int | None, int | None, int | None]
"""Where the source of an instruction stands: line, end line, column, end column; columns count bytes of UTF-8."""


class Places:
    """Finds places in one program.

    Args:
        filename: What the program's code objects say as their file.
        source: The program's text, if known.
    """

    def __init__(self, filename: str, source: str | None) -> None:
        self.filename = filename
        self._lines = lines_of(source or "")
        self._targets, self.fleeting, self._folds, self._meant = bindings(source or "")
        self._spots: dict[int, tuple[CodeType, tuple[Extent, ...], dict[int, Spot]]] = {}
        """By code object and instruction; listing where a code object's instructions stand takes as long as it is."""
        self._changing: dict[tuple[int, int], Spot] = {}
        """Spots whose names change from turn to turn, so that looking up the others costs no more for it."""
        self._is_thin: dict[str, bool] = {}
        self.module: dict[str, Any] = {}
        """The variables of the program's module, once a place in it was asked for."""

    def here(self, depth: int = 1) -> Place:
        """The place that the program has reached, seen from `depth` frames up."""
        frame: FrameType | None = sys._getframe(depth)
        direct, filename = True, self.filename
        while frame is not None:
            file = frame.f_code.co_filename
            if file == filename:
                span, targets, variable, folds = self._spot(frame, frame.f_lasti)
                self.module = self.module or frame.f_globals
                return Place(frame, span, direct, targets, variable, folds)
            if direct:
                direct = self._passes_on(file)
            frame = frame.f_back
        return Place(None, None, False)

    def span(self, frame: FrameType, lasti: int) -> Span | None:
        """The expression behind a byte code instruction."""
        return self._spot(frame, lasti)[0]

    def targets(self, frame: FrameType, lasti: int) -> tuple[str, ...]:
        """The variables that the expression behind an instruction is assigned to."""
        return self._spot(frame, lasti)[1]

    def _spot(self, frame: FrameType, lasti: int) -> Spot:
        # By id, for a code object's hash is that of all its parts; held, so that the id stays its own.
        if (known := self._spots.get(id(frame.f_code))) is None:
            known = self._spots[id(frame.f_code)] = frame.f_code, tuple(frame.f_code.co_positions()), {}
        if (spot := known[2].get(lasti)) is None:
            place = id(frame.f_code), lasti
            spot = self._changing.get(place) or self._new_spot(known[1][lasti // 2])
            if any(map(indices, spot[1])):
                self._changing[place] = spot
                return _with_numbers(spot, frame)
            known[2][lasti] = spot
        return spot

    def _new_spot(self, extent: Extent) -> Spot:
        span = self._characters(extent)
        span = self._meant.get(position_of(span), span)
        where = position_of(span)
        targets = self._targets.get(where, ())
        return span, targets, ", ".join(targets) or None, where in self._folds

    def _passes_on(self, file: str) -> bool:
        """Whether code in a file counts as the program's own, or only passes its calls on."""
        if (thin := self._is_thin.get(file)) is None:
            thin = self._is_thin[file] = not file.startswith(TORCH) or file in THIN
        return thin

    def raised_at(self, traceback: TracebackType | None) -> Span | None:
        """The innermost expression of the program that an exception came through."""
        found = None
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self.filename:
                found = self.span(traceback.tb_frame, traceback.tb_lasti)
            traceback = traceback.tb_next
        return found

    def _characters(self, extent: Extent) -> Span | None:
        line, end_line, column, end_column = extent
        if line is None or end_line is None or column is None or end_column is None:
            return None
        return Span(
            line=line,
            column=self._character(line, column),
            end_line=end_line,
            end_column=self._character(end_line, end_column),
        )

    def _character(self, line: int, utf8_offset: int) -> int:
        if line > len(self._lines) or self._lines[line - 1].isascii():
            return utf8_offset
        return len(self._lines[line - 1].encode()[:utf8_offset].decode(errors="ignore"))


def _with_numbers(spot: Spot, frame: FrameType) -> Spot:
    """A spot as it is now, where its names have variables in them: `h[t]` is `h[0]`, then `h[1]`."""
    span, targets, _, folds = spot
    variables = ChainMap(variables_of(frame), frame.f_globals)  # type: ignore[arg-type]  # only read
    targets = tuple(with_numbers(target, variables) for target in targets)
    return span, targets, ", ".join(targets) or None, folds


def position_of(span: Span | None) -> Position | None:
    """A span as the syntax tree tells it."""
    return None if span is None else (span.line, span.column, span.end_line, span.end_column)

"""Pieces of a program's text."""

from __future__ import annotations

import pytest

from explorer.model import Span
from explorer.model.source import columns, excerpt, line_at, lines_of, piece_at


def span(line: int, column: int, end_line: int, end_column: int) -> Span:
    return Span(line=line, column=column, end_line=end_line, end_column=end_column)


def test_lines_end_where_python_ends_them() -> None:
    assert lines_of("a\r\nb\rc\nd\x0ce\u2028f") == ("a", "b", "c", "d\x0ce\u2028f")


def test_a_line_that_is_not_there_is_empty() -> None:
    assert [line_at("a\rb", line) for line in (0, 1, 2, 3)] == ["", "a", "b", ""]
    assert line_at(None, 1) == ""


def test_a_piece_may_go_over_lines() -> None:
    source = "m = 2*torch.dot(x,\n  x)\n"
    assert piece_at(source, span(1, 6, 2, 4)) == "torch.dot(x,\n  x)"


@pytest.mark.parametrize("where", [None, span(9, 0, 9, 3), span(1, 50, 1, 60)])
def test_what_is_not_there_is_none(where: Span | None) -> None:
    assert piece_at("y = 1", where) is None


def test_an_excerpt_marks_the_place() -> None:
    assert excerpt("import torch\nimport os\n", span(2, 7, 2, 9)) == "2 | import os\n           ^^"


def test_carets_stand_under_wide_characters() -> None:
    first, second = str(excerpt("名 = open(1)", span(1, 4, 1, 8))).split("\n")
    assert columns(first[: first.index("open")]) == second.index("^")
    assert second.count("^") == 4


def test_a_place_behind_the_end_still_gets_a_caret() -> None:
    assert excerpt("x = (1", span(1, 6, 1, 6)) == "1 | x = (1\n          ^"
    assert excerpt("x", span(3, 0, 3, 1)) is None

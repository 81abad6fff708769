"""Positions in program text are exact for any text."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ProgramInvalid
from explorer.i18n import LANGUAGES, text
from explorer.program import find_inputs, why_not, with_values
from explorer.program.source import read


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_segments_are_the_characters_of_the_node(newline):
    lines = ["# 注释 \u2028 \x0c", "名 = 'é' ; x = torch.tensor([1.,  # 一", "  2.])", "y = x"]
    source = read(newline.join(lines))
    assert [source.segment(node) for node in source.tree.body] == [
        "名 = 'é'",
        newline.join(["x = torch.tensor([1.,  # 一", "  2.])"]),
        "y = x",
    ]
    assert source.newline == newline


def test_span_columns_are_characters():
    (found,) = find_inputs("名 = '张量'; x = torch.tensor([1.0])")
    assert (found.span.line, found.span.column, found.span.end_column) == (1, 14, 33)


def test_a_byte_order_mark_takes_no_column():
    text = "x = torch.tensor([1.0])"
    assert find_inputs("\ufeff" + text) == find_inputs(text)
    assert with_values("\ufeff" + text, "x", (2.0,), (1,)) == "x = torch.tensor([2.0])"


def test_a_syntax_error_says_where():
    with pytest.raises(ProgramInvalid) as caught:
        find_inputs("import torch\nx = (1,\ny = 2")
    assert caught.value.key == "program.syntax_error"
    assert caught.value.values["line"] == 2
    assert all("2" in text(caught.value.key, language, **caught.value.values) for language in LANGUAGES)


@pytest.mark.parametrize("bad", ["x=1\x00", "x=\ufeff1", "\ud800", "(" * 300, "x = " + "-" * 100_000 + "1"])
def test_unreadable_text_is_refused_in_words(bad):
    with pytest.raises(ProgramInvalid) as caught:
        find_inputs(bad)
    assert all(text(caught.value.key, language, **caught.value.values) for language in LANGUAGES)
    assert why_not(bad).key == "program.why_not.unreadable"


@given(st.text(alphabet=st.sampled_from("x=1.0[](),;#'\n\r\t torch.tensor é中\\")))
def test_any_text_is_read_or_refused(anything):
    try:
        inputs = find_inputs(anything)
    except ProgramInvalid:
        return
    source = read(anything)
    assert all(source.segment(node) in anything for node in ast.walk(source.tree) if isinstance(node, ast.expr))
    assert all(found.span.line >= 1 for found in inputs)


def test_an_odd_string_escape_is_no_business_of_ours():
    assert find_inputs('pattern = "\\d"\nx = 2.0')[0].values == (2.0,)

"""Streamlit's own KaTeX sets every formula that a row makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import torch
from katex_of_streamlit import complaints
from operators import kept_recordings
from playwright.sync_api import Browser
from recorded import recorded
from rule_programs import ONLY_HERE

from explorer.gallery import functions
from explorer.i18n import LANGUAGES, Language
from explorer.mistakes import mistakes
from explorer.model import Modified, NodeRan, Operation, Recording
from explorer.rules import explain
from explorer.rules.table import rule, rules

STRANGE_NAMES = """
    学习率_β = torch.tensor([1.5, float("inf"), float("nan")], requires_grad=True)
    w = {"a\\\\b$^~%#&_{}": 学习率_β}
    (w["a\\\\b$^~%#&_{}"] * 1e-30 + 学习率_β.exp() * 2.5e+20).sum().backward()
    学习率_β.mul(1 + 2j).abs().sum().backward()
"""


def formulas_of(recording: Recording, languages: Sequence[Language]) -> Iterator[tuple[str, str]]:
    """(kind of node, formula) for all that is written at the steps of a recording."""
    for step, event in enumerate(recording.events, 1):
        if not isinstance(event, NodeRan | Operation | Modified):
            continue
        node = recording.node(event.node_id).name if isinstance(event, NodeRan) else ""
        for language in languages:
            explained = explain(recording, step, language)
            yield from ((node, latex) for latex in (explained.formula, explained.forward) if latex is not None)


@pytest.fixture(scope="module")
def formulas() -> dict[str, set[str]]:
    """All different formulas, by the node that they are for."""
    operators = [
        *kept_recordings(torch.float32, 2),
        *kept_recordings(torch.complex64, 1),
        *(recorded(program.replace("DTYPE", "torch.float64")) for program in ONLY_HERE.values()),
    ]
    programs = [
        *(recorded(one.code) for one in functions()),
        *(recorded(code) for one in mistakes() for code in (one.wrong, one.right)),
        recorded(STRANGE_NAMES),
    ]
    found: dict[str, set[str]] = {}
    for recordings, languages in ((operators, LANGUAGES[:1]), (programs, LANGUAGES)):
        for recording in recordings:
            for node, latex in formulas_of(recording, languages):
                found.setdefault(node, set()).add(latex)
    return found


def test_every_formula_is_set(browser: Browser, formulas: dict[str, set[str]]) -> None:
    different = sorted(set().union(*formulas.values()))
    assert len(different) > 1000
    assert complaints(browser, different) == {}


def test_every_row_is_among_them(formulas: dict[str, set[str]]) -> None:
    written = {row.node for row in map(rule, formulas) if row is not None}
    assert set(rules()) - written == set()


def test_what_katex_cannot_set_is_noticed(browser: Browser) -> None:
    wrong = [r"\frac{1}{", r"\nosuchcommand x", r"\texttt{a_b}"]
    assert set(complaints(browser, [*wrong, r"\frac{1}{2}"])) == set(wrong)

"""What if on the Explore page, through AppTest."""

from __future__ import annotations

import pytest
from app_pages import links, open_page, open_program, pair_of, ran, said
from streamlit.testing.v1 import AppTest

from explorer.i18n import LANGUAGES, Language, text
from explorer.mistakes import mistake
from explorer.program.choices import Choices
from explorer.program.link import encode
from explorer.program.what_if import Change, changed
from explorer.ui.keys import Key, Parameter

PROGRAM = "import torch\nx = torch.tensor([1.0, 2.0], requires_grad=True)\ny = x.exp()\ny.add_(1)\nz = (x * x).sum()\nz.backward()\n"


def choose(page: AppTest, kind: str, line: int, name: str = "") -> AppTest:
    """What the menu's buttons do; AppTest opens no popovers."""
    page.session_state[Key.WHAT_IF] = (PROGRAM, Change(kind=kind, line=line, name=name))
    return ran(page)


CHANGES = [
    ("requires_grad", 2, "x"),
    ("detach", 3, "y"),
    ("no_grad", 3, ""),
    ("out_of_place", 4, ""),
    ("scale", 2, "x"),
    ("zero", 5, "z"),
    ("clip", 5, "z"),
]


@pytest.mark.parametrize(("kind", "line", "name"), CHANGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_both_programs_run_side_by_side(kind: str, line: int, name: str, language: Language) -> None:
    page = open_program(PROGRAM)
    page.session_state[Key.LANGUAGE] = language
    page = choose(page, kind, line, name)
    written = changed(PROGRAM, Change(kind=kind, line=line, name=name))
    played = pair_of(page)
    assert [side["source"] for side in played["sides"]] == [PROGRAM, written]
    assert played["titles"] == [text(f"what_if.{key}", language) for key in ("before", "after")]
    assert "added" in played["sides"][1]["line_marks"].values()
    question = text(f"what_if.question.{kind}", language, name=name, line=line)
    assert question in said(page).replace("\\", "")


def test_what_became_of_the_gradients_is_said() -> None:
    page = choose(open_program(PROGRAM), "scale", 2, "x")
    assert "x.grad: [2., 4.] → [20., 40.]" in said(page)
    assert text("what_if.grads_same", "en") in said(choose(open_program(PROGRAM), "detach", 3, "y"))


def test_an_error_of_the_changed_program_is_said_and_explained() -> None:
    page = choose(open_program(PROGRAM), "detach", 5, "z")
    assert "element 0 of tensors does not require grad" in said(page)
    assert text("mistakes.see", "en", title=mistake("detached-loss").titles["en"]) in links(page)


def test_the_change_can_be_kept() -> None:
    page = choose(open_program(PROGRAM), "out_of_place", 4)
    next(one for one in page.button if one.label == text("what_if.keep", "en")).click()
    page = ran(page)
    assert page.session_state[Key.CHOICES].text == PROGRAM.replace("y.add_(1)", "y = y.add(1)")
    assert Key.WHAT_IF not in page.session_state


def test_back_leads_to_the_program_as_it_was() -> None:
    page = choose(open_program(PROGRAM), "out_of_place", 4)
    next(one for one in page.button if one.label == text("what_if.close", "en")).click()
    assert ran(page).session_state[Key.PREPARED].recording.source == PROGRAM


def test_another_program_forgets_the_change() -> None:
    page = choose(open_page(fn="sum"), "out_of_place", 4)
    assert not [one for one in page.get("bidi_component") if one.proto.component_name.endswith("autograd_pair")]


def test_a_link_opens_the_change_and_only_one_that_can_be_tried() -> None:
    page = open_page(**encode(Choices(text=PROGRAM)), **{str(Parameter.WHAT_IF): "out_of_place.4."})
    assert pair_of(page)["sides"][1]["source"] == PROGRAM.replace("y.add_(1)", "y = y.add(1)")
    next(one for one in page.button if one.label == text("what_if.close", "en")).click()
    assert ran(page).session_state[Key.PREPARED].recording.source == PROGRAM
    assert Parameter.WHAT_IF not in page.query_params
    page = open_page(**encode(Choices(text=PROGRAM)), **{str(Parameter.WHAT_IF): "detach.1.import"})
    assert Key.WHAT_IF not in page.session_state

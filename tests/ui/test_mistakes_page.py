"""The page of mistakes through AppTest: the list, one mistake, the ways from and to Explore."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
from app_pages import links, open_page, open_program, pair_of, ran, said
from streamlit.testing.v1 import AppTest

from explorer.i18n import LANGUAGES, Language, text
from explorer.mistakes import mistake, mistakes
from explorer.runner import Stopped
from explorer.ui import runs
from explorer.ui.keys import Key
from explorer.ui.panels import waiting
from explorer.ui.panels.mistake_link import PAGE
from explorer.ui.runs import Task


def open_mistakes(language: str = "en", **parameters: str) -> AppTest:
    page = open_page(language)
    page.query_params.clear()
    page.query_params.update({"lang": language, **parameters})
    page.switch_page(PAGE)
    return ran(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_shows_every_mistake(language: Language) -> None:
    page = open_mistakes(language)
    shown = links(page)
    assert all(shown[one.titles[language]]["m"] == one.id for one in mistakes())
    assert text("mistakes.lead", language) in said(page)


def test_search_and_kind_narrow_the_list() -> None:
    page = open_mistakes()
    page.text_input(key=Key.MISTAKE_SEARCH).set_value("argmax")
    assert mistake("argmax-loss").titles["en"] in links(ran(page))
    page.text_input(key=Key.MISTAKE_SEARCH).set_value("no such thing")
    assert text("mistakes.nothing", "en") in said(ran(page))


def curtains(page: AppTest) -> list[str]:
    """What stands in the players' place."""
    return [one.proto.body for one in page.get("html") if "class='pair-curtain'" in one.proto.body]


def test_until_both_have_run_their_texts_stand_in_their_place() -> None:
    one = mistake("forgotten-zero-grad")
    (curtain,) = curtains(open_mistakes("zh", m=one.id))
    assert all(escape(line) in curtain for code in (one.wrong, one.right) for line in code.splitlines())


def test_what_could_not_run_leaves_nothing_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "ending_of", lambda _: Stopped(reason="busy"))
    monkeypatch.setattr(waiting, "known_ending", lambda _: None)
    page = open_mistakes(m="forgotten-zero-grad")
    assert text("ui.ending.not_run", "en") in said(page)
    assert not curtains(page)


def test_what_was_stopped_can_be_run_after_all() -> None:
    one = mistake("forgotten-zero-grad")
    page = open_mistakes(m=one.id)
    runs.RUNS.forget(Task(one.wrong))
    page.session_state[Key.STOPPED] = {Task(one.wrong): Stopped(reason="user")}
    assert text("ui.ending.stopped_by_user", "en") in said(ran(page))
    next(button for button in page.button if button.label == text("ui.ending.again", "en")).click()
    assert pair_of(ran(page))["sides"][0]["source"] == one.wrong


@pytest.mark.parametrize("one", mistakes(), ids=lambda one: one.id)
def test_a_mistake_runs_beside_its_repair(one: Any) -> None:
    page = open_mistakes(m=one.id)
    played = pair_of(page)
    assert [side["source"] for side in played["sides"]] == [one.wrong, one.right]
    marks = played["sides"][0]["line_marks"]
    assert {line for line, mark in marks.items() if mark == "culprit"} == {str(line) for line in one.culprit_lines}
    is_drawn = "<svg" in played["sides"][0]["svg"]
    assert ("culprit" in played["sides"][0]["marks"].values()) == is_drawn
    assert one.happened["en"] in said(page)
    assert one.repairs["en"] in said(page)


def test_torchs_own_words_are_shown_and_silence_is_said() -> None:
    page = open_mistakes(m="vector-root")
    assert "grad can be implicitly created only for scalar outputs" in [one.value for one in page.code]
    silent = open_mistakes("zh", m="data-write")
    assert text("mistakes.torch_silent", "zh", version="2").split("2")[1][:4] in said(silent)


def test_an_unknown_mistake_leaves_the_list() -> None:
    page = open_mistakes(m="![nothing](http://evil)")
    assert "nothing" in page.warning[0].value
    assert "![" not in page.warning[0].value, "Markdown from a link is shown, not obeyed"
    assert mistakes()[0].titles["en"] in links(page)


def test_both_programs_open_in_explore() -> None:
    page = open_mistakes(m="vector-root")
    codes = [one.proto.query_string for one in page.get("page_link") if "code=" in one.proto.query_string]
    assert len(codes) == 2
    assert codes[0] != codes[1]


@pytest.mark.parametrize("mistake_id", ["backward-twice", "data-write", "column-against-row", "leaf-replaced"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_users_program_is_led_to_its_mistake(mistake_id: str, language: Language) -> None:
    page = open_program(mistake(mistake_id).wrong)
    page.session_state[Key.LANGUAGE] = language
    label = text("mistakes.see", language, title=mistake(mistake_id).titles[language])
    assert links(ran(page))[label] == {"m": mistake_id, "lang": language}

"""Words of the glossary in the player's sentence: each opens its explanation beside it, by mouse and keys."""

from __future__ import annotations

from typing import Any

import pytest
from player_samples import CLEARED, TWO_PASSES, OpenPlayer, sample
from playwright.sync_api import Locator, Page, expect

from explorer.i18n import LANGUAGES, Language

pytestmark = pytest.mark.browser

NOTED, STARTED = 4, 5
"""Steps of the sample: an operation is noted, a backward pass starts."""


def at_step(open_player: OpenPlayer, played: dict[str, Any], step: int, **options: Any) -> Page:
    page = open_player(played, **options)
    page.evaluate("step => player.stepTo(step)", step)
    return page


def words(page: Page) -> Locator:
    return page.locator(".sentence > button.word")


def explanation(page: Page) -> Locator:
    return page.locator(".explanation")


def has_focus(found: Locator) -> bool:
    return bool(found.evaluate("element => element === document.activeElement"))


def test_a_node_s_name_explains_itself(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = at_step(open_player, two_passes, NOTED)
    words(page).filter(has_text="MulBackward0").click()
    expect(explanation(page).locator("h4")).to_have_text("MulBackward0")
    expect(explanation(page)).to_contain_text("mul.Tensor")
    expect(explanation(page).locator("pre")).to_contain_text("other: mul_tensor_backward(grad, self")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_opens_and_esc_gives_the_focus_back(
    open_player: OpenPlayer, two_passes: dict[str, Any], key: str
) -> None:
    page = at_step(open_player, two_passes, STARTED)
    word = words(page).first
    word.focus()
    page.keyboard.press(key)
    expect(word).to_have_attribute("aria-expanded", "true")
    assert has_focus(explanation(page))
    page.keyboard.press("Escape")
    expect(explanation(page)).to_have_count(0)
    expect(word).to_have_attribute("aria-expanded", "false")
    assert has_focus(word)
    assert page.evaluate("player.step") == STARTED


def test_a_step_closes_it_and_the_keyboard_keeps_its_place(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = at_step(open_player, two_passes, STARTED)
    words(page).first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    expect(explanation(page)).to_have_count(0)
    assert page.evaluate("player.step") == STARTED + 1
    assert has_focus(page.locator(".sentence"))
    page.keyboard.press("Tab")
    assert has_focus(words(page).first)


def test_one_is_open_at_a_time_until_a_press_elsewhere(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = at_step(open_player, two_passes, STARTED)
    for word in (words(page).nth(0), words(page).nth(1)):
        word.click()
        expect(explanation(page)).to_have_count(1)
        expect(page.locator(".word[aria-expanded=true]")).to_have_text(word.inner_text())
    page.locator(".where").click()
    expect(explanation(page)).to_have_count(0)
    words(page).first.click()
    words(page).first.click()
    expect(explanation(page)).to_have_count(0)


def test_a_word_in_an_explanation_takes_its_place(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = at_step(open_player, two_passes, STARTED)
    words(page).first.click()
    inner = explanation(page).locator("button.word", has_text="leaves")
    inner.click()
    expect(explanation(page).locator("h4")).to_have_text("leaf")
    page.keyboard.press("Escape")
    assert has_focus(words(page).first)


def test_opening_a_word_stops_the_playing(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = at_step(open_player, two_passes, NOTED)
    page.evaluate("player.play()")
    words(page).first.click()
    assert page.evaluate("player.timer") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_a_pass_has_words_and_nothing_moves(open_player: OpenPlayer, language: Language) -> None:
    played = sample(CLEARED, language)
    page = open_player(played, width=390, height=800)
    shape = "[player.root.offsetHeight, document.documentElement.scrollWidth]"
    before = page.evaluate(shape)
    for step, told in enumerate(played["steps"], 1):
        page.evaluate("step => player.stepTo(step)", step)
        expect(page.locator(".sentence")).to_have_text(told["sentence"])
        assert words(page).count() > 0, told["sentence"]
        words(page).last.click()
        box = explanation(page).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert page.evaluate(shape) == before


def test_what_the_program_prints_is_its_own(open_player: OpenPlayer) -> None:
    played = sample("import torch\nx = torch.ones(2, requires_grad=True)\nprint('<b>leaf</b> gradient')\n")
    page = at_step(open_player, played, len(played["steps"]))
    expect(page.locator(".sentence")).to_contain_text("<b>leaf</b> gradient")
    expect(words(page)).to_have_count(0)


def test_the_ledger_and_the_legend_explain_their_words(open_player: OpenPlayer) -> None:
    page = open_player(sample(TWO_PASSES))
    page.locator(".ledger th .word").click()
    expect(explanation(page).locator("h4")).to_have_text("leaf")
    page.locator(".legend summary").click()
    page.locator(".legend .word", has_text="seed gradient").click()
    expect(explanation(page).locator("h4")).to_have_text("seed gradient")


def test_why_a_node_runs_now_is_explained_beside_its_step(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = at_step(open_player, two_passes, STARTED + 1)
    why = page.locator(".where button.word")
    why.focus()
    page.keyboard.press("Enter")
    expect(explanation(page)).to_contain_text("sequence number")
    page.keyboard.press("ArrowLeft")
    expect(why).to_have_count(0)
    assert has_focus(page.locator(".sentence"))

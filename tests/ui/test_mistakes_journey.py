"""Two players side by side in a real browser."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from app_pages import IDLE, Visit
from playwright.sync_api import Page, expect

from explorer.i18n import text
from explorer.mistakes import mistake, mistakes
from explorer.program.choices import Choices
from explorer.program.link import encode

pytestmark = pytest.mark.browser


def open_pair(visit: Visit, address: str = "mistakes?m=where-and-nan", **options: object) -> Page:
    page = visit(address, **options)
    expect(page.locator(".pair .stage svg")).to_have_count(2)
    expect(page.locator(IDLE)).to_be_visible()
    return page


def steps(page: Page) -> list[int]:
    return page.locator(".pair").evaluate("pair => pair.pair.players.map((player) => player.step)")


def moments(page: Page) -> list[list[int]]:
    return page.locator(".pair").evaluate("pair => pair.pair.data.moments")


def test_keys_and_buttons_lead_both_sides(visit: Visit) -> None:
    page = open_pair(visit)
    pairs = moments(page)
    page.keyboard.press("Home")
    assert steps(page) == [0, 0]
    for at in range(1, 5):
        page.keyboard.press("ArrowRight")
        assert steps(page) == pairs[at]
    page.locator(".is-left .stage").focus()
    page.keyboard.press("ArrowLeft")
    assert steps(page) == pairs[3]
    page.locator(".is-conductor .button.next").click()
    assert steps(page) == pairs[4]
    page.keyboard.press("End")
    assert steps(page) == pairs[-1]


def test_a_line_of_one_program_takes_the_other_along(visit: Visit) -> None:
    page = open_pair(visit)
    page.locator(".is-right .line[data-line='6']").click()
    left, right = steps(page)
    assert [left, right] in moments(page)
    happened = page.locator(".pair").evaluate("pair => pair.pair.players[1].data.steps[pair.pair.players[1].step - 1]")
    assert happened["span"][0] == 6
    expect(page.locator(".is-left .line.is-current")).to_have_count(1)


def test_it_plays(visit: Visit) -> None:
    page = open_pair(visit)
    page.keyboard.press("Home")
    page.locator(".is-conductor .button.play").click()
    expect(page.locator(".is-conductor .button.play")).to_have_class(re.compile("is-playing"))
    page.keyboard.press("Escape")
    page.locator(".is-conductor .button.play").click()
    expect(page.locator(".is-conductor .button.play")).not_to_have_class(re.compile("is-playing"))


def test_the_tab_key_leads_to_nothing_that_is_not_seen(visit: Visit) -> None:
    page = open_pair(visit)
    expect(page.locator(".pair .jump:visible")).to_have_count(0)  # Shift and an arrow do the same


def test_marks_are_signs_with_names(visit: Visit) -> None:
    page = open_pair(visit, "mistakes?m=in-place-on-a-saved-value&lang=en")
    culprit = page.locator(".is-left .line.of-culprit")
    expect(culprit).to_have_count(1)
    expect(culprit).to_contain_text("y.add_(1)")
    expect(culprit.locator(".line-sign")).to_have_text(text("player.line_culprit", "en"))
    expect(page.locator(".is-right .line.of-added .line-sign")).to_have_text(text("player.line_added", "en"))
    expect(page.locator(".is-left .mark-sign.of-culprit").first).to_be_visible()
    marked = page.locator(".is-left g.node.of-culprit").first
    expect(marked).to_have_attribute("aria-label", re.compile(re.escape(text("player.mark_culprit", "en"))))


def test_nothing_moves_while_stepping(visit: Visit) -> None:
    page = open_pair(visit)
    boxes = "[...document.querySelectorAll('*')].flatMap((one) => one.shadowRoot ? [...one.shadowRoot.querySelectorAll('.stage, .transport, .ledger, .program')] : []).map((one) => { const { x, y, width, height } = one.getBoundingClientRect(); return [x, y, width, height]; })"
    page.keyboard.press("Home")
    before = page.evaluate(boxes)
    for _ in range(len(moments(page))):
        page.keyboard.press("ArrowRight")
        assert page.evaluate(boxes) == before


@pytest.mark.parametrize("drawer", ["PageLink", "ButtonGroup"])
def test_what_the_browser_loads_late_has_its_room(visit: Visit, drawer: str) -> None:
    page, late = open_pair(visit), []
    pair = page.locator(".st-key-mistake-pair")
    at = pair.bounding_box()
    page.route(re.compile(rf"/{drawer}\.[\w-]+\.js$"), lambda request: late.append(request))
    page.reload(wait_until="commit")
    expect(page.locator(".pair .stage svg")).to_have_count(2)
    expect(page.locator("[data-testid=stSkeleton]").first).to_be_visible()
    assert pair.bounding_box() == at
    for request in late:
        request.continue_()
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
    assert pair.bounding_box() == at


PLACES = """(selector) => [...document.querySelectorAll('*')]
    .flatMap((one) => [one, ...(one.shadowRoot?.querySelectorAll('*') ?? [])])
    .filter((one) => one.matches(selector))
    .map((one) => one.getBoundingClientRect().toJSON())"""


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_every_title_of_the_list_is_read_whole(visit: Visit, width: int) -> None:
    page = visit("mistakes", width=width)
    expect(page.locator("[class*=st-key-card-] a")).to_have_count(len(mistakes()))
    inner = page.locator("[class*=st-key-card-] a span")
    assert inner.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_two_sides_stand_beside_or_below_each_other(visit: Visit, width: int) -> None:
    page = open_pair(visit, width=width)
    left, right = page.evaluate(PLACES, ".side")
    assert (abs(left["y"] - right["y"]) < 1) == (width == 1280)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if width == 1280:
        left, right = page.evaluate(PLACES, ".stage")
        assert left["y"] == right["y"]


SHORT, LONG, SILENT = "vector-root", "in-place-on-a-saved-value", "marked-loss"


@pytest.mark.parametrize("width", [1280, 390])
def test_whatever_torch_says_players_come_where_their_programs_stood(visit: Visit, width: int) -> None:
    rooms = []
    for mistake_id in (SHORT, LONG, SILENT):
        page = open_pair(visit, f"mistakes?m={mistake_id}", width=width)
        stood, _, came, _ = page.evaluate(PLACES, ".pair-curtain pre, .side .program")
        assert stood["y"] == came["y"]
        rooms.append(page.evaluate(PLACES, ".st-key-torch-says")[0]["height"])
    assert len(set(rooms)) == 1


def test_from_the_list_to_a_mistake_and_on(visit: Visit) -> None:
    page = visit("mistakes?lang=en")
    page.get_by_role("link", name=mistake("data-write").titles["en"], exact=True).click()
    expect(page.locator(IDLE)).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]m=data-write\b"))
    expect(page.locator(".pair .stage svg")).to_have_count(2)
    expect(page.locator(".is-left .after")).to_have_text("738.9056")
    after = mistakes()[mistakes().index(mistake("data-write")) + 1]
    page.get_by_role("link", name=re.compile(re.escape(after.titles["en"]))).click()
    expect(page.locator(".is-left .line.of-culprit")).to_contain_text(after.culprit)
    page.get_by_role("link", name=text("mistakes.open", "en")).first.click()
    expect(page.locator(".program .line")).to_have_text(after.wrong.rstrip("\n").split("\n"))


def test_an_error_in_explore_leads_to_its_mistake(visit: Visit) -> None:
    page = visit("?lang=en")
    page.locator(".st-key-editing label").first.click()
    field = page.locator(".st-key-draft textarea")
    field.fill("import torch\nx = torch.ones(3, requires_grad=True)\n(x * x).backward()")
    field.press("Control+Enter")
    title = mistake("vector-root").titles["en"]
    page.get_by_role("link", name=text("mistakes.see", "en", title=title)).click()
    expect(page.locator(".is-left .line.of-culprit")).to_contain_text("y.backward()")


def change(page: Page, kind: str, line: int, name: str, language: str) -> None:
    """Through the menu, as a user does."""
    page.locator(".st-key-what_if_menu button").first.click()
    page.locator(".st-key-what_if_kind").get_by_text(text(f"what_if.kind.{kind}", language), exact=True).click()
    page.locator(f".st-key-what-if-{kind}-{line}-{name} button").click()
    expect(page.locator(".pair .stage svg")).to_have_count(2)
    expect(page.locator(IDLE)).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_if_without_typing(visit: Visit, language: str) -> None:
    page = visit(f"?fn=two-dot&lang={language}")
    expect(page.locator(".stage svg")).to_be_visible()
    change(page, "scale", 5, "m", language)
    expect(page.locator(".is-right .line.of-added")).to_contain_text("m.register_hook(lambda grad: 10 * grad)")
    expect(page.locator(".side .after")).to_have_text(["[0., 4., 8.]", "[0., 40., 80.]"])
    expect(page.locator(".is-right .mark-sign.of-changed").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]if=scale\.5\.m"))
    page.reload()
    expect(page.locator(".side .after")).to_have_text(["[0., 4., 8.]", "[0., 40., 80.]"])
    page.get_by_role("button", name=text("what_if.close", language), exact=True).click()
    expect(page.locator(".pair")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("if="))
    change(page, "requires_grad", 3, "x", language)
    page.get_by_role("button", name=text("what_if.keep", language)).click()
    expect(page.locator(".pair")).to_have_count(0)
    expect(page.locator(".program .lines")).to_contain_text("requires_grad_(False)")


def test_words_open_in_notices_and_on_the_pages_of_mistakes(visit: Visit) -> None:
    for address, place in (
        (f"?{urlencode(encode(Choices(text=mistake('detach-in-a-product').wrong)))}", "notices"),
        (f"?{urlencode(encode(Choices(text=mistake('vector-root').wrong)))}", "failed"),
        ("mistakes?m=detach-in-a-product", "mistake-words"),
    ):
        page = visit(address)
        word = page.locator(f".st-key-{place} .prose .word").first
        word.click()
        expect(page.locator(".explanation h4")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".explanation")).to_have_count(0)
        assert word.evaluate("element => element.matches(':focus')")

"""A visitor's whole way through the served page, by mouse and keys, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
from app_pages import IDLE, Visit, keyed
from playwright.sync_api import Locator, Page, expect

from explorer.gallery import function, functions
from explorer.i18n import LANGUAGES, Language, text
from explorer.program.choices import Choices
from explorer.program.link import encode
from explorer.ui.words import LANGUAGE_NAMES

pytestmark = pytest.mark.browser

GRAPH = ".stage svg"


def settled(page: Page) -> None:
    """Waits until the player is there and the server has nothing more to say."""
    expect(page.locator(".transport .where")).to_be_visible()
    expect(page.locator(IDLE)).to_be_visible()


def step_of(page: Page) -> int:
    return page.locator(".player").evaluate("element => element.player.step")


def expect_source(page: Page, code: str) -> None:
    expect(page.locator(".program .line")).to_have_text(code.rstrip("\n").split("\n"))


def expect_sums(page: Page, *sums: str) -> None:
    """What stands in the ledger's cells after each pass."""
    expect(page.locator(".ledger .after")).to_have_text(list(sums))


def press(page: Page, key: str, expected_step: int) -> None:
    page.keyboard.press(key)
    assert step_of(page) == expected_step


def type_into(field: Locator, typed: str) -> None:
    field.fill(typed)
    field.press("Enter")


def type_program(page: Page, code: str) -> None:
    keyed(page, "editing", "label").first.click()
    field = keyed(page, "draft", "textarea")
    field.fill(code)
    field.press("Control+Enter")


# ── one way through all of it ───────────────────────────────────────────────────


def test_the_page_opens_on_a_graph(visit: Visit) -> None:
    page = visit()
    expect(page.locator(GRAPH)).to_be_visible()
    expect_source(page, functions()[0].code)
    expect_sums(page, "[0., 4., 8.]")
    assert page.locator(".stage g[role=button]").count() >= 3
    box = page.locator(GRAPH).bounding_box()
    assert box is not None
    assert box["y"] < 900, "the graph is to be seen without scrolling"


def test_another_function_is_picked_and_an_input_edited(visit: Visit) -> None:
    page = visit()
    keyed(page, "picker", "button").first.click()
    type_into(keyed(page, "search", "input"), "product")
    keyed(page, "pick-product", "button").click()
    expect_source(page, function("product").code)
    expect(keyed(page, "pick-product")).to_have_count(0)
    page.goto(page.url.split("?")[0])
    type_into(keyed(page, "value-x-0", "input"), "5")
    expect_sums(page, "[20., 4., 8.]")
    expect(page.locator(".program .lines")).to_contain_text("x = torch.tensor([5.0, 1.0, 2.0])")


def test_keys_step_forward_and_back_without_the_server(visit: Visit) -> None:
    page = visit("?fn=two-dot")
    expect(page.locator(GRAPH)).to_be_visible()
    settled(page)
    count = page.locator(".player").evaluate("element => element.player.count")
    page.locator(".player").evaluate("element => { element.player.marked = true }")
    for key, step in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", count)):
        press(page, key, step)
    page.locator(".jump").click()
    expect(page.locator(".where")).to_contain_text("backward pass 1 of 1")
    at = step_of(page)
    press(page, "ArrowRight", at + 1)
    expect(page).to_have_url(re.compile(rf"[?&]step={at + 1}\b"))
    settled(page)
    assert step_of(page) == at + 1
    assert page.locator(".player").evaluate("element => element.player.marked"), "the player was made anew"


def test_the_inspector_follows_the_click_on_a_node(visit: Visit) -> None:
    page = visit("?fn=two-dot")
    for name in ("MulBackward0", "DotBackward0"):
        page.locator(f".stage g.node[aria-label*={name}]").first.click()
        expect(keyed(page, "inspector", "h2")).to_have_text(name)
    expect(keyed(page, "inspector")).to_contain_text("upstream gradient")
    expect(keyed(page, "inspector")).to_contain_text("saved: ")
    keyed(page, "inspector", "summary").get_by_text("All tensors").click()
    expect(keyed(page, "inspector", ".js-plotly-plot").first).to_be_visible()
    page.locator(".stage").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".stage .is-selected")).to_have_count(0)


def test_gradients_accumulate_and_are_cleared(visit: Visit) -> None:
    page = visit()
    type_into(keyed(page, "second", "input"), "x.sum()")
    expect_sums(page, "[0., 4., 8.]", "[1., 5., 9.]")
    settled(page)
    page.locator(".stage").focus()
    page.keyboard.press("End")
    expect(page.locator(".printed")).to_contain_text("tensor([1., 5., 9.])")
    expect(keyed(page, "contributions", ".js-plotly-plot")).to_be_visible()
    keyed(page, "between").get_by_role("radio", name="zero_()").or_(
        keyed(page, "between").get_by_role("button", name="zero_()")
    ).click()
    expect_sums(page, "[0., 4., 8.]", "[1., 1., 1.]")
    expect(page.locator(".ledger .cleared")).to_have_text(["zero_()"])


def test_own_programs_run_and_errors_are_torchs_own(visit: Visit) -> None:
    page = visit()
    own = "import torch\na = torch.tensor(3.0, requires_grad=True)\nb = a * a\nb.backward()"
    type_program(page, own)
    expect_source(page, own)
    expect_sums(page, "6.")
    keyed(page, "draft", "textarea").fill(own + "\nb.backward()")
    page.get_by_role("button", name=text("ui.edit.run", "en"), exact=True).click()
    expect(keyed(page, "failed")).to_contain_text("Trying to backward through the graph a second time")
    expect(keyed(page, "failed")).to_contain_text("line 5, column 1")
    expect(page.locator(".stage g.node[aria-label*=MulBackward0]")).to_be_visible()
    expect(page.locator(".sentence")).to_have_class(re.compile("is-error"))
    keyed(page, "draft", "textarea").fill("import torch\nx = torch.ones(")
    page.get_by_role("button", name=text("ui.edit.run", "en"), exact=True).click()
    expect(keyed(page, "rejected")).to_contain_text("Line 2, column")
    expect_source(page, own)


# ── links ───────────────────────────────────────────────────────────────────────


def test_the_address_reopens_everything_elsewhere(visit: Visit) -> None:
    page = visit("?fn=both&lang=zh")
    type_into(keyed(page, "value-x-1", "input"), "7")
    expect(page.locator(".program .lines")).to_contain_text("tensor([0.0, 7.0, 2.0])")
    type_into(keyed(page, "passes", "input"), "2")
    expect(page).to_have_url(re.compile(r"[?&]p=2\b"))
    settled(page)
    page.locator(".stage").focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"[?&]step=4\b"))
    settled(page)
    source, sums = (
        page.locator(".program .line").all_text_contents(),
        page.locator(".ledger .after").all_text_contents(),
    )
    other = visit(page.url, locale="en-US")
    expect(other.locator(".program .line")).to_have_text(source)
    expect(other.locator(".ledger .after")).to_have_text(sums)
    expect(keyed(other, "passes", "input")).to_have_value("2")
    expect(other.locator(".where")).to_contain_text(text("player.step", "zh", step=4, steps="").split("4")[0])
    assert step_of(other) == 4
    expect(keyed(other, "function-row")).to_contain_text(function("both").notice("zh"))


def test_an_edited_number_leaves_step_and_address_where_they_were(visit: Visit) -> None:
    page = visit("?fn=two-dot")
    settled(page)
    press(page, "Home", 0)
    press(page, "ArrowRight", 1)
    press(page, "ArrowRight", 2)
    expect(page).to_have_url(re.compile(r"[?&]step=2\b"))
    settled(page)
    type_into(keyed(page, "value-x-0", "input"), "5")
    expect(page.locator(".program .lines")).to_contain_text("tensor([5.0, 1.0, 2.0])")
    settled(page)
    assert step_of(page) == 2
    expect(page).to_have_url(re.compile(r"[?&]step=2\b"))


def test_the_shared_address_is_that_of_the_address_bar(visit: Visit) -> None:
    page = visit("?fn=sum&p=2")
    settled(page)
    page.get_by_role("button", name=text("ui.share.name", "en")).click()
    shared = page.locator("[data-testid='stPopoverBody'] code").inner_text()
    assert parse_qs(urlsplit(shared).query) == parse_qs(urlsplit(page.url).query)
    assert urlsplit(shared).netloc == urlsplit(page.url).netloc


def test_the_shared_address_names_the_step(visit: Visit) -> None:
    page = visit("?fn=two-dot")
    settled(page)
    press(page, "Home", 0)
    press(page, "ArrowRight", 1)
    expect(page).to_have_url(re.compile(r"[?&]step=1\b"))
    settled(page)
    page.get_by_role("button", name=text("ui.share.name", "en")).click()
    expect(page.locator("[data-testid='stPopoverBody'] code")).to_contain_text("step=1")


def test_a_damaged_link_is_refused_and_the_page_works(visit: Visit) -> None:
    page = visit("?fn=two-dot&code=AAAA")
    expect(page.locator("[data-testid='stAlert']")).to_contain_text("is damaged")
    expect_sums(page, "[0., 4., 8.]")


# ── languages, pages, phones ────────────────────────────────────────────────────


def test_a_browser_that_speaks_chinese_is_answered_in_chinese(visit: Visit) -> None:
    page = visit(locale="zh-CN")
    expect(keyed(page, "function-row")).to_contain_text(functions()[0].notice("zh"))
    keyed(page, "masthead").get_by_text(LANGUAGE_NAMES["en"], exact=True).click()
    expect(keyed(page, "function-row")).to_contain_text(functions()[0].notice("en"))
    expect(page).to_have_url(re.compile("lang=en"))


def test_another_language_leaves_step_and_selection_alone(visit: Visit) -> None:
    page = visit("?fn=two-dot&p=2&step=3")
    settled(page)
    assert step_of(page) == 3
    keyed(page, "masthead").get_by_text(LANGUAGE_NAMES["zh"], exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator(".ledger .caption")).to_have_text(text("player.ledger", "zh"))
    settled(page)
    assert step_of(page) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_about_and_back_keeps_language_and_program(visit: Visit, language: Language) -> None:
    page = visit(f"?fn=sum&lang={language}")
    expect_source(page, function("sum").code)
    settled(page)
    page.get_by_role("link", name=text("ui.nav.about", language)).click()
    expect(page.locator("h2").first).to_have_text(text("ui.about.what_title", language))
    expect(page.locator(IDLE)).to_be_visible()
    page.get_by_role("link", name=text("ui.nav.explore", language)).click()
    expect_source(page, function("sum").code)
    expect(keyed(page, "function-row")).to_contain_text(function("sum").notice(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_about_opens_by_its_own_address(visit: Visit, language: Language) -> None:
    page = visit(f"about?lang={language}")
    expect(page.locator("h2").first).to_have_text(text("ui.about.what_title", language))


@pytest.mark.parametrize("path", ["", "?fn=attention&lang=zh", "?fn=both&p=10", "about"])
def test_nothing_sticks_out_on_a_phone(visit: Visit, path: str) -> None:
    page = visit(path, width=390, height=844, has_touch=True, is_mobile=True)
    if path.startswith("about"):
        expect(page.locator("h2").first).to_be_visible()
    else:
        expect(page.locator(GRAPH)).to_be_visible()
        settled(page)
    assert page.evaluate(
        "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
        ".every(element => element.scrollWidth <= element.clientWidth)"
    )


def test_a_large_graph_is_shown_in_parts_that_follow_the_step(visit: Visit) -> None:
    code = "import torch\nx = torch.tensor(1.0, requires_grad=True)\ny = x\nfor _ in range(200):\n    y = y.sin()\ny.backward()\n"
    page = visit("?" + "&".join(f"{name}={value}" for name, value in encode(Choices(text=code)).items()))
    expect(page.locator(".notice")).to_contain_text("201 nodes")
    leaf = page.locator(".stage g.node[aria-label*=AccumulateGrad]")
    expect(leaf).to_have_count(1)
    settled(page)
    page.locator(".jump").click()
    expect(leaf).to_have_count(0)
    expect(page.locator(".stage g.node[aria-label*=SinBackward0]").first).to_be_visible()
    expect(page.locator(".where")).to_contain_text("backward pass 1 of 1")


def test_a_training_loop_is_shown_pass_by_pass_or_whole(visit: Visit) -> None:
    code = (
        "import torch\nw = torch.ones(2, requires_grad=True)\nfor step in range(6):\n    (w * w).sum().backward()\n"
        "    with torch.no_grad():\n        w -= 0.1 * w.grad\n    w.grad = None\n"
    )
    page = visit("?" + "&".join(f"{name}={value}" for name, value in encode(Choices(text=code)).items()))
    notice, nodes = page.locator(".notice"), page.locator(".stage g.node.operation")
    expect(notice).to_have_text("The graph of backward pass 1 of 6: 3 of 13 nodes.")
    expect(nodes).to_have_count(2)
    settled(page)
    page.locator(".jump").click()
    expect(notice).to_contain_text("backward pass 2 of 6")
    expect(nodes).to_have_count(2)
    keyed(page, "view-row").get_by_text("all passes").click()
    expect(notice).to_be_hidden()
    expect(nodes).to_have_count(12)
    keyed(page, "view-row").get_by_text("this pass").click()
    expect(notice).to_contain_text("backward pass 2 of 6")


def test_of_a_long_training_loop_three_passes_are_drawn_not_all(visit: Visit) -> None:
    page = visit("?fn=fit-line&step=300")
    notice = page.locator(".notice")
    expect(notice).to_contain_text("backward pass 14 of 30")
    settled(page)
    expect(keyed(page, "view-row").get_by_text("all passes")).to_have_count(0)
    keyed(page, "view-row").get_by_text("3 passes").click()
    expect(notice).to_contain_text("backward passes 13 to 15 of 30")
    settled(page)
    page.locator(".stage").focus()
    press(page, "Home", 0)
    expect(notice).to_contain_text("backward passes 1 to 3 of 30")


def test_a_what_if_of_a_training_loop_shows_the_same_pass_on_both_sides(visit: Visit) -> None:
    page = visit("?fn=fit-line&if=scale.8.loss&step=300")
    sides = page.locator(".side .notice")
    expect(sides).to_contain_text(["backward pass 14 of 30"] * 2)
    expect(page.locator(IDLE)).to_be_visible()
    page.keyboard.press("Home")
    expect(sides).to_contain_text(["backward pass 1 of 30"] * 2)
    expect(page).to_have_url(re.compile(r"[?&]step=0\b"))
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"[?&]step=1\b"))
    expect(page.locator(IDLE)).to_be_visible()
    page.get_by_role("button", name=text("what_if.close", "en"), exact=True).click()
    expect(page.locator(".pair")).to_have_count(0)
    expect(page).not_to_have_url(re.compile(r"[?&]if="))
    settled(page)
    assert step_of(page) == 1


def test_on_a_phone_editor_and_message_stand_above_the_picture(visit: Visit) -> None:
    page = visit(width=390, height=800)
    expect(page.locator(GRAPH)).to_be_visible()
    type_program(page, "import torch\nx = torch.ones(3, requires_grad=True)\n(x * x).backward()")
    places = [keyed(page, "editor"), keyed(page, "failed"), page.locator(".player")]
    for place in places:
        expect(place).to_be_visible()
    settled(page)
    tops = page.locator(".st-key-editor, .st-key-failed, .player").evaluate_all(
        "all => all.map(one => [one.className, one.getBoundingClientRect().top]).sort((one, other) => one[1] - other[1])"
    )
    assert [next(name for name in ("editor", "failed", "player") if name in of) for of, _ in tops] == [
        "editor",
        "failed",
        "player",
    ]
    assert tops[0][1] < 400


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [1024, 1180])
def test_the_toggles_stay_in_one_row_on_a_projector(visit: Visit, language: Language, width: int) -> None:
    page = visit(f"?lang={language}", width=width, height=768)
    settled(page)
    middles = keyed(page, "toggle-row", "> *").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(({ top, bottom }) => (top + bottom) / 2)"
    )
    assert max(middles) - min(middles) < 4
    assert keyed(page, "toggle-row").evaluate("row => row.scrollWidth <= row.clientWidth")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_tab_key_goes_through_the_masthead_as_the_eye_does(visit: Visit, width: int) -> None:
    page = visit(width=width, height=800)
    stops = keyed(page, "masthead", "a, .st-key-masthead button")
    expect(stops).to_have_count(4 + len(LANGUAGES))
    places = stops.evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(({ bottom, x }) => [bottom, x])"
    )
    rows = [(round(bottom / 20), x) for bottom, x in places]  # links and buttons of one row differ in height
    assert rows == sorted(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_which_key_takes_what_is_typed_is_said_in_the_page_s_language(
    visit: Callable[..., Page], language: Language
) -> None:
    page = visit(f"mistakes?lang={language}")
    page.locator(".st-key-mistake_search input").fill("x")
    said = page.locator("[data-testid=InputInstructions]")
    shown = said.evaluate("one => [getComputedStyle(one).fontSize, getComputedStyle(one, '::after').content]")
    assert shown == ["0px", f'"{text("ui.apply", language)}"']


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_the_player_comes_where_its_program_stood(visit: Visit, width: int) -> None:
    slow = f"import torch\nx = torch.ones({width}, requires_grad=True)\nfor _ in range(5 * 10**7):\n    pass\n(x * x).sum().backward()\n"
    page = visit("about", width=width)
    page.goto(urljoin(page.url, f"/?{urlencode(encode(Choices(text=slow)))}"), wait_until="commit")
    expect(page.locator(".player-to-come")).to_be_visible()
    expect(page.locator("[data-testid='stSkeleton']")).to_have_count(0)
    stood = page.locator(".player-to-come").bounding_box()
    expect(page.locator(GRAPH)).to_be_visible()
    came = page.locator(".player").bounding_box()
    assert stood
    assert came
    assert [stood[end] for end in ("x", "y", "width")] == pytest.approx(
        [came[end] for end in ("x", "y", "width")], abs=1
    )

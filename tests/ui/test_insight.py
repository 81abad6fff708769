"""The insight panel in the served page: elements that tell where they come from, Jacobians, saved tensors, words."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from app_pages import IDLE, Visit
from playwright.sync_api import Locator, Page, expect

from explorer.program.choices import Choices
from explorer.program.link import encode

pytestmark = pytest.mark.browser

HEARD_MILLISECONDS = 600
CUBE = "import torch\n\nx = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\nm = (x * x).sum()\nm.backward()\n"
BRANCHES = (
    "import torch\n\nx = torch.tensor([1.0, 2.0], requires_grad=True)\na = x * 1\nb = 4 * a\nc = a.clone()\n"
    "(b + c).sum().backward()\n"
)
MATRICES = (
    "import torch\n\nw = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)\n"
    "x = torch.tensor([[5.0, 6.0], [7.0, 8.0]])\ny = w @ x\ny.backward(torch.tensor([[1.0, 0.0], [0.0, 10.0]]))\n"
)
BROADCAST = (
    "import torch\n\nw = torch.ones(4, 3, requires_grad=True)\nb = torch.ones(3, requires_grad=True)\n"
    "y = w + b\ny.sum().backward()\n"
)
TWICE = "import torch\n\nx = torch.ones(2, requires_grad=True)\ny = x.exp().sum()\ny.backward()\ny.backward()\n"


def open_at(visit: Visit, code: str, name: str, **options: object) -> Page:
    """The page with a program, its last step, and a node of that name selected."""
    page = visit(f"?{urlencode(encode(Choices(text=code)))}", **options)
    select(page, name)
    return page


def select(page: Page, name: str) -> None:
    expect(page.locator(".insight .tabs")).to_be_visible()  # it follows the first painting, which draws the page anew
    expect(page.locator(IDLE)).to_be_visible()
    page.locator(".player").evaluate("element => element.player.stepTo(element.player.count)")
    page.locator(".stage g.node").filter(has_text=name).first.dispatch_event("click")
    expect(page.locator(".st-key-inspector h2")).to_be_visible()
    expect(page.locator(".insight .tabs")).to_be_visible()
    # The panel is drawn anew once Python has heard of step and node: pointing at a cell before that would be forgotten.
    page.wait_for_url(re.compile(r"[?&]step=\d+"))
    page.wait_for_timeout(HEARD_MILLISECONDS)
    expect(page.locator(IDLE)).to_be_visible()


def cell(page: Page, title: str, at: int) -> Locator:
    """A cell of the grid with that title."""
    return (
        page.locator(".insight .tensor")
        .filter(has=page.locator(".title", has_text=title))
        .first.locator(".cell")
        .nth(at)
    )


def equation(page: Page) -> Locator:
    return page.locator(".insight .equation")


def choose(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab, exact=True).click()


def step_back(page: Page) -> None:
    """To where the last gradient has arrived, with nothing selected."""
    page.locator(".player").evaluate("element => (element.player.select(null), element.player.by(-1))")


def test_pointing_at_an_element_shows_its_numbers_and_where_they_stand(visit: Visit) -> None:
    page = open_at(visit, CUBE, "MulBackward0")
    cell(page, "sent on to x", 1).hover()
    expect(equation(page)).to_have_text("→ x[1] = 1. · 2. = 2.")
    expect(page.locator(".insight .cell.is-source")).to_have_text(["1.", "2."])
    cell(page, "upstream gradient", 2).hover()
    expect(page.locator(".insight .cell.is-use")).to_have_text(["3.", "3."])
    expect(equation(page)).to_contain_text("goes into → x[2]")


def test_the_keyboard_does_what_the_pointer_does(visit: Visit) -> None:
    page = open_at(visit, CUBE, "MulBackward0")
    cell(page, "sent on to x", 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(equation(page)).to_have_text("→ x[2] = 1. · 3. = 3.")
    step = page.locator(".player").evaluate("element => element.player.step")
    assert step == page.locator(".player").evaluate("element => element.player.count"), "arrows here move no step"


def test_gradients_that_meet_say_what_they_came_through(visit: Visit) -> None:
    page = open_at(visit, BRANCHES, "a = x * 1")
    cell(page, "upstream gradient", 0).hover()
    expect(equation(page)).to_contain_text("= 4. through b + 1. through c = 5.")


def test_a_matrix_product_is_row_times_column(visit: Visit) -> None:
    page = open_at(visit, MATRICES, "MmBackward0")
    cell(page, "sent on to w", 3).hover()
    expect(equation(page)).to_contain_text("[1, 1] = 0. · 7. + 10. · 8. = 80.")
    expect(page.locator(".insight .cell.is-source")).to_have_text(["0.", "10.", "7.", "8."])


def test_a_broadcast_input_is_summed_over_rows(visit: Visit) -> None:
    page = open_at(visit, BROADCAST, "AddBackward0")
    cell(page, "sent on to b", 0).hover()
    expect(equation(page)).to_contain_text("[0] = 1. + 1. + 1. + 1. = 4.")
    expect(page.locator(".insight .numbers")).to_contain_text("(4, 3) summed over rows → (3,)")
    expect(page.locator(".insight .cell.is-source")).to_have_count(4)


def test_the_jacobian_stands_beside_its_product(visit: Visit) -> None:
    page = open_at(visit, CUBE, "MulBackward0")
    choose(page, "Jacobian")
    expect(page.locator(".insight .matrices tbody .cell")).to_have_text(
        ["1.", "0.", "0.", "0.", "2.", "0.", "0.", "0.", "3."]
    )
    expect(page.locator(".insight .matrices tfoot td[data-column]")).to_have_text(["1.", "2.", "3."])
    expect(page.locator(".insight .tick")).to_be_visible()


def test_the_chain_rule_stands_at_the_leaf(visit: Visit) -> None:
    page = open_at(visit, CUBE, "AccumulateGrad")
    choose(page, "Jacobian")
    expect(page.locator(".insight .chain")).to_contain_text("2 paths lead here")
    expect(page.locator(".insight .small.is-result .cell")).to_have_text(["2.", "4.", "6."])
    page.locator(".insight .choice", has_text="path 1").click()
    expect(page.locator(".insight .product-row .small")).to_have_count(4)
    expect(page.locator(".insight .small.is-result .cell")).to_have_text(["1.", "2.", "3."])


def test_the_node_that_complained_is_told_from_the_one_that_did_not(visit: Visit) -> None:
    page = open_at(visit, TWICE, "ExpBackward0")
    choose(page, "Saved")
    expect(page.locator(".insight .status")).to_contain_text("complained")
    expect(page.locator(".insight .box.is-freed")).to_contain_text("empty")
    select(page, "SumBackward0")
    expect(page.locator(".insight .status")).to_contain_text("without complaint")
    expect(page.get_by_role("tab", name="Saved"), "the tab stays").to_have_attribute("aria-selected", "true")


def test_the_queue_says_why_a_node_is_next(visit: Visit) -> None:
    page = open_at(visit, BRANCHES, "AccumulateGrad")
    choose(page, "Queue")
    expect(page.locator(".insight .status")).to_contain_text("not running")
    page.locator(".player").evaluate("element => element.player.stepTo(element.player.transport.starts[0])")
    expect(page.locator(".insight .chip").first).to_contain_text("SumBackward0")
    expect(page.locator(".insight .chip.is-waiting").first).to_contain_text("waits for 1")


def test_a_word_opens_its_entry(visit: Visit) -> None:
    page = open_at(visit, CUBE, "MulBackward0")
    page.locator(".insight .term", has_text="the 0 at the end").click()
    expect(page.locator(".insight details[open]")).to_have_count(1)
    expect(page.locator(".insight details[open]")).to_contain_text("SumBackward0")
    page.locator(".insight .glossary input").fill("retain_graph")
    expect(page.locator(".insight details:visible").first).to_contain_text("retain_graph")


def test_what_is_looked_up_stays_while_stepping(visit: Visit) -> None:
    page = open_at(visit, CUBE, "MulBackward0")
    choose(page, "Words")
    search = page.locator(".insight .glossary input")
    search.fill("seed")
    step_back(page)
    expect(page.locator(".insight .term", has_text="leaf")).to_be_visible()  # the panel is about x by now
    expect(search).to_have_value("seed")
    expect(search).to_be_focused()


def test_the_focus_stays_in_the_panel_when_its_numbers_change(visit: Visit) -> None:
    page = open_at(visit, CUBE, "MulBackward0")
    cell(page, "sent on to x", 1).focus()
    step_back(page)
    expect(page.locator(".insight .term", has_text="leaf")).to_be_visible()
    expect(page.get_by_role("tab", name="Numbers")).to_be_focused()


def test_chinese_on_a_phone_in_the_dark(visit: Visit) -> None:
    page = open_at(visit, CUBE, "MulBackward0", width=390, locale="zh-CN", color_scheme="dark")
    expect(page.get_by_role("tab")).to_have_text(["数值", "雅可比", "已保存", "队列", "术语"])
    wide = page.locator(".insight").evaluate("element => element.scrollWidth > element.clientWidth + 1")
    assert not wide

"""The labs of derivative, gradient, Jacobian and descent: their pages through AppTest, and in a real browser."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from app_pages import IDLE, Visit, keyed, open_lab, ran, told
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from explorer.i18n import LANGUAGES, Language, text
from explorer.labs.derivative import DerivativeSettings, curves, point_program
from explorer.labs.derivative import program_text as derivative_program
from explorer.labs.gradient import GradientSettings
from explorer.labs.gradient import program_text as gradient_program
from explorer.program.choices import Choices
from explorer.program.link import encode

CHARTS = {"derivative": 2, "gradient": 2, "jacobian": 1, "descent": 1}


def said(page: AppTest) -> str:
    groups = (page.markdown, page.text, page.caption, page.warning, page.code)
    return "\n".join([*(str(one.value) for group in groups for one in group), *told(page)]).replace("\\", "")


def program(page: AppTest) -> str:
    """The program that ran: the last one shown, or the one before the sum trick's."""
    return next(one.value for one in page.code if one.value.startswith("import "))


def figures(page: AppTest) -> list[dict[str, Any]]:
    """Of two charts in one place the second, which covers the one of before."""
    places = {one.proto.id.split("-", 2)[2][: -len("-1")]: one.proto for one in page.get("plotly_chart")}
    return [json.loads(one.spec) for one in places.values()]


def numbers(page: AppTest) -> dict[str, str]:
    """The table of names and numbers."""
    (table,) = [one.proto.body for one in page.get("html") if one.proto.body.startswith("<table class='lab-numbers'")]
    return dict(re.findall(r"</i>(.*?)</th><td>(.*?)</td>", table))


# ── all four ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lab", CHARTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lab_opens_with_its_charts_and_program(lab: str, language: Language) -> None:
    page = open_lab(lab, language)
    assert text(f"labs.{lab}.lead", language) in [one.value for one in page.markdown]
    assert len(figures(page)) == CHARTS[lab]
    assert "backward()" in program(page) or "autograd.grad" in program(page)
    assert not page.warning


@pytest.mark.parametrize("lab", CHARTS)
@pytest.mark.parametrize(
    ("f", "words"),
    [
        ("x +", "Python cannot read this function"),
        ("", "Type what the function returns"),
        ("z = 1", "last line has to be an expression"),
        ("torch.load('a')", "not run"),
        ("x.detach()", "nothing to differentiate"),
        ("sin(x)", "torch.sin(x), not sin(x)"),
    ],
)
def test_what_is_no_function_says_so_and_is_kept(lab: str, f: str, words: str) -> None:
    page = open_lab(lab, f=f)
    assert words in said(page)
    assert page.text_input(key=f"{lab}-f").value == f
    assert not figures(page)


def test_an_error_s_advice_stands_once_and_is_the_lab_s() -> None:
    page = open_lab("derivative", f="torch.stack([x, x])")
    assert told(page) == [text("labs.advice.several_values", "en")]
    assert not page.warning


@pytest.mark.parametrize(
    ("lab", "parameters"),
    [
        ("derivative", {"at": "nan"}),
        ("derivative", {"reach": "-1"}),
        ("derivative", {"reach": "![](//evil.example/x)"}),
        ("gradient", {"view": "sideways"}),
        ("jacobian", {"x": "1,2,3,4,5,6,7"}),
        ("descent", {"steps": "1000000"}),
        ("descent", {"lr": "0"}),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_damaged_link_is_refused_with_a_reason(lab: str, parameters: dict[str, str], language: Language) -> None:
    page = open_lab(lab, language, **parameters)
    assert len(page.warning) == 1
    assert next(iter(parameters.values()))[:30] in page.warning[0].value.replace("\\", "")
    assert "![](" not in page.warning[0].value, "Markdown from a link is shown, not obeyed"
    assert len(figures(page)) == CHARTS[lab]


# ── each ────────────────────────────────────────────────────────────────────────


def test_dx_moves_without_a_new_run_and_x_with_one() -> None:
    page = open_lab("derivative")
    first = program(page)
    assert numbers(page)["dy = f′(x)·dx"] == "1."
    page.slider(key="derivative-dx").set_value(0.5)
    assert numbers(ran(page))["dy = f′(x)·dx"] == "0.5000"
    assert program(page) == first
    page.slider(key="derivative-at").set_value(-1.0)
    assert numbers(ran(page))["f′(x)"] == "-2."
    assert program(page) == derivative_program(DerivativeSettings(at=-1.0, dx=0.5)).strip() != first
    assert page.query_params["at"] == "-1"


def test_a_hand_may_be_quicker_than_the_address_bar() -> None:
    page = open_lab("derivative", at="1.5")
    before = dict(page.query_params)
    page.slider(key="derivative-dx").set_value(0.25)
    ran(page).query_params.clear()
    page.query_params.update(before)
    page.slider(key="derivative-at").set_value(-1.0)
    shown = numbers(ran(page))
    assert (shown["x"], shown["dx"]) == ("-1.", "0.2500")


def test_a_function_of_the_list_opens_on_its_own_point() -> None:
    page = open_lab("derivative")
    page.menu_button(key="derivative-offered").click("torch.relu(x)")
    assert "f has a kink" in said(ran(page))
    assert numbers(page)["x"] == "0."
    page.toggle(key="derivative-second").set_value(True)
    assert "create_graph=True" in program(ran(page))


def test_a_direction_needs_no_new_run() -> None:
    page = open_lab("gradient")
    first = program(page)
    page.slider(key="gradient-angle").set_value(90)
    assert numbers(ran(page))[text("lab_gradient.along", "en")] == "2."
    page.segmented_control(key="gradient-view").set_value("surface")
    assert [trace["type"] for trace in figures(ran(page))[0]["data"]].count("surface") == 2
    assert program(page) == first == gradient_program(GradientSettings()).strip()


def test_v_and_u_need_no_new_run() -> None:
    page = open_lab("jacobian")
    first = program(page)
    page.slider(key="jacobian-v-1").set_value(-1.0)
    page.slider(key="jacobian-u-1").set_value(0.5)
    ran(page)
    parts = {trace["name"]: trace["text"] for trace in figures(page)[0]["data"]}
    assert parts["vᵀ·J"] == [["1.", "0."]]
    assert parts["J·u"] == [["2.5000"], ["1.5000"], ["0.5403"]]
    assert program(page) == first


def test_mistakes_change_the_program_and_are_explained() -> None:
    page = open_lab("descent")
    assert "optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()" in program(page)
    page.toggle(key="descent-forget_zero_grad").set_value(True)
    assert text("lab_descent.said_forget_zero_grad", "en") in said(ran(page))
    assert "    # optimizer.zero_grad() is missing" in program(page)
    assert page.toggle(key="descent-forget_no_grad").disabled
    page.selectbox(key="descent-optimizer").set_value("hand")
    page.toggle(key="descent-forget_zero_grad").set_value(False)
    ran(page).toggle(key="descent-forget_no_grad").set_value(True)
    assert "a leaf Variable that requires grad is being used in an in-place operation" in said(ran(page))
    assert len(figures(page)) == 1, "the way without the mistake stays in sight"


# ── in the browser ──────────────────────────────────────────────────────────────


def settled(page: Page, lab: str) -> None:
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.locator(IDLE)).to_be_visible()
    assert page.url.split("?")[0].endswith(f"/{lab}")


def nudge(page: Page, key: str, press: str, parameter: str) -> None:
    """Moves a slider by a key, and waits until the address says so."""
    keyed(page, key, "input, [role=slider]").first.focus()
    page.keyboard.press(press)
    expect(page).to_have_url(re.compile(rf"[?&]{re.escape(parameter)}(&|$)"))
    expect(page.locator(IDLE)).to_be_visible()


def click_chart(page: Page, key: str, right: float, down: float) -> None:
    """Clicks on a chart when it has noticed what is under the mouse."""
    plot = keyed(page, f"chart-{key}", ".js-plotly-plot").last
    plot.evaluate("plot => { delete plot._hoverdata }")
    box = plot.bounding_box()
    assert box is not None
    at = {"x": right * box["width"], "y": down * box["height"]}
    plot.hover(position=at)
    page.wait_for_function("plot => plot._hoverdata?.length", arg=plot.element_handle())
    plot.click(position=at)


@pytest.mark.browser
def test_derivative_in_the_browser(visit: Visit) -> None:
    page = visit("derivative")
    settled(page, "derivative")
    nudge(page, "derivative-dx", "ArrowRight", "dx=1.01")
    expect(keyed(page, "lab-picture", ".lab-numbers")).to_contain_text("1.0100")
    click_chart(page, "derivative-curve", 0.3, 0.3)
    expect(page).to_have_url(re.compile(r"[?&]at=-0\.\d+"))
    at = float(re.search(r"at=(-?[\d.]+)", page.url).group(1))  # type: ignore[union-attr]
    link = page.get_by_role("link", name=re.compile(re.escape(f"{at:.4g}")))
    link.click()
    expect(page.locator(".stage svg")).to_be_visible()
    expect(page.locator(".program .lines")).to_contain_text(f"x = torch.tensor({at!r}, requires_grad=True)")
    expected = encode(Choices(text=point_program(DerivativeSettings(at=at, dx=1.01))))
    expect(page).to_have_url(re.compile(re.escape(expected["code"][:60])))


@pytest.mark.browser
@pytest.mark.parametrize(
    ("lab", "typed"),
    [("derivative", "torch.cos(x) / 2"), ("gradient", "x**2 * y"), ("jacobian", "x.exp()"), ("descent", "x**4 + y**2")],
)
def test_a_function_is_typed_in_the_browser(visit: Visit, lab: str, typed: str) -> None:
    page = visit(lab)
    settled(page, lab)
    field = keyed(page, f"{lab}-f", "input")
    field.click()
    field.fill(typed)
    field.press("Enter")
    page.wait_for_function("words => new URL(location).searchParams.get('f') === words", arg=typed)
    page.get_by_text(text("labs.program", "en")).click()
    expect(page.locator("[data-testid=stCode]").first).to_contain_text(f"return {typed}")
    expect(page.locator(".js-plotly-plot").last).to_be_visible()


@pytest.mark.browser
def test_a_function_is_changed_where_it_stands_and_kept_by_whoever_goes_on(visit: Visit) -> None:
    page = visit("derivative")
    settled(page, "derivative")
    field = keyed(page, "derivative-f", "input")
    field.press("End")
    page.keyboard.type(" + 1")
    page.keyboard.press("Tab")
    page.wait_for_function("new URL(location).searchParams.get('f') === 'x**2 + 1'")
    expect(field).to_have_value("x**2 + 1")


@pytest.mark.browser
def test_the_keyboard_chooses_an_example_and_goes_on_from_there(visit: Visit) -> None:
    page = visit("derivative?lang=zh")
    settled(page, "derivative")
    examples = page.get_by_role("button", name=text("labs.functions", "zh"))
    examples.press("Enter")
    page.get_by_role("menuitem", name=curves()[1].f, exact=True).press("Enter")
    expect(keyed(page, "derivative-f", "input")).to_have_value(curves()[1].f)
    expect(examples).to_be_focused()


@pytest.mark.browser
def test_gradient_in_the_browser(visit: Visit) -> None:
    page = visit("gradient")
    settled(page, "gradient")
    nudge(page, "gradient-angle", "ArrowRight", "angle=5")
    click_chart(page, "gradient-map", 0.5, 0.3)
    expect(page).to_have_url(re.compile(r"[?&]at_y=\d"))


@pytest.mark.browser
def test_jacobian_in_the_browser(visit: Visit) -> None:
    page = visit("jacobian?lang=zh")
    settled(page, "jacobian")
    nudge(page, "jacobian-v-0", "ArrowLeft", "v=0.75%2C0%2C0")
    page.get_by_role("link", name="backward(gradient=v)").click()
    expect(page.locator(".program .lines")).to_contain_text("torch.tensor([0.75, 0.0, 0.0])")


@pytest.mark.browser
def test_a_number_that_is_emptied_goes_back_to_what_it_was(visit: Visit) -> None:
    page = visit("jacobian")
    settled(page, "jacobian")
    field = keyed(page, "jacobian-x-1", "input")
    field.fill("")
    field.press("Enter")
    expect(field).to_have_value("2")
    expect(page.locator(IDLE)).to_be_visible()
    assert "x=" not in page.url


DRAWN = "[...document.querySelectorAll('.js-plotly-plot')].at(-1)?._fullData.find(t => t.name === 'path').x.length"


def steps_drawn(page: Page) -> int:
    return int(page.evaluate(DRAWN))


@pytest.mark.browser
def test_descent_plays_in_the_browser_without_the_server(visit: Visit) -> None:
    page = visit("descent")
    settled(page, "descent")
    assert steps_drawn(page) == 31
    nudge(page, "descent-steps", "ArrowLeft", "steps=29")
    page.wait_for_function(f"{DRAWN} === 30")
    page.locator(".updatemenu-button:visible").first.click()
    page.wait_for_function(f"{DRAWN} < 30")
    page.wait_for_function(f"{DRAWN} === 30", timeout=30_000)
    click_chart(page, "descent-picture", 0.35, 0.3)
    expect(page).to_have_url(re.compile(r"[?&]start_x="))


CHARTLESS_FRAMES = """() => {
  window.chartless = 0;
  const look = () => {
    const drawn = [...document.querySelectorAll(".js-plotly-plot .main-svg")];
    chartless += !drawn.some(one => one.checkVisibility({ visibilityProperty: true }));
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("lab", "key", "addresses"),
    [
        ("descent", "steps", ["steps=29", "steps=28", "steps=27"]),
        ("jacobian", "v-0", ["v=0.75%2C0%2C0", "v=0.5%2C0%2C0"]),
    ],
)
def test_a_chart_is_seen_until_the_next_is_drawn(visit: Visit, lab: str, key: str, addresses: list[str]) -> None:
    page = visit(lab)
    settled(page, lab)
    page.evaluate(CHARTLESS_FRAMES)
    for address in addresses:
        nudge(page, f"{lab}-{key}", "ArrowLeft", address)
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(1)
    assert page.evaluate("chartless") == 0


@pytest.mark.browser
def test_the_language_changes_and_the_settings_stay(visit: Visit) -> None:
    page = visit("derivative?at=1&second=true")
    settled(page, "derivative")
    keyed(page, "masthead").get_by_text("中文").click()
    expect(page.get_by_text(text("labs.derivative.lead", "zh").split("`")[0])).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]lang=zh"))
    assert "at=1" in page.url
    assert "second=true" in page.url


@pytest.mark.browser
@pytest.mark.parametrize("lab", CHARTS)
def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Visit, lab: str) -> None:
    page = visit(lab, width=390, height=844)
    settled(page, lab)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

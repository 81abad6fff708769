"""The labs of accumulation, check and gradient flow: their pages through AppTest, and in a real browser."""

from __future__ import annotations

import re

import pytest
from app_pages import IDLE, Visit, open_lab, ran, told
from playwright.sync_api import Locator, Page, expect
from streamlit.testing.v1 import AppTest

from explorer.errors import WorkerUnavailable
from explorer.gallery import function
from explorer.i18n import LANGUAGES, Language, text
from explorer.runner import Errands
from explorer.ui import runs

X = "import torch\nx = torch.tensor([1.0, 2.0], requires_grad=True)\n"
CHARTS = {"accumulation": 2, "check": 1, "flow": 3}


def table(page: AppTest) -> list[list[str]]:
    """The rows of the page's table, without their heading."""
    (body,) = [one.proto.body for one in page.get("html") if "class='lab-table'" in one.proto.body]
    return [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(<th scope='row'>.*?)</tr>", body)
    ]


def said(page: AppTest) -> str:
    groups = (page.text, page.caption, page.warning, page.info)
    return "\n".join([*(str(one.value) for group in groups for one in group), *told(page)])


@pytest.mark.parametrize("lab", CHARTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lab_opens_with_its_message_charts_and_program(lab: str, language: Language) -> None:
    page = open_lab(lab, language)
    assert page.markdown[0].value == text(f"labs.{lab}.lead", language)
    assert len(page.get("plotly_chart")) == CHARTS[lab]
    assert told(page), "the answer"
    assert all(one.value.startswith("import torch\n") for one in page.code if "import torch" in one.value)
    assert any("backward()" in one.value for one in page.code) or lab == "check"


# ── accumulation ────────────────────────────────────────────────────────────────


def test_missing_scaling_is_told_by_its_factor() -> None:
    page = open_lab("accumulation")
    page.selectbox(key="accumulation-scaling").set_value("nothing")
    assert "4 times the full batch’s" in said(ran(page))
    page.slider(key="accumulation-size").set_value(4)
    assert "2 times the full batch’s" in said(ran(page))
    assert "nothing" in page.query_params["scaling"]


def test_batch_norm_with_a_single_sample_says_what_to_change() -> None:
    page = open_lab("accumulation", model="batch_norm", samples="9", size="2")
    assert told(page) == [text("lab_accumulation.problem.one_sample", "en")]
    assert "Expected more than 1 value per channel" in "\n".join(one.value for one in page.code)


def test_the_table_compares_each_parameter() -> None:
    assert [row[0] for row in table(open_lab("accumulation", model="linear"))] == ["0.weight (1, 3)", "0.bias (1,)"]


# ── check ───────────────────────────────────────────────────────────────────────


def test_a_step_size_is_chosen_without_a_new_run() -> None:
    page = open_lab("check")
    before = table(page)
    page.select_slider(key="check-step").set_value(0)
    after = table(ran(page))
    assert [row[:4] for row in before] == [row[:4] for row in after]
    assert before != after


def test_what_a_table_holds_is_text() -> None:
    def page() -> None:
        from explorer.ui.labs.frame import comparison_table

        comparison_table("'<i>", {"<b>": ["<s>"], "&": ["<u>"]})

    assert re.findall("<[isu]>|<b>|&amp;", AppTest.from_function(page).run().get("html")[0].proto.body) == ["&amp;"]


def test_a_kink_is_named() -> None:
    page = open_lab("check", function="relu-kink")
    assert "x[1] sits on a kink" in said(page)
    assert "Jacobian mismatch" in "\n".join(one.value for one in page.code)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import torch\nx = torch.ones(2)\nx.sum().backward()", "marks no leaf by name"),
        (X + "y = x * 2\ny.backward()", "Reduce it before the backward pass"),
        (X + "(x - 5).log().sum().backward()", "no finite number around this point"),
        ("x = (", "Python cannot read the program"),
        (
            "import torch\nx = torch.ones(32, requires_grad=True)\ny = x\nfor _ in range(700):\n    y = y * 1.0\ny.sum().backward()",
            "smaller inputs",
        ),
        (X + "print(open('secret'))\nx.sum().backward()", ""),
        (X + "y = x @ torch.ones(3)\ny.backward()", ""),
    ],
)
def test_a_program_that_cannot_be_checked_says_what_to_change(code: str, words: str) -> None:
    page = open_lab("check", function="", code=code)
    assert words in said(page)
    assert page.text_area(key="check-code").value == code


def test_ones_own_program_is_typed() -> None:
    page = open_lab("check", function="attention")
    page.selectbox(key="check-function").set_value("")
    assert ran(page).text_area(key="check-code").value == function("attention").code
    page.text_area(key="check-code").set_value(X + "y = x * 2\ny.data.mul_(10)\ny.sum().backward()")
    assert "behind autograd’s back" in said(ran(page))


# ── gradient flow ───────────────────────────────────────────────────────────────


def test_two_networks_are_compared_and_one_is_looked_at_alone() -> None:
    page = open_lab("flow")
    assert "A: The gradient vanishes" in said(page)
    assert "B: The gradient arrives" in said(page)
    page.toggle(key="flow-compare").set_value(False)
    assert "B:" not in said(ran(page))
    assert "flow-histogram-b" not in "".join(one.proto.id for one in page.get("plotly_chart"))


def test_the_first_bad_number_is_linked_to_its_step_in_the_graph() -> None:
    page = open_lab("flow", activation_a="relu", initialisation_a="kaiming", gain_a="8", depth_a="40", compare="false")
    assert "The first inf comes up in the forward pass" in said(page)


@pytest.mark.parametrize("lab", CHARTS)
def test_where_no_process_can_be_had_it_is_said_once_and_no_program_is_blamed(
    lab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise WorkerUnavailable("runner.stopped_no_worker")

    monkeypatch.setattr(runs, "run", fail)
    monkeypatch.setattr(runs, "RUNS", Errands({}))
    page = open_lab(lab)
    assert said(page).count(text("runner.stopped_no_worker", "en")) == 1
    assert not page.get("plotly_chart")
    assert not page.info


def test_a_link_of_a_stranger_is_checked() -> None:
    page = open_lab("flow", depth_a="4000")
    assert "4000" in said(page)
    assert page.slider(key="flow-depth_a").value == 16


# ── in a browser ────────────────────────────────────────────────────────────────


def slide(page: Page, key: str, presses: str, times: int = 1) -> None:
    thumb = page.locator(f".st-key-{key} input[type=range]").first
    for _ in range(times):
        thumb.press(presses)
    expect(page.locator(IDLE)).to_be_visible()


def answer_of(page: Page, name: str = "lab-answer") -> Locator:
    return page.locator(f".st-key-{name}-first .prose")


@pytest.mark.browser
def test_micro_batches_are_made_larger_with_the_keyboard(visit: Visit) -> None:
    page = visit("accumulation")
    expect(answer_of(page)).to_contain_text("4 micro-batches add up")
    slide(page, "accumulation-size", "ArrowRight")
    expect(answer_of(page)).to_contain_text("3 micro-batches add up")
    expect(page.locator(".st-key-chart-accumulation-gradients .main-svg:visible").first).to_be_visible()
    page.reload()
    expect(answer_of(page)).to_contain_text("3 micro-batches add up")


@pytest.mark.browser
def test_the_step_size_moves_the_line(visit: Visit) -> None:
    page = visit("check")
    line = page.locator(".st-key-chart-check-errors .shapelayer path").last
    before = line.get_attribute("d")
    slide(page, "check-step", "ArrowRight", 3)
    expect(page).to_have_url(re.compile("step="))
    expect(line).not_to_have_attribute("d", before or "")


@pytest.mark.browser
def test_deeper_networks_lose_more(visit: Visit) -> None:
    page = visit("flow")
    answer = answer_of(page, "lab-answer-a")
    expect(answer).to_contain_text("layer 16")
    slide(page, "flow-depth_a", "ArrowRight", 2)
    expect(answer).to_contain_text("layer 18")


@pytest.mark.browser
def test_the_graph_page_opens_where_the_number_breaks(visit: Visit) -> None:
    page = visit("flow?activation_a=none&gain_a=8&depth_a=30&compare=false&width_a=4")
    page.get_by_text("in the graph").first.click()
    expect(page.locator(".transport .where")).to_be_visible()
    expect(page).to_have_url(re.compile("step="))


@pytest.mark.browser
@pytest.mark.parametrize("lab", CHARTS)
def test_a_phone_shows_the_lab_without_scrolling_sideways(visit: Visit, lab: str) -> None:
    page = visit(lab, width=390, height=800, locale="zh-CN")
    expect(page.locator(".main-svg").first).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a_phone_a_table_s_head_has_two_lines_at_most(visit: Visit, language: Language) -> None:
    page = visit(f"accumulation?lang={language}", width=390, height=800)
    expect(page.locator(".lab-table")).to_be_visible()
    head = page.locator(".lab-table thead").evaluate(
        "one => one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight)"
    )
    assert head < 3

"""The module on a page of its own, in a real browser."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from player_samples import CLEARED, LOOP, TWO_PASSES, OpenPlayer, recorded, sample
from playwright.sync_api import Page, expect

from explorer.gallery import function, functions
from explorer.i18n import LANGUAGES, Language
from explorer.render.options import Arrows
from explorer.render.part import graph_of

pytestmark = pytest.mark.browser


def step_of(page: Page) -> int:
    return page.evaluate("player.step")


def first(played: dict[str, Any], kind: str, nth: int = 0) -> int:
    """The step of the nth event of a kind."""
    return [i for i, step in enumerate(played["steps"], 1) if step["kind"] == kind][nth]


def stop_clock(page: Page) -> None:
    """From here on time passes by `page.clock.run_for` alone, however slow the machine is."""
    page.clock.install(time=datetime(2030, 1, 1, tzinfo=UTC))
    page.clock.pause_at(datetime(2030, 1, 2, tzinfo=UTC))


def classes(page: Page, part_id: str) -> set[str]:
    return set(page.evaluate("id => [...document.getElementById(id).classList]", part_id))


# ── keys ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("focus", [None, ".stage", ".lines", "input[type=range]", ".button.next"])
def test_keys_step_wherever_the_focus_is(
    open_player: OpenPlayer, two_passes: dict[str, Any], focus: str | None
) -> None:
    page = open_player(two_passes)
    if focus:
        page.focus(focus)
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowLeft"):
        page.keyboard.press(key)
        seen.append(step_of(page))
    count = len(two_passes["steps"])
    assert seen == [1, 2, 1, count, count, 0, 0]


def test_space_opens_the_legend_that_has_the_focus(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.focus(".legend summary")
    page.keyboard.press("Space")
    expect(page.locator(".legend li").first).to_be_visible()
    assert not page.evaluate("player.timer")


def test_keys_belong_to_a_text_field_that_has_the_focus(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.evaluate("document.body.append(document.createElement('input'))")
    page.focus("body > input")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert step_of(page) == 0
    assert page.input_value("body > input") == " "


def test_the_last_touched_of_two_players_has_the_page_s_keys(
    open_player: OpenPlayer, two_passes: dict[str, Any]
) -> None:
    page = open_player(two_passes)
    page.evaluate("document.body.append(window.place = document.createElement('div'))")
    page.evaluate("window.other = mount(place, player.data)")
    page.locator(".player").first.locator(".where").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("[player.step, other.step]") == [1, 0]


def test_space_plays_to_the_end_and_tells_only_the_end(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    stop_clock(page)
    page.keyboard.press("Space")
    expect(page.locator(".button.play")).to_have_attribute("aria-label", two_passes["words"]["pause"])
    count = len(two_passes["steps"])
    page.clock.run_for(1200 * (count - 1) + 600)
    assert step_of(page) == count - 1
    assert page.evaluate("told") == []
    page.clock.run_for(1200 + 300)
    assert page.evaluate("told") == [["step", count, None]]
    expect(page.locator(".button.play")).to_have_attribute("aria-label", two_passes["words"]["play"])


def test_twice_the_speed_takes_half_the_time(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    stop_clock(page)
    page.click(".button.speed")
    page.click(".button.play")
    page.clock.run_for(1250)
    assert step_of(page) == 2
    page.click(".button.play")
    page.clock.run_for(5000)
    assert step_of(page) == 2


def test_the_speed_stays_when_another_recording_comes(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.click(".button.speed")
    page.evaluate("data => player.update(data)", sample(CLEARED))
    expect(page.locator(".button.speed")).to_have_text("2×")


def test_a_settled_step_is_told_once(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    stop_clock(page)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.clock.run_for(100)
    assert page.evaluate("told") == []
    page.clock.run_for(300)
    assert page.evaluate("told") == [["step", 3, None]]


def test_coming_back_before_it_settles_tells_nothing(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    stop_clock(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.clock.run_for(1000)
    assert page.evaluate("told") == []


# ── pointer ─────────────────────────────────────────────────────────────────────


def test_the_buttons_do_what_they_say(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    count = len(two_passes["steps"])
    for button, step in (("next", 1), ("last", count), ("back", count - 1), ("first", 0)):
        page.get_by_role("button", name=two_passes["words"][button]).click()
        assert step_of(page) == step


def test_shift_and_the_button_lead_from_pass_to_pass(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    one, other = (at for at, step in enumerate(two_passes["steps"], 1) if step["kind"] == "BackwardStarted")
    for step in (one, other, one):
        page.get_by_role("button", name=two_passes["words"]["next_pass"]).click()
        assert step_of(page) == step
    page.locator(".stage").focus()
    for key, step in (("ArrowRight", other), ("ArrowLeft", one), ("ArrowLeft", 0)):
        page.keyboard.press(f"Shift+{key}")
        assert step_of(page) == step


@pytest.mark.parametrize("step", [1, 6, 9])
def test_a_click_on_a_tick_goes_to_its_event(open_player: OpenPlayer, two_passes: dict[str, Any], step: int) -> None:
    page = open_player(two_passes)
    box = page.locator(".tick").nth(step - 1).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert step_of(page) == step


def test_ticks_tell_the_kinds_apart_by_shape(open_player: OpenPlayer) -> None:
    played = sample(CLEARED)
    page = open_player(played)
    shape = "tick => { const s = getComputedStyle(tick); return s.borderRadius + s.transform + s.clipPath }"
    kinds = ("forward", "backward", "reset")
    assert len({page.locator(f".tick.is-{kind}").first.evaluate(shape) for kind in kinds}) == 3
    assert page.locator(".tick").count() == len(played["steps"])


@pytest.mark.parametrize(("width", "rounds"), [(1280, 5), (1280, 48), (390, 5), (390, 10), (390, 48)])
def test_ticks_do_not_run_into_each_other(open_player: OpenPlayer, width: int, rounds: int) -> None:
    page = open_player(sample(CHAIN.replace("150", str(rounds))), width=width)
    boxes = [tick.bounding_box() for tick in page.locator(".tick").all()]
    assert all(one["x"] + one["width"] < other["x"] for one, other in itertools.pairwise(boxes))


def test_a_click_on_a_line_goes_to_its_first_step(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.click(".line[data-line='6']")
    assert step_of(page) == first(two_passes, "BackwardStarted")
    page.click(".line[data-line='1']")
    assert step_of(page) == first(two_passes, "BackwardStarted")


def test_a_node_is_selected_by_pointer_and_by_key(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.click("#n1 text >> nth=0")
    assert page.evaluate("told") == [["select", "n1", 0]]
    assert "is-selected" in classes(page, "n1")
    expect(page.locator(".selection")).to_be_visible()
    page.keyboard.press("Escape")
    assert "is-selected" not in classes(page, "n1")
    for key in ("Enter", " "):
        page.focus("#n0")
        page.keyboard.press(key)
    assert [told[1] for told in page.evaluate("told")] == ["n1", None, "n0", None]


def test_an_edge_can_be_hit_although_it_is_thin(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    middle = """() => {
        const path = document.querySelector('#e0 path:not(.hit)');
        const at = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
        return [at.x + 3, at.y];
    }"""
    page.mouse.click(*page.evaluate(middle))
    assert page.evaluate("player.selected") == "e0"


def test_a_drag_moves_the_graph_and_selects_nothing(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    before = page.locator("#n1").bounding_box()
    page.mouse.move(before["x"] + 20, before["y"] + 20)
    page.mouse.down()
    page.mouse.move(before["x"] + 80, before["y"] + 50, steps=4)
    page.mouse.up()
    after = page.locator("#n1").bounding_box()
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx(
        (60, 30), abs=3
    )  # the outline under the pointer is thicker
    assert page.evaluate("told") == []


def test_zoom_keeps_the_shape_and_fit_undoes_it(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.focus(".stage")
    before = page.locator("#n1").bounding_box()
    page.keyboard.press("+")
    zoomed = page.locator("#n1").bounding_box()
    assert zoomed["width"] / before["width"] == pytest.approx(1.25, rel=0.03)
    assert zoomed["height"] / before["height"] == pytest.approx(1.25, rel=0.03)
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("0")
    assert page.locator("#n1").bounding_box() == pytest.approx(before, abs=0.5)


def test_the_wheel_scrolls_the_page_until_the_graph_has_the_focus(
    open_player: OpenPlayer, two_passes: dict[str, Any]
) -> None:
    page = open_player(two_passes)
    before = page.locator("#n1").bounding_box()["width"]
    page.hover(".stage")
    page.mouse.wheel(0, -120)
    page.wait_for_timeout(100)
    assert page.locator("#n1").bounding_box()["width"] == pytest.approx(before)
    page.focus(".stage")
    page.mouse.wheel(0, -120)
    page.wait_for_function(
        "width => document.querySelector('#n1').getBoundingClientRect().width > width * 1.1", arg=before
    )


def test_a_node_out_of_sight_is_brought_into_view(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes, reduced_motion="reduce")
    page.evaluate("player.view.pan(-3000, -3000)")
    page.evaluate("step => player.go(step)", first(two_passes, "NodeRan"))
    node, stage = page.locator("#n1").bounding_box(), page.locator(".stage").bounding_box()
    assert stage["x"] <= node["x"] <= stage["x"] + stage["width"] - node["width"]
    assert stage["y"] <= node["y"] <= stage["y"] + stage["height"] - node["height"]


# ── what a step shows ───────────────────────────────────────────────────────────


SHOWN = """step => {
    player.renderStep(step);
    return [...document.querySelectorAll('.stage g[id]')].map(group => [group.id, {
        states: [...group.classList].filter(name => name.startsWith('is-') && name !== 'is-fresh'),
        text: [...group.querySelectorAll('text')].at(-1)?.textContent ?? '',
    }]);
}"""


def test_every_step_shows_what_the_tracks_say(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    """In any order, compared with a plain walk through the keyframes."""
    page = open_player(two_passes)
    count = len(two_passes["steps"])
    for step in (*range(count + 1), 3, count, 5, 0, 8):
        shown = dict(page.evaluate(SHOWN, step))
        drawn = {part_id: frames for part_id, frames in two_passes["tracks"].items() if part_id in shown}
        assert len(drawn) > 10
        for part_id, frames in drawn.items():
            state, text = [(state, text) for at, state, text in frames if at <= step][-1]
            assert shown[part_id]["states"] == [f"is-{state}"]
            assert text is None or shown[part_id]["text"] == text


def test_the_running_node_stands_out_without_colour(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes, reduced_motion="reduce")
    step = first(two_passes, "NodeRan")
    node = page.locator(f"#{two_passes['steps'][step - 1]['target']}")
    outline = "node => parseFloat(getComputedStyle(node.querySelector('path, polygon')).strokeWidth)"
    before = node.evaluate(outline)
    page.evaluate("step => player.go(step)", step)
    assert node.evaluate(outline) > 1.5 * before
    badge, box = page.locator(".badge").bounding_box(), node.bounding_box()
    assert abs(badge["x"] - box["x"]) < 20
    assert abs(badge["y"] - box["y"]) < 20


def test_the_evaluated_expression_is_marked(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    lines = TWO_PASSES.splitlines()
    for step, happened in enumerate(two_passes["steps"], 1):
        page.evaluate("step => player.renderStep(step)", step)
        line, column, end_line, end_column = happened["span"]
        assert line == end_line
        assert page.locator("mark").all_text_contents() == [lines[line - 1][column:end_column]]
        assert page.locator(".line code").all_text_contents() == lines


def test_a_span_over_several_lines_of_wide_characters(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    source = "y = f('𝒙', (a +\n       b))  # é𝒚\nz = '''never closed\n"
    span = [1, 6, 2, 9]
    steps = [{**two_passes["steps"][0], "span": span}]
    page = open_player({**two_passes, "source": source, "steps": steps})
    page.keyboard.press("ArrowRight")
    assert page.locator("mark").all_text_contents() == ["'𝒙', (a +", "b)"]
    assert page.locator(".line code").all_text_contents() == source.rstrip("\n").split("\n")


def test_the_code_scrolls_inside_its_panel_only(open_player: OpenPlayer) -> None:
    played = sample("import torch\n" + "\n" * 60 + "x = torch.ones(2, requires_grad=True)\nx.sum().backward()\n")
    page = open_player(played, height=500)
    page.evaluate("scrollTo(0, 60)")
    page.keyboard.press("End")
    expect(page.locator("mark").first).to_be_in_viewport()
    assert page.evaluate("scrollY") == 60
    assert page.evaluate("document.querySelector('.lines').scrollTop") > 0


def test_line_numbers_from_a_thousand_on_keep_away_from_the_code(
    open_player: OpenPlayer, two_passes: dict[str, Any]
) -> None:
    page = open_player({**two_passes, "source": "pass\n" * 12_000})
    number = page.evaluate("""() => {
        const style = getComputedStyle(document.querySelector(".line"), "::before");
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        return { room: parseFloat(style.width) - parseFloat(style.paddingRight), needed: pen.measureText("12000").width };
    }""")
    assert number["room"] >= number["needed"] - 0.5


def test_output_appears_as_steps_reach_it(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    printed = page.locator(".printed")
    expect(printed).to_have_text("")
    page.evaluate("step => player.go(step)", first(two_passes, "Printed"))
    expect(printed).to_have_text("x.grad tensor([0., 4., 8.])")
    page.keyboard.press("End")
    expect(printed).to_have_text("x.grad tensor([0., 4., 8.])\nx.grad tensor([1., 5., 9.])")


def test_the_sentence_is_the_step_s(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    expect(page.locator("[aria-live=polite]")).to_have_text(two_passes["start_sentence"])
    page.evaluate("player.go(7)")
    expect(page.locator("[aria-live=polite]")).to_have_text(two_passes["steps"][6]["sentence"])
    expect(page.locator(".where")).to_have_text("Step 7 of 18 · backward pass 1 of 2 · why now?")


def test_the_ledger_adds_up_step_by_step(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    visible = page.locator(".ledger .sum").filter(visible=True)
    assert visible.count() == 0
    page.evaluate("step => player.go(step)", first(two_passes, "Accumulated"))
    assert visible.all_inner_texts() == ["None\n+\n[0., 4., 8.]\n=\n[0., 4., 8.]"]
    page.keyboard.press("End")
    assert visible.all_text_contents()[1] == "[0., 4., 8.]+[1., 1., 1.]=[1., 5., 9.]"
    visible.last.click()
    assert step_of(page) == first(two_passes, "Accumulated", 1)


def test_the_ledger_marks_what_was_cleared(open_player: OpenPlayer) -> None:
    played = sample(CLEARED)
    page = open_player(played)
    page.evaluate("step => player.go(step)", first(played, "GradCleared"))
    cleared = page.locator(".ledger .cleared").filter(visible=True)
    assert cleared.all_text_contents() == ["zero_()"]
    page.keyboard.press("End")
    assert cleared.all_text_contents() == ["zero_()", "= None"]
    assert page.locator(".ledger tbody tr").nth(1).locator(".nothing").count() == 1


def test_a_step_says_whether_it_belongs_to_the_forward_or_a_backward_pass(open_player: OpenPlayer) -> None:
    played = sample()
    page, words = open_player(played), played["words"]
    for kind, said in (("Operation", words["forward"]), ("NodeRan", "1"), ("Printed", None)):
        page.evaluate("step => player.go(step)", first(played, kind))
        label = page.locator(".where").inner_text()
        assert said in label if said else "·" not in label


def test_a_long_ledger_scrolls_to_what_is_added_now(open_player: OpenPlayer) -> None:
    code = "import torch\nw = [torch.ones(2, requires_grad=True) for _ in range(30)]\nsum(w).sum().backward()\n"
    page = open_player(sample(code))
    ledger = page.locator(".ledger").bounding_box()
    assert ledger["height"] < 400
    for number in (0, 15, 29):
        page.evaluate("step => player.go(step)", first(page.evaluate("player.data"), "Accumulated", number))
        now = page.locator(".ledger .is-now.sum").bounding_box()
        assert ledger["y"] < now["y"] < ledger["y"] + ledger["height"] - now["height"]
    assert page.evaluate("scrollY") == 0


def test_a_wide_ledger_scrolls_to_the_pass_at_hand_and_keeps_the_names_in_sight(open_player: OpenPlayer) -> None:
    page = open_player(sample(LOOP), width=700)
    scroller, name = page.locator(".ledger .scroller"), page.locator(".leaf-name")
    for number in (11, 0, 6):
        page.evaluate("step => player.go(step)", first(page.evaluate("player.data"), "Accumulated", number))
        now, around = page.locator(".ledger .is-now.sum").bounding_box(), scroller.bounding_box()
        names = name.bounding_box()
        assert names["x"] + names["width"] <= now["x"]
        assert now["x"] + now["width"] <= around["x"] + around["width"] + 1
        assert names["x"] == pytest.approx(around["x"], abs=2)


def test_on_a_phone_the_ledger_keeps_the_title_of_the_pass_at_hand_in_sight(open_player: OpenPlayer) -> None:
    passes = "for _ in range(3):\n    w.grad = None\n    (w * w).sum().backward()\n"
    played = sample(f"import torch\nw = torch.linspace(1, 2, 4, requires_grad=True)\n{passes}")
    page = open_player(played, width=390)
    for number in range(3):
        page.evaluate("step => player.go(step)", first(played, "Accumulated", number))
        title, names = (
            page.locator(".ledger .title").nth(number).bounding_box(),
            page.locator(".leaf-name").bounding_box(),
        )
        around = page.locator(".ledger .scroller").bounding_box()
        assert names["x"] + names["width"] <= title["x"]
        assert title["x"] + title["width"] <= around["x"] + around["width"] + 1


def test_a_weight_s_box_follows_what_the_program_does_to_it(open_player: OpenPlayer) -> None:
    played = sample(LOOP)
    page = open_player(played)
    box = page.locator("g.node.accumulate text").nth(1)
    for number, value in ((0, "4."), (5, "0.1250"), (11, "0.0020")):
        changed = first(played, "Modified", number)
        page.evaluate("step => player.go(step)", changed)
        expect(box).to_have_text(value)
    page.evaluate("player.go(0)")
    expect(box).to_have_text("8.")


def test_an_error_is_told_as_one(open_player: OpenPlayer) -> None:
    played = sample(
        "import torch\nx = torch.ones(2, requires_grad=True)\ny = (x * x).sum()\ny.backward()\ny.backward()\n"
    )
    page = open_player(played)
    page.keyboard.press("End")
    expect(page.locator(".sentence.is-error")).to_have_count(1)
    assert page.locator(".is-failed").count() >= 1


# ── nothing moves, everything fits ──────────────────────────────────────────────


@pytest.mark.parametrize("width", [1000, 390])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("function_id", ["both", "rnn", "double-backward"])
def test_nothing_jumps_while_stepping(
    open_player: OpenPlayer, function_id: str, language: Language, width: int
) -> None:
    page = open_player(sample(function(function_id).code, language), width=width, reduced_motion="reduce")
    # What a narrow ledger has scrolled away is still in its place.
    boxes = """() => document.querySelector('.ledger .scroller').scrollTo(0, 0) ?? [...document.querySelectorAll('.layout > *, .ledger td, .ledger th, .transport *:not(.progress, .where *, .where, .sentence *)')]
        .map(e => { const {x, y, width, height} = e.getBoundingClientRect(); return [e.tagName, x, y, width, height] })"""
    page.evaluate("player.renderStep(0)")
    before = page.evaluate(boxes)
    for step in range(page.evaluate("player.count") + 1):
        page.evaluate("step => player.renderStep(step)", step)
        assert page.evaluate(boxes) == before
        where = page.locator(".where")
        assert where.evaluate("element => element.scrollHeight - element.clientHeight") <= 0


@pytest.mark.parametrize("width", [1280, 390])
def test_a_long_sentence_is_set_smaller_so_that_it_can_be_read_whole(
    open_player: OpenPlayer, two_passes: dict[str, Any], width: int
) -> None:
    steps = [
        {**step, "sentence": "MulBackward0 receives [[1., 2.], [3., 4.]] and " * 5} for step in two_passes["steps"]
    ]
    page = open_player({**two_passes, "steps": steps}, width=width)
    page.keyboard.press("End")
    assert page.locator(".sentence").evaluate("element => element.scrollHeight - element.clientHeight") <= 0


COVERED = """() => [...document.querySelectorAll('.legend summary, .tools')].flatMap(corner => {
    const a = corner.getBoundingClientRect();
    return [...document.querySelectorAll('.stage g.node')].filter(node => {
        const b = (node.querySelector('path, polygon, ellipse') ?? node).getBoundingClientRect();
        return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    }).map(node => node.id);
})"""


@pytest.mark.parametrize("arrows", get_args(Arrows))
@pytest.mark.parametrize("function_id", ["two-dot", "quotient", "softmax"])
def test_legend_and_tools_cover_no_node(open_player: OpenPlayer, function_id: str, arrows: Arrows) -> None:
    page = open_player(sample(function(function_id).code, arrows=arrows), width=914)
    page.evaluate("player.view.fit()")
    assert page.evaluate(COVERED) == []


TOUCHING = """() => {
    const overlap = (a, b, by = 1.5) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > by && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > by;
    const groups = [...document.querySelectorAll('.stage g:is(.node, .edge):not(.is-absent)')];
    const texts = groups.flatMap(group => [...group.querySelectorAll('text')].filter(text => text.textContent.trim())
        .map(text => ({ group, said: text.textContent, box: text.getBoundingClientRect() })));
    const nodes = groups.filter(group => group.classList.contains('node') && group.querySelector('path, polygon'))
        .map(group => ({ group, said: group.id, box: group.querySelector('path, polygon').getBoundingClientRect() }));
    return texts.flatMap((text, i) => [...texts.slice(i + 1), ...nodes]
        .filter(other => other.group !== text.group && overlap(text.box, other.box))
        .map(other => `${text.said} over ${other.said}`));
}"""


@pytest.mark.parametrize("function_id", [shown.id for shown in functions() if not shown.is_loop])
def test_no_label_lies_over_another_or_over_a_node(open_player: OpenPlayer, function_id: str) -> None:
    for arrows in get_args(Arrows):
        page = open_player(sample(function(function_id).code, arrows=arrows))
        for step in range(page.evaluate("player.count") + 1):
            page.evaluate("step => player.renderStep(step)", step)
            assert page.evaluate(TOUCHING) == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("font", ["", "monospace", "'DejaVu Sans Mono'", "'Noto Sans Mono CJK SC'"])
def test_text_fits_its_box(open_player: OpenPlayer, font: str, width: int) -> None:
    code = "import torch\nx = torch.ones(2, 3, requires_grad=True)\n(torch.softmax(x, 1) * x).sum().backward()\n"
    page = open_player(sample(code), width=width)
    if font:
        page.add_style_tag(content=f".player {{ --st-code-font: {font} }}")
        page.evaluate("player.picture.measure()")
    too_wide = """() => [...document.querySelectorAll('.stage g.node')].filter(node => {
        const shape = node.querySelector('path, polygon, ellipse')?.getBBox();
        return shape && [...node.querySelectorAll('text')].some(text => text.getBBox().width > shape.width);
    }).map(node => node.textContent)"""
    for step in range(page.evaluate("player.count") + 1):
        page.evaluate("step => player.renderStep(step)", step)
        assert page.evaluate(too_wide) == []


@pytest.mark.parametrize("width", [1280, 820, 390])
def test_the_page_never_scrolls_sideways(open_player: OpenPlayer, width: int) -> None:
    long = "x = torch.ones(2, requires_grad=True)  # " + "a long remark " * 20
    page = open_player(sample(f"import torch\n{long}\nfor _ in range(9): x.sum().backward()\n"), width=width)
    page.keyboard.press("End")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_narrow_page_shows_graph_and_player_first(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes, width=390)
    tops = [page.locator(f".{part}").bounding_box()["y"] for part in ("graph-panel", "transport", "program", "ledger")]
    assert tops == sorted(tops)


# ── strangers' text ─────────────────────────────────────────────────────────────

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def test_hostile_text_stays_text(open_player: OpenPlayer) -> None:
    code = f"import torch\nx = torch.ones(2, requires_grad=True)\nprint('''{HOSTILE}''')\nx.sum().backward()\n"
    played = sample(code)
    for step in played["steps"]:
        step["sentence"] += HOSTILE
    played["notice"] = HOSTILE
    played["ledger"]["rows"][0]["leaf"] = HOSTILE
    page = open_player(played)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.keyboard.press("End")
    assert page.locator(".player img, .player script").count() == 0
    assert HOSTILE in page.locator(".printed").text_content()
    assert HOSTILE in page.locator(".sentence").text_content()


def test_hostile_svg_is_inert(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    evil = (
        "<script>window.hit = 1</script><foreignObject><body xmlns='http://www.w3.org/1999/xhtml' onload='window.hit=2'>"
        "</body></foreignObject><a xlink:href='javascript:window.hit=3'><g id='n99' class='node' onclick='window.hit=4'>"
        "<rect width='90' height='90' fill='url(https://example.org/x)' style='fill:url(https://example.org/y)'/></g></a>"
        "<image xlink:href='https://example.org/z'/><animate onbegin='window.hit=5'/>"
    )
    page = open_player({**two_passes, "svg": two_passes["svg"].replace("</svg>", f"{evil}</svg>")})
    page.locator("#n99").dispatch_event("click")
    assert page.evaluate("window.hit") is None
    assert (
        page.locator(
            ".stage :is(script, foreignObject, a, image, animate, [style*=url], [fill*=url], [onclick])"
        ).count()
        == 0
    )


@pytest.mark.parametrize("svg", ["", "no svg", "<html/>", "<svg xmlns='http://www.w3.org/2000/svg'"])
def test_without_a_graph_the_rest_still_plays(open_player: OpenPlayer, two_passes: dict[str, Any], svg: str) -> None:
    page = open_player({**two_passes, "svg": svg})
    expect(page.locator(".empty")).to_have_text(two_passes["words"]["no_graph"])
    expect(page.locator(".tools")).to_be_hidden()
    page.keyboard.press("+")
    page.keyboard.press("End")
    assert step_of(page) == len(two_passes["steps"])


# ── new data ────────────────────────────────────────────────────────────────────


def test_another_language_keeps_the_step(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.evaluate("player.go(7), player.select('n0')")
    chinese = sample(language="zh")
    page.evaluate("data => player.update(data)", chinese)
    assert page.evaluate("[player.step, player.selected]") == [7, "n0"]
    expect(page.locator(".sentence")).to_have_text(chinese["steps"][6]["sentence"])
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 8


def test_playing_goes_on_when_another_part_of_the_graph_arrives(
    open_player: OpenPlayer, two_passes: dict[str, Any]
) -> None:
    """A step outside the drawn part is told at once, so that Python can draw the part around it."""
    step = first(two_passes, "NodeRan")
    target = two_passes["steps"][step - 1]["target"]
    elsewhere = two_passes["svg"].replace(f'id="{target}"', 'id="other"')
    page = open_player({**two_passes, "svg": elsewhere})
    stop_clock(page)
    page.evaluate("step => { player.renderStep(step - 1); player.play() }", step)
    page.clock.run_for(1200 + 300)
    assert page.evaluate("told") == [["step", step, None]]
    page.evaluate("data => player.update(data)", two_passes)
    expect(page.locator(".badge")).to_be_visible()
    page.clock.run_for(1250)
    assert step_of(page) == step + 1


def test_another_part_of_the_graph_leaves_the_other_panels_alone(
    open_player: OpenPlayer, two_passes: dict[str, Any]
) -> None:
    page = open_player(two_passes)
    page.evaluate("player.go(5), window.before = [player.program.root, player.ledger.root, player.graph]")
    page.evaluate("data => player.update(data)", two_passes | {"notice": "another part"})
    kept = "before.map(panel => panel.isConnected)"
    assert page.evaluate(kept) == [True, True, False]
    expect(page.locator(".notice")).to_have_text("another part")
    assert page.locator(".graph-panel").count() == 1
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 6
    page.evaluate("data => player.update(data)", sample(language="zh"))
    assert page.evaluate(kept) == [False, False, False]


def test_the_graph_keeps_the_focus_when_another_part_of_it_arrives(
    open_player: OpenPlayer, two_passes: dict[str, Any]
) -> None:
    page = open_player(two_passes)
    page.focus(".stage")
    page.evaluate("data => player.update(data)", two_passes | {"notice": "another part"})
    expect(page.locator(".stage")).to_be_focused()


def test_a_leaf_beyond_the_drawn_part_is_sought(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    leaf = two_passes["ledger"]["rows"][0]["node_id"]
    part = two_passes | {"notice": "a part", "svg": two_passes["svg"].replace(f'id="{leaf}"', 'id="other"')}
    page = open_player(part)
    page.locator(".leaf-name").click()
    assert page.evaluate("told") == [["select", leaf, 0]]
    page.evaluate("data => player.update(data)", two_passes | {"notice": "another part"})
    expect(page.locator(f"#{leaf}.is-selected")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("told").pop() == ["select", None, 0]


def test_another_recording_starts_over(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.evaluate("player.go(7), player.select('n0')")
    page.evaluate("data => player.update(data)", sample(CLEARED, initial_step=2))
    assert page.evaluate("[player.step, player.selected]") == [2, None]
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 3
    assert page.locator(".player svg text", has_text="MulBackward0").count() > 0


def test_destroy_leaves_nothing_behind(open_player: OpenPlayer, two_passes: dict[str, Any]) -> None:
    page = open_player(two_passes)
    page.evaluate("player.play(), player.destroy()")
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 0
    assert page.locator(".player").count() == 0


# ── three hundred nodes ─────────────────────────────────────────────────────────


CHAIN = "import torch\nx = torch.ones(2, requires_grad=True)\ny = x\nfor _ in range(150):\n    y = y * x\ny.sum().backward()\n"


@pytest.mark.parametrize("step", [0, -1])
def test_a_large_graph_opens_legible_at_either_end(open_player: OpenPlayer, step: int) -> None:
    played = sample(CHAIN + "print(x.grad)\n")
    assert played["steps"][-1]["target"] is None
    page = open_player(played | {"initial_step": step % (len(played["steps"]) + 1)})
    assert page.evaluate("player.view.scale") >= 0.65


def test_a_large_graph_follows(open_player: OpenPlayer) -> None:
    page = open_player(sample(CHAIN, notice="150 nodes"), reduced_motion="reduce")
    expect(page.locator(".notice")).to_have_text("150 nodes")
    stage = page.locator(".stage").bounding_box()
    for step in (1, 100, page.evaluate("player.transport.starts[0]") + 20, page.evaluate("player.count") - 1):
        page.evaluate("step => player.go(step)", step)
        badge = page.locator(".badge").bounding_box()
        assert stage["x"] <= badge["x"] <= stage["x"] + stage["width"]
        assert stage["y"] <= badge["y"] <= stage["y"] + stage["height"]


@pytest.mark.parametrize("nr", [5, 6, 7])
def test_of_three_rounds_the_running_one_is_in_sight_whole(open_player: OpenPlayer, nr: int) -> None:
    code = function("fit-line").code
    recording = recorded(code)
    begins, ends = recording.rounds[nr].first, recording.rounds[nr + 1].first - 1
    played = sample(code, only=graph_of(recording, 5, 6, 7), notice="three", initial_step=begins)
    page = open_player(played, width=1200, reduced_motion="reduce")
    assert not page.evaluate("player.view.isFitted")
    boxes = [page.locator(f"#{id_}") for id_ in graph_of(recording, nr)]
    for step in range(begins, ends + 1):
        page.evaluate("step => player.go(step)", step)
        stage = page.locator(".stage").bounding_box()
        for box in (box.bounding_box() for box in boxes):
            assert stage["x"] <= box["x"] <= stage["x"] + stage["width"] - box["width"]


def test_the_frame_around_a_node_fits_however_wide_the_graph_is(open_player: OpenPlayer) -> None:
    wide = "import torch\nx = torch.ones(3, requires_grad=True)\nfor _ in range(150):\n    x.detach()\nx.sum().backward()\n"
    played = sample(wide)
    page = open_player(played | {"initial_step": first(played, "Accumulated")})
    box, frame = (page.locator(at).bounding_box() for at in (".node.accumulate polygon", ".halo"))
    assert frame["width"] - box["width"] == pytest.approx(frame["height"] - box["height"], abs=0.1)

"""A program that takes long is stopped by its user, or when its user has left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from explorer.gallery import function
from explorer.i18n import text
from explorer.program.choices import Choices
from explorer.program.link import encode
from explorer.runner import AnyEnding, Stopped, run
from explorer.ui import runs
from explorer.ui.keys import Key
from explorer.ui.runs import Task, ending_of

ROOT = Path(__file__).parents[2]
LOOP = "import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 1\nwhile True:\n    pass\n"
SOUND = "import torch\nx = torch.ones(2, requires_grad=True)\n(x * x).sum().backward()\n"
STOP = "[class*='st-key-stop-'] button"

Act = Callable[[AppTest, LocalScriptRunner], object]


class Meanwhile:
    """What a user does while `LOOP` runs, and how often it was begun and stopped."""

    def __init__(self) -> None:
        self.page = AppTest.from_file(ROOT / "app.py", default_timeout=60)
        self.page.session_state[Key.PAINTED] = True
        self.page.query_params.update({"lang": "en", **encode(Choices(text=LOOP))})
        self.runners: list[LocalScriptRunner] = []
        self.acts: Iterator[Act] = iter(())
        self.begun = self.stopped = 0

    def run(self, program: str, *, is_wanted: Callable[[], bool], **more: Any) -> AnyEnding:
        """As `explorer.run`; `LOOP` never ends."""
        if program != LOOP:
            return run(program, is_wanted=is_wanted, **more)
        self.begun += 1
        for act in self.acts:
            act(self.page, self.runners[-1])
            time.sleep(0.3)
        while is_wanted():
            time.sleep(0.01)
        self.stopped += 1
        return Stopped(reason="user")

    def do(self, *acts: Act) -> AppTest:
        """Opens the page, and acts one by one while it waits for the program."""
        self.acts = iter(acts)
        return self.page.run()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    made, plain = Meanwhile(), LocalScriptRunner.start

    def start(runner: LocalScriptRunner) -> None:
        made.runners.append(runner)
        plain(runner)

    ending_of(Task("import torch\n"))
    monkeypatch.setattr(LocalScriptRunner, "start", start)
    monkeypatch.setattr(runs, "run", made.run)
    return made


def go(page: AppTest, runner: LocalScriptRunner) -> None:
    runner.request_stop()


def choose_another(page: AppTest, runner: LocalScriptRunner) -> None:
    page.session_state[Key.CHOICES] = Choices(function="sum")
    runner.request_rerun(RerunData())


def do_something_else(page: AppTest, runner: LocalScriptRunner) -> None:
    runner.request_rerun(RerunData())


def is_stopped(meanwhile: Meanwhile) -> bool:
    until = time.monotonic() + 20
    while not meanwhile.stopped and time.monotonic() < until:
        time.sleep(0.01)
    return bool(meanwhile.stopped)


def test_a_visitor_who_leaves_stops_the_program(meanwhile: Meanwhile) -> None:
    meanwhile.do(go)
    assert is_stopped(meanwhile)


def test_a_user_who_chooses_another_program_stops_the_one_before(meanwhile: Meanwhile) -> None:
    page = meanwhile.do(choose_another)
    assert page.session_state[Key.PREPARED].recording.source == function("sum").code
    assert is_stopped(meanwhile)


def test_whatever_else_a_user_does_the_program_goes_on(meanwhile: Meanwhile) -> None:
    meanwhile.do(do_something_else, do_something_else, go)
    assert is_stopped(meanwhile)
    assert meanwhile.begun == 1


@pytest.mark.browser
def test_an_endless_program_is_stopped_by_its_button_and_the_next_one_runs(visit: Callable[..., Page]) -> None:
    page = visit("?fn=two-dot")
    expect(page.locator(".stage svg")).to_be_visible()
    page.locator(".st-key-editing label").first.click()
    draft = page.locator(".st-key-draft textarea")
    draft.fill(LOOP)
    draft.press("Control+Enter")
    expect(page.locator(STOP)).to_be_visible()
    page.locator(STOP).press("Enter")
    ending = page.locator(".st-key-stopped")
    expect(ending).to_contain_text(text("ui.ending.stopped_by_user", "en"))
    expect(page.locator(STOP)).to_have_count(0)
    expect(draft).to_have_value(LOOP)
    expect(page.get_by_text(text("ui.ending.so_far", "en"))).to_be_visible()
    expect(page.locator(".stage svg")).to_be_visible()
    expect(page.locator(".program .line")).to_have_text(LOOP.rstrip("\n").split("\n"))
    page.locator(".st-key-editor button", has_text=text("ui.edit.run", "en")).click()
    page.locator(STOP).click()
    expect(ending).to_be_visible()
    draft.fill(SOUND)
    draft.press("Control+Enter")
    expect(page.locator(".program .line")).to_have_text(SOUND.rstrip("\n").split("\n"))
    expect(ending).to_have_count(0)


@pytest.mark.browser
def test_the_keyboard_goes_on_where_a_program_was_stopped(visit: Callable[..., Page]) -> None:
    page = visit("?fn=two-dot")
    page.locator(".st-key-editing label").first.click()
    draft, stop, again = map(page.locator, (".st-key-draft textarea", STOP, ".st-key-stopped button"))
    mine = LOOP.replace("y", "z")  # of a program that another test has run, the ending may be known
    draft.fill(mine)
    draft.press("Control+Enter")
    expect(stop).to_be_visible()
    stop.focus()
    page.keyboard.press("Enter")
    expect(again).to_be_focused()
    draft.press("Control+Enter")  # the same text
    expect(stop).to_be_visible()
    stop.press("Enter")
    expect(again).to_be_focused()
    draft.fill(f"{mine}\n")
    draft.press("Control+Enter")
    expect(stop).to_be_visible()
    stop.dispatch_event("click")
    expect(again).to_be_visible()
    expect(draft).to_be_focused()


@pytest.mark.browser
@pytest.mark.parametrize("lab", ["derivative", "gradient", "jacobian", "descent"])
def test_a_function_that_takes_long_is_stopped_and_the_next_one_runs(visit: Callable[..., Page], lab: str) -> None:
    page = visit(f"{lab}?lang=en")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    type_function(page, lab, "x + sum(0 for _ in range(10**10))")
    page.locator(STOP).click()
    expect(page.locator(".st-key-stopped")).to_contain_text(text("ui.ending.stopped_by_user", "en"))
    type_function(page, lab, "x[0]**2 + x[1]" if lab == "jacobian" else "x**2")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.locator(".st-key-stopped")).to_have_count(0)


def type_function(page: Page, lab: str, f: str) -> None:
    field = page.locator(f".st-key-{lab}-f input")
    field.click()
    field.fill(f)
    field.press("Enter")

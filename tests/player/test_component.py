"""The player inside a real Streamlit page."""

from __future__ import annotations

import os
import pickle
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from player_samples import CLEARED, TWO_PASSES, played, recorded
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "mini_app.py"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the mini app is served."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copy(APP, folder)
    for name, code in (("first", TWO_PASSES), ("second", CLEARED)):
        for language in ("en", "zh"):
            (folder / f"{name}_{language}.pickle").write_bytes(pickle.dumps((recorded(code), played(code, language))))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    options |= {"browser.gatherUsageStats": "false", "server.fileWatcherType": "none"}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "streamlit", "run", str(folder / APP.name), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/_stcore/health")
        yield url
        server.terminate()


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


@pytest.fixture
def app(new_page: Callable[..., Page], address: str) -> Page:
    page = new_page()
    page.goto(address)
    expect(page.locator(".player")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    return page


def state(page: Page) -> Any:
    return page.get_by_test_id("stCode").locator("code")


def test_python_hears_where_the_player_settles(app: Page) -> None:
    expect(app.get_by_text("runs 2 painted True", exact=True)).to_be_visible()
    for _ in range(3):
        app.keyboard.press("ArrowRight")
    expect(state(app)).to_have_text("first step 3 selected None")
    expect(app.get_by_text("runs 3 painted True", exact=True)).to_be_visible()


def test_python_hears_of_a_selection_and_of_its_end(app: Page) -> None:
    app.locator("g.accumulate").first.click()
    part = app.locator("g.accumulate").first.get_attribute("id")
    expect(state(app)).to_have_text(f"first step 0 selected {part}")
    app.keyboard.press("Escape")
    expect(state(app)).to_have_text("first step 0 selected None")


def test_stepping_survives_the_rerun_it_causes(app: Page) -> None:
    """The DOM stays: the focus, the step, and no second module call."""
    app.locator(".player").evaluate("player => { player.marker = 1 }")
    app.locator(".stage").focus()
    app.keyboard.press("ArrowRight")
    expect(state(app)).to_have_text("first step 1 selected None")
    app.keyboard.press("ArrowRight")
    expect(state(app)).to_have_text("first step 2 selected None")
    assert app.locator(".player").evaluate("player => player.marker") == 1


def test_another_language_keeps_the_step(app: Page) -> None:
    app.locator(".stage").focus()
    for _ in range(7):
        app.keyboard.press("ArrowRight")
    expect(state(app)).to_have_text("first step 7 selected None")
    app.get_by_text("zh", exact=True).click()
    expect(app.locator(".where")).to_have_text("第 7/18 步 · 第 1/2 次反向传播 · 为什么轮到它？")
    expect(state(app)).to_have_text("first step 7 selected None")


def test_another_program_starts_over_on_both_sides(app: Page) -> None:
    app.locator(".stage").focus()
    app.keyboard.press("End")
    expect(state(app)).to_have_text("first step 18 selected None")
    app.get_by_text("second", exact=True).click()
    expect(state(app)).to_have_text("second step 0 selected None")
    expect(app.locator(".line").nth(2)).to_contain_text("w = torch.tensor")
    app.locator(".stage").focus()
    app.keyboard.press("ArrowRight")
    expect(state(app)).to_have_text("second step 1 selected None")

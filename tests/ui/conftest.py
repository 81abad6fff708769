"""The page as it is served: a real Streamlit server, and a real browser that notes every complaint."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from app_pages import IDLE, ROOT
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

LONGEST_START_SECONDS = 90
LONGEST_WAIT_MILLISECONDS = 30_000
PROBES = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")
"""Streamlit's own client looks for its server below a page's address first, and finds it at the root."""
NOT_LOADED = "[data-testid='stSkeleton']"
"""Stands for what the browser has no script for yet, which it asks for when it comes across it."""
BROKEN = "[data-testid='stException'], [data-testid='stComponentError']"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started as a user starts it; afterwards its log may hold no traceback."""
    url, log = f"http://127.0.0.1:{(port := free_port())}", tmp_path_factory.mktemp("server") / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (
        log.open("wb") as out,
        subprocess.Popen([*command, "--server.address", "127.0.0.1"], cwd=ROOT, stdout=out, stderr=out) as process,
    ):
        try:
            deadline = time.monotonic() + LONGEST_START_SECONDS
            while not is_healthy(url):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait()
    assert "Traceback" not in log.read_text()


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Opens the page in a browser context of its own, as `visit("?fn=sum")`; afterwards nobody may have complained."""
    contexts, complaints = [], []

    def note_console(said: ConsoleMessage) -> None:
        if said.type == "error" and not PROBES.search(said.location["url"]):
            complaints.append(f"console: {said.text} {said.location['url']}")

    def note_foreign(request: Request) -> None:
        if not request.url.startswith((server, server.replace("http", "ws"), "data:", "blob:")):
            complaints.append(f"asked another host: {request.url}")

    def open_(path: str = "", *, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **{"locale": "en-US"} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LONGEST_WAIT_MILLISECONDS)
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("console", note_console)
        page.on("request", note_foreign)
        page.goto(path if path.startswith("http") else f"{server}/{path}")
        expect(page.locator(".st-key-masthead")).to_be_visible()  # before there is anything, nothing runs either
        expect(page.locator(IDLE)).to_be_visible()
        expect(page.locator(NOT_LOADED)).to_have_count(0)
        return page

    expect.set_options(timeout=LONGEST_WAIT_MILLISECONDS)
    yield open_
    for context in contexts:
        for page in context.pages:
            expect(page.locator(BROKEN)).to_have_count(0)
        context.close()
    assert complaints == []

"""Streamlit servers of our own, and browsers that visit them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
OUR_PICTURE = ".stage svg"
BARE_PAGE = "benchmarks/bare_page.py"
BARE_PICTURE = "[data-testid=stGraphVizChart] svg"


class Server(NamedTuple):
    """A running server."""

    url: str
    pid: int
    started: float


@contextlib.contextmanager
def serving(script: str) -> Iterator[Server]:
    """Starts `streamlit run` on a free port; yields once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), "--server.headless=true"]
    command += ["--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _await_health(url)
        yield Server(url, process.pid, started)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """Debian's Chromium where there is one, else Playwright's own."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@contextlib.contextmanager
def visiting(browser: Browser, url: str, picture: str) -> Iterator[tuple[Page, float]]:
    """A visitor with an empty cache: the page with the picture in sight, and after how many seconds it was."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(picture).first.wait_for(state="visible", timeout=60_000)
    seconds = time.perf_counter() - start
    try:
        yield page, seconds
    finally:
        context.close()


def _await_health(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
            return
        time.sleep(0.02)
    raise TimeoutError(f"no answer from {url}")

"""A real browser, and a page on which the player's module plays."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from player_samples import OpenPlayer, sample
from player_samples import page as page_text
from playwright.sync_api import Browser, Page


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="session")
def two_passes() -> dict[str, Any]:
    return sample()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages; afterwards no page may have complained."""
    contexts, complaints = [], []

    def open_page(width: int = 1000, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_player(new_page: Callable[..., Page], tmp_path: Path) -> Iterator[OpenPlayer]:
    """Serves a page with one player over HTTP and opens it."""
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def open_(played: dict[str, Any], **options: Any) -> Page:
            (tmp_path / "index.html").write_text(page_text(played), "utf-8")
            page = new_page(**options)
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
            page.wait_for_function("window.player")
            return page

        yield open_
        server.shutdown()

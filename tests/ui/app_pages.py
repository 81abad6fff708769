"""The app's pages, opened through AppTest or in a browser, and what stands on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page
from streamlit.testing.v1 import AppTest

from explorer.program.choices import Choices
from explorer.program.link import encode
from explorer.ui.keys import Key

ROOT = Path(__file__).parents[2]
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
"""Streamlit has nothing more to say."""

Visit = Callable[..., Page]
"""What the fixture `visit` is: opens a page in a browser."""


def ran(page: AppTest) -> AppTest:
    """Runs the page once more; no run may end in an exception."""
    page.run()
    assert not page.exception, [one.message for one in page.exception]
    return page


def open_page(language: str = "en", *, painted: bool = True, **parameters: str) -> AppTest:
    """Opens the page; `painted` says what a browser would: that the graph is on the screen."""
    page = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    page.session_state[Key.PAINTED] = painted
    page.query_params.update({"lang": language, **parameters})
    return ran(page)


def open_program(code: str) -> AppTest:
    return open_page(**encode(Choices(text=code)))


def open_lab(lab: str, language: str = "en", **parameters: str) -> AppTest:
    page = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    page.query_params["lang"] = language
    ran(page).switch_page(f"explorer/ui/labs/{lab}_page.py")
    page.query_params.update({"lang": language, **parameters})
    return ran(page)


def said(page: AppTest) -> str:
    """Everything that stands on the page as text."""
    groups = (page.markdown, page.caption, page.text, page.code, page.warning)
    return "\n".join([*(str(one.value) for group in groups for one in group), *told(page)])


def told(page: AppTest) -> list[str]:
    """The paragraphs whose words can be opened."""
    found = (one.proto for one in page.get("bidi_component"))
    return [json.loads(one.bytes)["text"] for one in found if one.component_name.endswith("autograd_prose")]


def links(page: AppTest) -> dict[str, dict[str, str]]:
    """Labels of the links, with the parameters they carry."""
    found: dict[str, dict[str, str]] = {}
    for one in page.get("page_link"):
        pairs = (part.partition("=") for part in one.proto.query_string.lstrip("?").split("&") if part)
        found[one.proto.label] = {name: value for name, _, value in pairs}
    return found


def pair_of(page: AppTest) -> dict[str, Any]:
    (found,) = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("autograd_pair")]
    runs = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("autograd_run")]
    data = json.loads(found.bytes)
    sides = [{**json.loads(run.bytes), **side} for run, side in zip(runs, data["sides"], strict=True)]
    return data | {"sides": sides}


def keyed(page: Page, key: str, inner: str = "") -> Locator:
    """A part of the page by its Streamlit key."""
    return page.locator(f".st-key-{key} {inner}".strip())

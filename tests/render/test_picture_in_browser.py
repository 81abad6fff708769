"""What counting columns promises, a real browser keeps: every text stays inside its box."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import render_samples as samples
from playwright.sync_api import Browser, Page

from explorer.render.dot import to_dot
from explorer.render.layout import lay_out

FONTS = "ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
OVERHANGING = """
    () => [...document.querySelectorAll("g.node")].flatMap((group) => {
        const outline = group.querySelector("path, polygon");
        if (!outline) return [];
        const box = outline.getBBox();
        return [...group.querySelectorAll("text")]
            .filter((text) => {
                const { x, y, width, height } = text.getBBox();
                return x < box.x || x + width > box.x + box.width || y < box.y - 2 || y + height > box.y + box.height + 2;
            })
            .map((text) => `${group.id}: ${text.textContent}`);
    })
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("program", samples.ALL)
def test_no_text_leaves_its_box(page: Page, program: str) -> None:
    svg = lay_out(to_dot(samples.recorded(program)))
    page.set_content(f"<style>text {{ font-family: {FONTS} }}</style>{svg}")
    assert page.evaluate(OVERHANGING) == []

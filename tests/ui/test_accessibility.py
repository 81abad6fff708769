"""What axe-core finds that hinders people who read badly, listen, or use no mouse: nothing, on no page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from explorer.program.choices import Choices
from explorer.program.link import encode

pytestmark = pytest.mark.browser

FAILING = "import torch\nx = torch.ones(2)\ny = x.sum()\ny.backward()\n"
REFUSED = "import torch\nx = ("
PLAYER, CHART = ".stage svg", ".js-plotly-plot .main-svg"
PAGES = {
    "explore": ("", PLAYER),
    "a loop, in Chinese": ("?fn=xor&lang=zh", PLAYER),
    "a program that fails": (f"?{urlencode(encode(Choices(text=FAILING)))}", PLAYER),
    "a program that cannot be read": (f"?{urlencode(encode(Choices(text=REFUSED)))}", ".st-key-rejected"),
    "what if": ("?fn=two-dot&if=requires_grad.4.x", PLAYER),
    "mistakes": ("mistakes", ".st-key-card-forgotten-zero-grad"),
    "one mistake": ("mistakes?m=backward-twice", PLAYER),
    "derivative": ("derivative", CHART),
    "check": ("check", ".stTable, table, .stDataFrame"),
    "flow": ("flow", CHART),
    "about": ("about", "h2"),
}


DARK = ("explore", "a program that cannot be read", "what if", "one mistake", "flow")
PATIENCE = 5
"""How often axe is asked: what Streamlit fades in is pale at first."""


def complaints(page: Page) -> list[str]:
    """What axe finds wrong, and with which element."""
    violations = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']} {node['failureSummary']}" for one in violations for node in one["nodes"]]


@pytest.mark.parametrize(("scheme", "name"), [*(("light", name) for name in PAGES), *(("dark", name) for name in DARK)])
def test_axe_has_no_complaint(visit: Callable[..., Page], scheme: str, name: str) -> None:
    path, sight = PAGES[name]
    page = visit(path, color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator(sight).first).to_be_visible()
    for _ in range(PATIENCE):
        if not (found := complaints(page)):
            break
        page.wait_for_timeout(1000)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("?lang=zh", "探索 · Autograd Explorer"),
        ("mistakes?lang=zh", "常见错误 · Autograd Explorer"),
        ("flow?lang=zh", "梯度流动 · Autograd Explorer"),
        ("about?lang=zh", "说明 · Autograd Explorer"),
    ],
)
def test_every_page_tells_its_language_and_its_name(visit: Callable[..., Page], path: str, title: str) -> None:
    page = visit(path)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page).to_have_title(title)
    page.locator(".st-key-language_switch button").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "en")

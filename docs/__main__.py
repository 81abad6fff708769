"""Takes the README's pictures of the real page: `make pictures`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser

from benchmarks.servers import browsing, serving

FOLDER = Path(__file__).parent
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
SETTLED_MILLISECONDS = 2_500
"""Charts come after the graph, and glide."""


class Picture(NamedTuple):
    """One picture.

    Args:
        name: The file's, without ".png".
        address: The page's, with what is chosen on it.
        wait_for: What must be in sight.
        theme: In which colours.
        height: Of the window, in CSS pixels.
        only: The part of the page that is shown; "" for the window.
    """

    name: str
    address: str
    wait_for: str = ".player svg"
    theme: Literal["light", "dark"] = "light"
    height: int = 800
    only: str = ""


PICTURES = (
    Picture("mid-step", "?fn=two-dot&step=7"),
    Picture("ledger", "?fn=both", only=".player .ledger"),
    Picture("loop", "?fn=fit-line&step=64", height=960),
    Picture("mistake", "mistakes?m=in-place-on-a-saved-value", wait_for=".pair .stage svg", height=1000),
    Picture("derivative", "derivative", wait_for=".js-plotly-plot", height=720),
    Picture("dark", "?fn=both&lang=zh&step=16", theme="dark"),
)


def take(browser: Browser, url: str, picture: Picture) -> None:
    """Takes one picture, twice as fine as a common screen."""
    context = browser.new_context(
        viewport={"width": 1280, "height": picture.height}, color_scheme=picture.theme, device_scale_factor=2
    )
    page = context.new_page()
    page.goto(f"{url}/{picture.address}")
    page.locator(picture.wait_for).first.wait_for(timeout=60_000)
    page.locator(IDLE).wait_for()
    page.wait_for_timeout(SETTLED_MILLISECONDS)
    path = FOLDER / f"{picture.name}.png"
    if picture.only:
        page.locator(picture.only).first.screenshot(path=path)
    else:
        page.screenshot(path=path)
    print(path.relative_to(FOLDER.parent))
    context.close()


def main() -> None:
    """Takes all pictures."""
    with serving("app.py") as server, browsing() as browser:
        for picture in PICTURES:
            take(browser, server.url, picture)


if __name__ == "__main__":
    main()

"""Runs that wait in the page for the players of their pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from explorer.ui.modules import read

pytestmark = pytest.mark.browser

SCRIPT = """async ([code, acts]) => {
    const runs = await import(`data:text/javascript,${encodeURIComponent(code)}`);
    const run = { id: "r", language: "en", steps: [1, 2], tracks: { n0: 1 } };
    const found = runs.withRun({ id: "r", language: "en", svg: "<svg/>", tracks: { n1: 2 } });
    for (const [act, element] of acts) runs[act](element, run);
    return Promise.race([found, new Promise((late) => setTimeout(late, 300, null))]);
}"""


@pytest.mark.parametrize(
    ("acts", "is_found"),
    [
        ([], False),
        ([["keepRun", "left"]], True),
        ([["keepRun", "left"], ["keepRun", "right"], ["dropRun", "right"]], True),
        ([["keepRun", "left"], ["dropRun", "left"]], False),
    ],
)
def test_a_picture_gets_its_run_from_whichever_element_holds_it(
    new_page: Callable[..., Page], acts: list[list[str]], is_found: bool
) -> None:
    found = new_page().evaluate(SCRIPT, [read("player/runs.js"), acts])
    whole = {"id": "r", "language": "en", "steps": [1, 2], "svg": "<svg/>", "tracks": {"n0": 1, "n1": 2}}
    assert found == (whole if is_found else None)

"""One step of the player in a graph of 300 nodes."""

from __future__ import annotations

import html
import json
import os
import signal
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.programs import ladder
from benchmarks.rows import Row, at_most, median, percentile, shown
from benchmarks.servers import OUR_PICTURE, browsing, serving, visiting
from explorer import Completed, run
from explorer.render.dot import to_dot
from explorer.render.options import GraphOptions
from explorer.runner import lay_out
from explorer.ui.player.assets import html_text, module_text, style_text
from explorer.ui.player.playback import playback

NODES = 300
FRAME_MILLISECONDS = 1000 / 60
STEPS_WITHOUT_SERVER = 5

MEASURE = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done();
    port2.postMessage(0);
  }));
  const taken = [];
  for (let step = 1; step <= player.count; step++) {
    await frame();
    await frame();
    const start = performance.now();
    player.renderStep(step);
    const drawn = performance.now();
    player.view.reveal(player.picture.boxOf(player.data.steps[step - 1].target));
    player.stage.getBoundingClientRect();
    const laidOut = performance.now();
    await painted();
    taken.push([drawn - start, laidOut - start, performance.now() - start]);
  }
  return taken;
}"""


def rows() -> list[Row]:
    """Script time per step, until the page is laid out, until it is painted; and steps with the server at a halt."""
    with browsing() as browser:
        nodes, taken = _steps(browser)
        done = _steps_without_server(browser)
    script, laid_out, painted = zip(*taken, strict=True)
    what = f"player, {nodes} nodes, {len(taken)} steps"
    return [
        at_most(f"{what}: script per step, median", median(script), round(FRAME_MILLISECONDS, 1), "ms"),
        at_most("player: script per step, 95th percentile", percentile(script, 95), round(FRAME_MILLISECONDS, 1), "ms"),
        Row(
            "player: script and page layout, median (95th)",
            f"{shown(median(laid_out), 'ms')} ({percentile(laid_out, 95):.1f})",
        ),
        Row("player: until painted, median (95th)", f"{shown(median(painted), 'ms')} ({percentile(painted, 95):.1f})"),
        Row(
            "player: steps shown while the server is stopped",
            f"{done} of {STEPS_WITHOUT_SERVER}",
            f"{STEPS_WITHOUT_SERVER}",
            done == STEPS_WITHOUT_SERVER,
        ),
    ]


def _steps(browser: Browser) -> tuple[int, list[list[float]]]:
    ending = run(ladder(NODES))
    assert isinstance(ending, Completed), ending
    recording, options = ending.recording, GraphOptions()
    svg = lay_out(to_dot(recording, options))
    run_json, picture = playback(recording, svg, "en")
    shared = json.loads(run_json)
    played = {**shared, **picture, "tracks": shared["tracks"] | picture["tracks"]}
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_content(_page(played))
    page.wait_for_function("window.player")
    return len(recording.nodes), page.evaluate(MEASURE)


def _page(played: dict[str, Any]) -> str:
    data = html.escape(json.dumps(played, allow_nan=False), quote=False)
    script = (
        f"{module_text()}\n"
        "const data = JSON.parse(document.querySelector('#played').textContent);\n"
        "window.player = mount(document.querySelector('.autograd-player'), data);"
    )
    return (
        f"<!doctype html><meta charset=utf-8><style>{style_text()}</style>{html_text()}"
        f"<textarea id=played hidden>{data}</textarea><script type=module>{script}</script>"
    )


def _steps_without_server(browser: Browser) -> int:
    """How many steps back the real page shows while its server cannot answer."""
    with serving("app.py") as server, visiting(browser, server.url, OUR_PICTURE) as (page, _):
        page.locator("[data-test-script-state=notRunning]").first.wait_for(state="attached", timeout=60_000)
        page.locator(".stage").first.focus()
        os.kill(server.pid, signal.SIGSTOP)
        try:
            before = _step(page)
            for _ in range(STEPS_WITHOUT_SERVER):
                page.keyboard.press("ArrowLeft")
            return before - _step(page)
        finally:
            os.kill(server.pid, signal.SIGCONT)


def _step(page: Page) -> int:
    return int(page.locator(".player").first.evaluate("root => root.player.step"))

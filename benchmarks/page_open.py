"""From opening the page to seeing a graph, beside the least that Streamlit can do."""

from __future__ import annotations

import time

from playwright.sync_api import Browser

from benchmarks.rows import Row, at_most, median, shown
from benchmarks.servers import BARE_PAGE, BARE_PICTURE, OUR_PICTURE, browsing, serving, visiting

VISITS = 9
COLD_SERVERS = 3


def rows() -> list[Row]:
    """Visits by turns to our page and to the bare one, all with an empty cache; first visits to new servers."""
    with browsing() as browser:
        ours, bare = _by_turns(browser)
        first, from_start = _cold(browser)
    ratio = median([our / its for our, its in zip(ours, bare, strict=True)])
    return [
        at_most("page open to graph: ours / bare Streamlit page, median", ratio, 1.5, "×"),
        Row("  ours, median", shown(median(ours), "s")),
        Row("  bare page with one st.graphviz_chart, median", shown(median(bare), "s")),
        Row("server just started: first visit to graph, median", shown(median(first), "s")),
        Row("  from starting the server process, median", shown(median(from_start), "s")),
    ]


def _by_turns(browser: Browser) -> tuple[list[float], list[float]]:
    taken: tuple[list[float], list[float]] = ([], [])
    with serving("app.py") as our, serving(BARE_PAGE) as bare:
        for visit in range(VISITS + 1):
            for seconds, server, picture in zip(taken, (our, bare), (OUR_PICTURE, BARE_PICTURE), strict=True):
                with visiting(browser, server.url, picture) as (_, after):
                    if visit:  # the first one warms the server
                        seconds.append(after)
            if not visit:
                time.sleep(5)  # the warm parent imports torch meanwhile: not the other page's business
    return taken


def _cold(browser: Browser) -> tuple[list[float], list[float]]:
    first, from_start = [], []
    for _ in range(COLD_SERVERS):
        with serving("app.py") as server, visiting(browser, server.url, OUR_PICTURE) as (_, after):
            first.append(after)
            from_start.append(time.perf_counter() - server.started)
    return first, from_start

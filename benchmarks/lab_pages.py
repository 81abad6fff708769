"""How long the script of a lab's whole page takes when a slider moves: with a run of a program, and without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from streamlit.logger import set_log_level
from streamlit.testing.v1 import AppTest

from benchmarks.rows import Row, at_most, median, milliseconds
from explorer.runner import is_warm, warm_up

ROOT = Path(__file__).parents[1]
WITH_RUN_MILLISECONDS, WITHOUT_MILLISECONDS = 150, 60
LONGEST_WARM_UP_SECONDS = 60


class Slider(NamedTuple):
    """A slider of a lab.

    Args:
        lab: Its page.
        key: Of the widget.
        values: What it is moved to, one after the other; where it needs a run, none of them twice.
        needs_run: Whether a program runs for every value.
        kind: What Streamlit calls it.
    """

    lab: str
    key: str
    values: Sequence[Any]
    needs_run: bool
    kind: str = "slider"


SLIDERS = (
    Slider("accumulation", "accumulation-samples", range(3, 17), True),
    Slider("flow", "flow-depth_a", range(4, 20), True),
    Slider("check", "check-step", [*range(2, 20)], False, "select_slider"),
)


def rows() -> list[Row]:
    """One line per slider: the median time of the page's script."""
    set_log_level("error")  # it misses a server, a thousand times over
    warm_up()
    until = time.monotonic() + LONGEST_WARM_UP_SECONDS
    while not is_warm() and time.monotonic() < until:
        time.sleep(0.1)
    return [_row(slider) for slider in SLIDERS]


def _row(slider: Slider) -> Row:
    page = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    page.run().switch_page(f"explorer/ui/labs/{slider.lab}_page.py")
    page.run()
    taken = [milliseconds(_move(page, slider, value)) for value in slider.values]
    assert not page.exception, page.exception
    target = WITH_RUN_MILLISECONDS if slider.needs_run else WITHOUT_MILLISECONDS
    moved, run = slider.key.split("-")[1], "with a run" if slider.needs_run else "no run"
    name = f"lab page {slider.lab}: {moved} moves ({run}), median"
    return at_most(name, median(taken), target, "ms")


def _move(page: AppTest, slider: Slider, value: Any) -> Callable[[], object]:
    getattr(page, slider.kind)(key=slider.key).set_value(value)
    return page.run

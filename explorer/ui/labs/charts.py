"""Figures of the labs; each is seen until the browser has drawn the next, which Streamlit alone would not see to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import plotly.graph_objects as go
import streamlit as st

from explorer.ui.keys import Key

CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}

Point = dict[str, Any]


class Drawn(NamedTuple):
    """A chart as the browser has it."""

    key: str
    figure: go.Figure
    alt: str
    spec: str


def chart(
    figure: go.Figure,
    key: str,
    alt: str,
    on_click: Callable[[Point], None] | None = None,
    height: Literal["content", "stretch"] = "content",
) -> None:
    """A figure that stays where it is until the browser has drawn the one that follows it.

    Args:
        figure: What to draw.
        key: Of its place.
        alt: The figure in one sentence, for screen readers.
        on_click: Called with a point that was clicked, before the page is drawn anew.
        height: The figure's own ("content"), or what the style sheet says for its place ("stretch").
    """
    draw = partial(_draw, on_click=on_click, height=height)
    before: Drawn | None = _before().get(key)
    keys = f"{key}-1", f"{key}-2"
    now = Drawn(keys[0], figure, alt, figure.to_json(validate=False))
    with st.container(key=f"chart-{key}"):
        if before is not None and before.spec == now.spec:
            now = now._replace(key=before.key)
        elif before is not None:
            draw(before)  # first, where the browser has it; the style sheet hides it once the second is there
            now = now._replace(key=keys[before.key == keys[0]])
        draw(now)
    st.session_state.setdefault(Key.CHARTS, {})[key] = now


def keep_charts() -> None:
    """To be called where a page ends: a chart that is not on the page any more is not kept either."""
    st.session_state[Key.CHARTS_BEFORE] = st.session_state.pop(Key.CHARTS, {})


def _before() -> dict[str, Drawn]:
    """The charts that the browser has; a page that was not drawn to its end has drawn some of its own."""
    return {**st.session_state.get(Key.CHARTS_BEFORE, {}), **st.session_state.get(Key.CHARTS, {})}


def _draw(drawn: Drawn, *, on_click: Callable[[Point], None] | None, height: Literal["content", "stretch"]) -> None:
    select: dict[str, Any] = {}
    if on_click is not None:
        select = {"on_select": partial(_take_click, drawn.key, on_click), "selection_mode": "points"}
    st.plotly_chart(
        drawn.figure,
        width="stretch",
        height=height,
        theme=None,
        key=drawn.key,
        config=CONFIG,
        alt=drawn.alt,
        **select,
    )


def _take_click(key: str, on_click: Callable[[Point], None]) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points:
        on_click(points[0])

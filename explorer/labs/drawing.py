"""How the labs' figures are put together: traces and layout as plain dictionaries, checked by plotly once.

Building a figure piece by piece makes plotly check each piece; at once it takes a fraction of the time, which a slider
that redraws on every move needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.render.chart_style import pale, plain
from explorer.render.palette import PALETTES, Theme

Parts = dict[str, Any]

ALWAYS: Parts = {"marker": {"opacity": 1}}
"""How a trace looks when something is selected, as `selected` and `unselected`: the same."""


def drawing(
    traces: Sequence[Parts],
    theme: Theme,
    height_pixels: int,
    title: str = "",
    frames: Sequence[Parts] = (),
    **layout: Any,
) -> go.Figure:
    """A figure in the theme's colours, without a background of its own, so that the page's shows through.

    Args:
        traces: From back to front.
        theme: The page's.
        height_pixels: Of the whole figure.
        title: Above it; "" for none.
        frames: Of an animation.
        layout: plotly's layout beyond the look that all share.
    """
    palette = PALETTES[theme]
    style = {
        "template": {},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": palette.text, "size": 12},
        "hoverlabel": {"bgcolor": palette.surface, "font": {"color": palette.text}},
        "margin": {"l": 4, "r": 4, "t": 34 if title else 8, "b": 4},
        "height": height_pixels,
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
    }
    if title:
        font = {"size": 14}
        style["title"] = {"text": plain(title), "font": font, "x": 0, "xanchor": "left", "y": 0.97, "yanchor": "top"}
    return go.Figure({"data": list(traces), "layout": {**style, **layout}, "frames": list(frames)})


def axis(theme: Theme, title: str = "", **fields: Any) -> Parts:
    """An axis with pale lines that cannot be dragged."""
    muted = PALETTES[theme].muted
    lines = {"gridcolor": pale(muted), "zerolinecolor": muted, "zerolinewidth": 1}
    named = {"title": {"text": title, "standoff": 4}} if title else {}
    return {**lines, "ticks": "", "automargin": True, "fixedrange": True, **named, **fields}


def still(name: str, **fields: Any) -> Parts:
    """A part of the drawing that the mouse passes through, and that a click leaves as it is."""
    return {"type": "scatter", "name": name, "hoverinfo": "skip", "selected": ALWAYS, "unselected": ALWAYS, **fields}

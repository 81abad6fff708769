"""What all charts share: colours, fonts, notes under the title, plain text."""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.render.palette import PALETTES, Theme


def apply_style(figure: go.Figure, title: str, theme: Theme, height_pixels: int) -> None:
    """The theme's colours and little margin; no background of its own, so that the page's shows through."""
    palette = PALETTES[theme]
    figure.update_layout(
        title={"text": plain(title), "font": {"size": 14}, "x": 0, "xanchor": "left", "y": 0.97, "yanchor": "top"},
        template="plotly_dark" if theme == "dark" else "plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.text, "size": 12},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
        height=height_pixels,
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)


def add_notes(figure: go.Figure, notes: Sequence[str], theme: Theme) -> None:
    """Says under the title what a reader must know to read the chart."""
    if notes:
        said = "<br>".join(map(plain, notes))
        figure.update_layout(margin={"t": 44 + 15 * len(notes)})
        figure.update_layout(title={"subtitle": {"text": said, "font": {"size": 11, "color": PALETTES[theme].muted}}})


def pale(color: str) -> str:
    """The colour, mostly transparent."""
    return f"rgba({','.join(map(str, rgb(color)))},0.22)"


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue of "#rrggbb", from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def luminance(color: Sequence[float]) -> float:
    """How light red, green and blue are together, from 0 to 1, as WCAG has it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in color)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def plain(words: str) -> str:
    """Text that plotly shows as it is, tags and all."""
    return html.escape(words, quote=False)


def element_name(name: str, flat: int, shape: Sequence[int]) -> str:
    """An element of a tensor as Python would call it: "w[0, 1]"."""
    index = index_of(flat, shape)
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def index_of(flat: int, shape: Sequence[int]) -> tuple[int, ...]:
    """The index, one number per dimension, of an element in row-major order."""
    index: list[int] = []
    for size in reversed(shape):
        flat, place = divmod(flat, size)
        index.append(place)
    return tuple(reversed(index))

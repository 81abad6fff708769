"""The lab's charts: norms by level, and how each leaf's gradient is spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.labs.drawing import axis, drawing
from explorer.labs.flow.program import BINS, LEAST_POWER, MOST_POWER, Network
from explorer.labs.flow.reading import Level, Reading
from explorer.labs.flow.verdict import level_name, mark_of
from explorer.model.text import number_text
from explorer.render.chart_style import pale, plain
from explorer.render.palette import PALETTES, Theme, pass_color

NORM_HEIGHT_PIXELS = 400
ROW_PIXELS, LEAST_PIXELS, MOST_PIXELS = 16, 220, 460

SYMBOLS = {"steady": "circle", "vanishes": "circle-open", "explodes": "triangle-up", "dead": "x-thin", "broken": "x"}
DASHES = ("solid", "dash")


def norm_chart(networks: Sequence[tuple[str, Network, Reading]], theme: Theme, language: Language) -> go.Figure:
    """Gradient norms on a logarithmic axis, the data at the left and the loss at the right.

    Args:
        networks: Name, settings and reading of each network.
        theme, language: As the page.
    """
    kinds = {network.kind for _, network, _ in networks}
    name = text(f"lab_flow.axis.{kinds.pop() if len(kinds) == 1 else 'both'}", language)
    powers: dict[str, Any] = {
        "type": "log",
        "exponentformat": "power",
        "dtick": _tick(networks),
        "tickfont": {"size": 11},
    }
    return drawing(
        [*_traces(networks, theme, language), *_legend_of_marks(networks, theme, language)],
        theme,
        NORM_HEIGHT_PIXELS,
        text("lab_flow.chart.norms", language),
        showlegend=True,
        legend={"orientation": "h", "y": -0.22, "yanchor": "top"},
        xaxis=axis(theme, name, zeroline=False),
        yaxis=axis(theme, **powers),
    )


def histogram_chart(
    name: str, reading: Reading, theme: Theme, language: Language, height_pixels: int | None = None
) -> go.Figure:
    """One row per leaf, coloured by how many of its gradient's elements have which magnitude.

    Args:
        name: Of the network.
        reading: Its reading.
        theme, language: As the page.
        height_pixels: Of the chart; as its rows need it where None.
    """
    first, last = _occupied(reading)
    step = (MOST_POWER - LEAST_POWER) / BINS
    powers = [LEAST_POWER + (k + 0.5) * step for k in range(first, last)]
    zero, broken = powers[0] - 1.0, powers[-1] + 1.0
    rows = [[share / one.numel for share in (one.zero, *one.counts[first:last], one.broken)] for one in reading.spreads]
    cells = {
        "type": "heatmap",
        "x": [zero, *powers, broken],
        "y": [plain(one.name) for one in reading.spreads],
        "z": [[share or None for share in row] for row in rows],
        "zmin": 0,
        "zmax": max((max(row) for row in rows), default=1.0),
        "colorscale": [[0, pale(pass_color(theme, 0))], [1, pass_color(theme, 0)]],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "customdata": [["0", *(f"≈ {10**power:.0e}" for power in powers), "nan, inf"]] * len(rows),
        "hovertemplate": "%{y} %{customdata}: %{z:.0%}<extra></extra>",
    }
    whole = [power for power in range(LEAST_POWER, MOST_POWER + 1) if powers[0] < power < powers[-1]]
    ticks = whole[:: max(1, math.ceil(len(whole) / 6))]
    ends: dict[str, Any] = {"range": [zero - 0.6, broken + 0.6], "showgrid": False, "zeroline": False, "ticks": ""}
    names = ["0", *(f"10<sup>{power}</sup>" for power in ticks), "nan, inf"]
    return drawing(
        [cells],
        theme,
        height_pixels or histogram_height(reading),
        text("lab_flow.chart.histogram", language, name=name),
        xaxis=axis(theme, tickvals=[zero, *ticks, broken], ticktext=names, **ends),
        yaxis=axis(theme, autorange="reversed", type="category", showgrid=False, ticks="", ticksuffix="  "),
    )


def histogram_height(reading: Reading) -> int:
    """How high a histogram chart has to be."""
    return min(max(ROW_PIXELS * len(reading.spreads) + 100, LEAST_PIXELS), MOST_PIXELS)


def _occupied(reading: Reading) -> tuple[int, int]:
    """The bins that are drawn: from one before the first that holds something to one after the last."""
    filled = [k for k in range(BINS) if any(one.counts[k] for one in reading.spreads if one.counts)]
    first, last = (filled[0], filled[-1]) if filled else (BINS // 2, BINS // 2)
    return max(first - 4, 0), min(last + 5, BINS)


def _traces(
    networks: Sequence[tuple[str, Network, Reading]], theme: Theme, language: Language
) -> Iterator[dict[str, Any]]:
    ends = _ends([reading for _, _, reading in networks])
    for k, (name, network, reading) in enumerate(networks):
        yield _line(k, name, network, reading, theme, language)
        if not all(map(_has_a_place, reading.levels)):
            yield _off_the_scale(k, network, reading, ends, theme, language)
        if any(level.weight is not None for level in reading.levels):
            yield _weights(k, name, reading, theme, language)


def _legend_of_marks(
    networks: Sequence[tuple[str, Network, Reading]], theme: Theme, language: Language
) -> Iterator[dict[str, Any]]:
    """An entry of the legend for each mark that occurs."""
    found = {mark_of(level, reading.levels[-1]) for _, _, reading in networks for level in reading.levels}
    for fate in ("vanishes", "explodes", "dead", "broken"):
        if fate in found:
            color = PALETTES[theme].text
            marker = {"symbol": SYMBOLS[fate], "size": 10, "color": color, "line": {"width": 2, "color": color}}
            name = text(f"lab_flow.mark.{fate}", language)
            yield {"type": "scatter", "name": name, "x": [None], "y": [None], "mode": "markers", "marker": marker}


def _line(k: int, name: str, network: Network, reading: Reading, theme: Theme, language: Language) -> dict[str, Any]:
    levels, last = reading.levels, reading.levels[-1]
    return {
        "type": "scatter",
        "name": plain(name),
        "x": [level.number for level in levels],
        "y": [level.norm if _has_a_place(level) else None for level in levels],
        "mode": "lines+markers",
        "line": {"color": pass_color(theme, k), "width": 2.5, "dash": DASHES[k % 2]},
        **_marked(k, levels, last, network, theme, language),
    }


def _off_the_scale(
    k: int, network: Network, reading: Reading, ends: tuple[float, float], theme: Theme, language: Language
) -> dict[str, Any]:
    """What a logarithmic axis has no place for: 0 lies at its foot, nan and inf at its top."""
    levels = [level for level in reading.levels if not _has_a_place(level)]
    return {
        "type": "scatter",
        "x": [level.number for level in levels],
        "y": [ends[0] if level.norm == 0 else ends[1] for level in levels],
        "mode": "markers",
        "showlegend": False,
        **_marked(k, levels, reading.levels[-1], network, theme, language),
    }


def _marked(
    k: int, levels: Sequence[Level], last: Level, network: Network, theme: Theme, language: Language
) -> dict[str, Any]:
    """Marks by fate, and what hovering tells."""
    color = pass_color(theme, k)
    return {
        "marker": {
            "symbol": [SYMBOLS[mark_of(level, last)] for level in levels],
            "size": 9,
            "color": color,
            "line": {"color": color, "width": 2},
        },
        "customdata": [[level_name(level.number, network, language), number_text(level.norm)] for level in levels],
        "hovertemplate": "%{customdata[0]}: %{customdata[1]}<extra>%{fullData.name}</extra>",
    }


def _weights(k: int, name: str, reading: Reading, theme: Theme, language: Language) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": plain(text("lab_flow.chart.weights", language, name=name)),
        "x": [level.number for level in reading.levels],
        "y": [level.weight if level.weight else None for level in reading.levels],
        "mode": "lines",
        "line": {"color": pass_color(theme, k), "width": 1, "dash": "dot"},
        "hovertemplate": "%{x}: %{y:.3g}<extra>%{fullData.name}</extra>",
    }


def _has_a_place(level: Level) -> bool:
    return level.norm > 0 and math.isfinite(level.norm)


def _ends(readings: Sequence[Reading]) -> tuple[float, float]:
    """A little below and above all norms that the axis has a place for."""
    norms = [level.norm for reading in readings for level in reading.levels if _has_a_place(level)] or [1.0]
    return min(norms) / 10, max(norms) * 10


def _tick(networks: Sequence[tuple[str, Network, Reading]]) -> int:
    """Powers of ten between two lines of the grid, so that about eight are drawn."""
    norms: list[float] = [
        number
        for _, _, reading in networks
        for level in reading.levels
        for number in (level.norm, level.weight or 0.0)
        if number > 0 and math.isfinite(number)
    ]
    decades = math.log10(max(norms) / min(norms)) if norms else 1
    return max(1, math.ceil(decades / 8))

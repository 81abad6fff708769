"""The lab's charts: gradients side by side, and memory over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.labs.accumulation.program import AccumulationSettings, part_sizes
from explorer.labs.accumulation.reading import Gradient, Reading
from explorer.labs.drawing import axis, drawing
from explorer.model.text import number_text
from explorer.render.chart_style import element_name, pale, plain
from explorer.render.palette import PALETTES, Theme, pass_color, pass_pattern

HEIGHT_PIXELS = 420
MEMORY_HEIGHT_PIXELS = 240


def gradient_chart(reading: Reading, settings: AccumulationSettings, theme: Theme, language: Language) -> go.Figure:
    """Two bars per element: the full batch's gradient, and the stack of what the micro-batches added."""
    palette = PALETTES[theme]
    labels = [label for one in reading.gradients for label in element_names(one)]
    full = [number for one in reading.gradients for number in one.full]
    name = text("lab_accumulation.chart.full", language)
    traces = [{**_bars(name, labels, full, palette.muted), "offsetgroup": "full"}]
    if any(one.left_over for one in reading.gradients):
        left = [number for one in reading.gradients for number in one.left_over or (0.0,) * len(one.full)]
        traces.append(_bars(text("lab_accumulation.chart.left_over", language), labels, left, palette.failed, "x"))
    for k, size in enumerate(part_sizes(settings)):
        added = [number for one in reading.gradients for number in one.parts[k]]
        name = text("lab_accumulation.chart.part", language, number=k + 1, size=size)
        traces.append(_bars(name, labels, added, pass_color(theme, k), pass_pattern(k)))
    traces.append(_sums(reading, labels, theme, language))
    return drawing(
        traces,
        theme,
        HEIGHT_PIXELS,
        text("lab_accumulation.chart.gradients", language),
        barmode="relative",
        scattermode="group",
        bargap=0.25,
        scattergap=0.25,
        showlegend=True,
        legend={"orientation": "h", "y": -0.45, "yanchor": "top"},
        xaxis=axis(theme, type="category", categoryorder="array", categoryarray=labels, showgrid=False),
        yaxis=axis(theme, zeroline=True),
    )


def memory_chart(reading: Reading, theme: Theme, language: Language) -> go.Figure:
    """Bytes that the graphs held, event by event: one hill for the full batch, a saw for the micro-batches."""
    rows = (
        ("full", reading.full, PALETTES[theme].muted, "solid"),
        ("micro", reading.micro, pass_color(theme, 0), "dot"),
    )
    traces = [
        {
            "type": "scatter",
            "name": text(f"lab_accumulation.chart.{name}", language),
            "x": list(range(len(kept.bytes))),
            "y": list(kept.bytes),
            "mode": "lines",
            "line": {"color": color, "shape": "hv", "width": 2.5, "dash": dash},
            "fill": "tozeroy",
            "fillcolor": pale(color),
            "hovertemplate": "%{y} B<extra>%{fullData.name}</extra>",
        }
        for name, kept, color, dash in rows
    ]
    return drawing(
        traces,
        theme,
        MEMORY_HEIGHT_PIXELS,
        text("lab_accumulation.chart.memory", language),
        showlegend=True,
        legend={"orientation": "h", "y": -0.35, "yanchor": "top"},
        xaxis=axis(theme, text("lab_accumulation.chart.events", language)),
        yaxis=axis(theme, ticksuffix=" B", rangemode="tozero"),
    )


def element_names(gradient: Gradient) -> list[str]:
    """ "0.weight[0, 2]", one per element."""
    return [plain(element_name(gradient.name, flat, gradient.shape)) for flat in range(len(gradient.full))]


def _bars(name: str, labels: Sequence[str], heights: Sequence[float], color: str, pattern: str = "") -> dict[str, Any]:
    return {
        "type": "bar",
        "name": plain(name),
        "x": labels,
        "y": heights,
        "offsetgroup": "micro",
        "marker": {"color": color, "pattern": {"shape": pattern, "size": 6, "solidity": 0.3, "fillmode": "overlay"}},
        "customdata": list(map(number_text, heights)),
        "hovertemplate": "%{x}: %{customdata}<extra>%{fullData.name}</extra>",
    }


def _sums(reading: Reading, labels: Sequence[str], theme: Theme, language: Language) -> dict[str, Any]:
    """A diamond where each stack adds up to."""
    palette = PALETTES[theme]
    sums = [number for one in reading.gradients for number in one.micro]
    return {
        "type": "scatter",
        "name": text("lab_accumulation.chart.micro", language),
        "x": labels,
        "y": sums,
        "mode": "markers",
        "offsetgroup": "micro",
        "marker": {
            "symbol": "diamond",
            "size": 8,
            "color": palette.text,
            "line": {"color": palette.surface, "width": 1},
        },
        "customdata": list(map(number_text, sums)),
        "hovertemplate": "%{x}: %{customdata}<extra>%{fullData.name}</extra>",
    }

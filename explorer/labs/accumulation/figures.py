"""The lab's charts: gradients side by side, and memory over time."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.labs.accumulation.program import AccumulationSettings, part_sizes
from explorer.labs.accumulation.reading import Gradient, Reading
from explorer.model.text import number_text
from explorer.render.chart_style import apply_style, index_of, pale, plain
from explorer.render.palette import PALETTES, Theme, pass_color, pass_pattern

HEIGHT_PIXELS = 380
MEMORY_HEIGHT_PIXELS = 240


def gradient_chart(reading: Reading, settings: AccumulationSettings, theme: Theme, language: Language) -> go.Figure:
    """Two bars per element: the full batch's gradient, and the stack of what the micro-batches added."""
    palette = PALETTES[theme]
    labels = [label for one in reading.gradients for label in element_names(one)]
    figure = go.Figure()
    full = [number for one in reading.gradients for number in one.full]
    figure.add_bar(
        name=text("lab_accumulation.chart.full", language),
        x=labels,
        y=full,
        offsetgroup="full",
        marker={"color": palette.muted},
        customdata=list(map(number_text, full)),
        hovertemplate="%{x}: %{customdata}<extra>%{fullData.name}</extra>",
    )
    if any(one.left_over for one in reading.gradients):
        left = [number for one in reading.gradients for number in one.left_over or (0.0,) * len(one.full)]
        name = text("lab_accumulation.chart.left_over", language)
        figure.add_bar(**_part(name, labels, left, palette.failed, "x"))
    for k, size in enumerate(part_sizes(settings)):
        added = [number for one in reading.gradients for number in one.parts[k]]
        name = text("lab_accumulation.chart.part", language, number=k + 1, size=size)
        figure.add_bar(**_part(name, labels, added, pass_color(theme, k), pass_pattern(k)))
    micro = [number for one in reading.gradients for number in one.micro]
    figure.add_scatter(
        name=text("lab_accumulation.chart.micro", language),
        x=labels,
        y=micro,
        mode="markers",
        offsetgroup="micro",
        marker={"symbol": "diamond", "size": 8, "color": palette.text, "line": {"color": palette.surface, "width": 1}},
        customdata=list(map(number_text, micro)),
        hovertemplate="%{x}: %{customdata}<extra>%{fullData.name}</extra>",
    )
    apply_style(figure, text("lab_accumulation.chart.gradients", language), theme, HEIGHT_PIXELS)
    figure.update_layout(
        barmode="relative",
        scattermode="group",
        bargap=0.25,
        scattergap=0.25,
        legend={"orientation": "h", "y": -0.3, "yanchor": "top"},
    )
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=labels, showgrid=False)
    figure.update_yaxes(zeroline=True, zerolinecolor=palette.muted, gridcolor=pale(palette.muted))
    return figure


def memory_chart(reading: Reading, theme: Theme, language: Language) -> go.Figure:
    """Bytes that the graphs held, event by event: one hill for the full batch, a saw for the micro-batches."""
    palette = PALETTES[theme]
    figure = go.Figure()
    rows = (("full", reading.full, palette.muted, "solid"), ("micro", reading.micro, pass_color(theme, 0), "dot"))
    for name, kept, color, dash in rows:
        figure.add_scatter(
            name=text(f"lab_accumulation.chart.{name}", language),
            x=list(range(len(kept.bytes))),
            y=list(kept.bytes),
            mode="lines",
            line={"color": color, "shape": "hv", "width": 2.5, "dash": dash},
            fill="tozeroy",
            fillcolor=pale(color),
            hovertemplate="%{y} B<extra>%{fullData.name}</extra>",
        )
    apply_style(figure, text("lab_accumulation.chart.memory", language), theme, MEMORY_HEIGHT_PIXELS)
    figure.update_layout(legend={"orientation": "h", "y": -0.35, "yanchor": "top"})
    figure.update_xaxes(title_text=text("lab_accumulation.chart.events", language), gridcolor=pale(palette.muted))
    figure.update_yaxes(ticksuffix=" B", rangemode="tozero", gridcolor=pale(palette.muted))
    return figure


def element_names(gradient: Gradient) -> list[str]:
    """ "0.weight[0, 2]", one per element."""
    places = (index_of(flat, gradient.shape) for flat in range(len(gradient.full)))
    return [plain(f"{gradient.name}[{', '.join(map(str, place))}]" if place else gradient.name) for place in places]


def _part(name: str, labels: Sequence[str], heights: Sequence[float], color: str, pattern: str) -> dict[str, object]:
    return {
        "name": plain(name),
        "x": labels,
        "y": heights,
        "offsetgroup": "micro",
        "marker": {"color": color, "pattern": {"shape": pattern, "size": 6, "solidity": 0.3}},
        "customdata": list(map(number_text, heights)),
        "hovertemplate": "%{x}: %{customdata}<extra>%{fullData.name}</extra>",
    }

"""What many backward passes contributed to `.grad`, as curves over the passes: a stack of hundreds shows nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.model import Accumulated, Leaf, Recording, TensorValue
from explorer.model.text import NORM, number_text
from explorer.render.chart_style import add_notes, apply_style, element_name, pale, plain
from explorer.render.contribution_chart import HEIGHT_PIXELS
from explorer.render.contributions import element
from explorer.render.decades import scale_of
from explorer.render.palette import PALETTES, Theme, pass_color

MOST_STACKED = 12
"""Up to so many passes, their contributions are told apart in a stack."""
MOST_CURVES = 8
"""A leaf with more elements is known by its norm."""
MOST_DOTS = 60
DASHES = ("solid", "dot", "dash", "dashdot")

Reading = Callable[[TensorValue], float]


def has_many_passes(recording: Recording, leaf_id: str) -> bool:
    """Whether so many passes have reached a leaf that their contributions make curves."""
    return len(_arrivals(recording, leaf_id)) > MOST_STACKED


def contribution_curves(recording: Recording, leaf_id: str, theme: Theme, language: Language) -> go.Figure:
    """A curve per element of what each backward pass added; where passes add up, a pale band for `.grad` after each.

    Args:
        recording: What happened.
        leaf_id: Whose `.grad`.
        theme, language: As the page.
    """
    leaf, arrivals = recording.leaf(leaf_id), _arrivals(recording, leaf_id)
    passes = [event.backward_pass + 1 for event in arrivals]
    adds_up = any(event.before is not None and event.before.stats.norm for event in arrivals)
    figure = go.Figure()
    for nr, (name, reading) in enumerate(_readings(leaf)):
        color = pass_color(theme, nr)
        if adds_up:
            kept = [reading(event.after) for event in arrivals]
            figure.add_scatter(**_curve(name, passes, kept), line={"color": pale(color), "width": 7})
        added = [reading(event.incoming) for event in arrivals]
        line = {"color": color, "width": 2, "dash": DASHES[nr % len(DASHES)]}
        said = text("render.chart.added", language, name=name)
        figure.add_scatter(**_curve(said, passes, added), line=line, marker={"size": 5})
    figure.update_traces(mode="lines+markers" if len(passes) <= MOST_DOTS else "lines")
    apply_style(figure, text("render.chart.contributions", language, name=f"{leaf.name}.grad"), theme, HEIGHT_PIXELS)
    figure.update_layout(legend={"orientation": "h", "y": -0.24}, hovermode="x", showlegend=len(figure.data) > 1)
    figure.update_xaxes(title=text("render.chart.over_passes", language), showgrid=False, zeroline=False)
    figure.update_yaxes(zeroline=True, zerolinecolor=PALETTES[theme].muted, gridcolor=pale(PALETTES[theme].muted))
    notes = [text("render.chart.norm", language, total=leaf.value.numel)] if leaf.value.numel > MOST_CURVES else []
    if (scale := scale_of([number for trace in figure.data for number in trace.y if number])) is not None:
        for trace in figure.data:
            trace.y = [None if number is None else scale.height(number) for number in trace.y]
        ticks = scale.ticks()
        figure.update_yaxes(tickvals=[*map(scale.height, ticks)], ticktext=[*map(number_text, ticks)])
        notes.append(text("render.chart.powers_of_ten", language))
    add_notes(figure, notes, theme)
    return figure


def _arrivals(recording: Recording, leaf_id: str) -> list[Accumulated]:
    return [event for event in recording.events if isinstance(event, Accumulated) and event.leaf_id == leaf_id]


def _readings(leaf: Leaf) -> list[tuple[str, Reading]]:
    """What is read off each gradient, and its name: every element, or of many the norm."""
    grad = plain(f"{leaf.name}.grad")
    if leaf.value.numel > MOST_CURVES:
        return [(f"{NORM} {grad}", lambda value: value.stats.norm)]
    return [(element_name(grad, flat, leaf.value.shape), _element(flat)) for flat in range(leaf.value.numel)]


def _element(flat: int) -> Reading:
    """The element as it is in each gradient; a leaf that the program shrinks, by `.data`, loses some."""
    return lambda value: math.nan if (found := element(value, flat)) is None else found


def _curve(name: str, passes: Sequence[int], numbers: Sequence[float]) -> dict[str, object]:
    return {
        "name": name,
        "x": passes,
        "y": [number if math.isfinite(number) else None for number in numbers],
        "customdata": [number_text(number) for number in numbers],
        "hovertemplate": "%{x}: %{customdata}<extra>%{fullData.name}</extra>",
    }

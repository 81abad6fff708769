"""What each backward pass contributed to `.grad`, as stacked bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.model import Leaf, Recording
from explorer.model.text import number_text
from explorer.render.chart_style import add_notes, apply_style, element_name, pale, plain
from explorer.render.contributions import Contribution, contributions, element
from explorer.render.palette import PALETTES, Theme, pass_color, pass_pattern

MOST_BARS = 48
FEW_BARS = 6
"""Fewer are as narrow as so many, not slabs across the page."""
HEIGHT_PIXELS = 345
NUMBER_PART = 0.14
"""A number's part of the plot's height."""


def contribution_chart(
    recording: Recording, leaf_id: str | None, theme: Theme, language: Language, step: int | None = None
) -> go.Figure:
    """A bar per element of a leaf's `.grad`, stacked from what each backward pass added; a mark shows the sum.

    What was cleared stands beside the stack, pale and outlined, since it no longer counts.

    Args:
        recording: What happened.
        leaf_id: Whose `.grad`; None for all leaves.
        theme, language: As the page.
        step: As of which step; None for the end.
    """
    leaves = [leaf for leaf in recording.leaves if leaf_id in (None, leaf.id)]
    bars = _Bars(recording, [leaf for leaf in leaves if leaf.requires_grad or leaf.node_id is not None], step)
    figure = go.Figure()
    for backward_pass, is_cleared in bars.series:
        figure.add_bar(**_bar(bars, backward_pass, is_cleared, theme, language))
    if bars.series:
        figure.add_traces(_sum_marks(bars, theme))
        figure.update_yaxes(autorangeoptions={"include": _headroom(bars)})
    title = text("render.chart.contributions", language, name=bars.title)
    apply_style(figure, title, theme, HEIGHT_PIXELS)
    gap = 1 - 0.65 * min(1, len(bars.labels) / FEW_BARS)
    figure.update_layout(
        barmode="relative", bargap=gap, scattermode="group", scattergap=gap, legend={"orientation": "h", "y": -0.18}
    )
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=bars.labels, showgrid=False)
    figure.update_yaxes(zeroline=True, zerolinecolor=PALETTES[theme].muted, gridcolor=pale(PALETTES[theme].muted))
    notes = []
    if not bars.series:
        notes.append(text("render.chart.no_contributions", language))
        figure.update_xaxes(visible=False)
        figure.update_yaxes(visible=False)
    if bars.left_out:
        notes.append(text("render.chart.bars_left_out", language, shown=len(bars.labels), total=bars.total))
    add_notes(figure, notes, theme)
    return figure


class _Bars:
    """The chart's numbers: one label per element, one series per pass and fate."""

    def __init__(self, recording: Recording, leaves: Sequence[Leaf], step: int | None) -> None:
        places = [(leaf, flat) for leaf in leaves for flat in range(leaf.value.numel)]
        self.total = len(places)
        self.places = places[:MOST_BARS]
        self.left_out = self.total - len(self.places)
        self.labels = [plain(element_name(leaf.name, flat, leaf.value.shape)) for leaf, flat in self.places]
        names = [f"{leaf.name}.grad" for leaf in leaves[:3]] + ["…"] * (len(leaves) > 3)
        self.title = ", ".join(names) or ".grad"
        self.roots = {one.index: one.started.roots for one in recording.backward_passes}
        self._parts = {leaf.id: contributions(recording, leaf.id, step) for leaf in leaves}
        found = [(one.backward_pass, one.is_cleared) for parts in self._parts.values() for one in parts]
        # What the program put there itself lies at the bottom, as the passes add to it.
        self.series = sorted(set(found), key=lambda series: (-1 if series[0] is None else series[0], series[1]))

    def heights(self, backward_pass: int | None, is_cleared: bool) -> list[float | None]:
        return [
            self._sum(leaf, flat, lambda one: (one.backward_pass, one.is_cleared) == (backward_pass, is_cleared))
            for leaf, flat in self.places
        ]

    def sums(self) -> list[float | None]:
        return [self._sum(leaf, flat, lambda one: not one.is_cleared) for leaf, flat in self.places]

    def tops(self) -> list[float]:
        """The upper ends of the stacks of what is kept."""
        kept = [
            [_drawn(height) for height in self.heights(backward_pass, False)]
            for backward_pass, is_cleared in self.series
            if not is_cleared
        ]
        return [
            math.fsum(heights[k] or 0 for heights in kept if (heights[k] or 0) > 0) for k in range(len(self.places))
        ]

    def _sum(self, leaf: Leaf, flat: int, wanted: Callable[[Contribution], bool]) -> float | None:
        parts = [element(one.value, flat) for one in self._parts[leaf.id] if wanted(one)]
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        return math.fsum(known) if all(map(math.isfinite, known)) else sum(known)


def _bar(bars: _Bars, backward_pass: int | None, is_cleared: bool, theme: Theme, language: Language) -> dict[str, Any]:
    palette = PALETTES[theme]
    color = palette.muted if backward_pass is None else pass_color(theme, backward_pass)
    heights = bars.heights(backward_pass, is_cleared)
    marker: dict[str, Any] = {"color": pale(color) if is_cleared else color, "line": {"color": color, "width": 1.5}}
    if backward_pass is not None:
        marker["pattern"] = {"shape": pass_pattern(backward_pass), "size": 7, "solidity": 0.3}
    return {
        "name": _series_name(bars, backward_pass, is_cleared, language),
        "x": bars.labels,
        "y": [_drawn(height) for height in heights],
        "marker": marker,
        "offsetgroup": "cleared" if is_cleared else "kept",
        "customdata": [_said(height) for height in heights],
        "hovertemplate": "%{x}: %{customdata}<extra>%{fullData.name}</extra>",
    }


def _series_name(bars: _Bars, backward_pass: int | None, is_cleared: bool, language: Language) -> str:
    if backward_pass is None:
        name = text("render.chart.set_by_program", language)
    else:
        roots = ", ".join(root.variable for root in bars.roots.get(backward_pass, ()) if root.variable)
        key = "render.chart.pass_from" if roots else "render.chart.pass"
        name = text(key, language, number=backward_pass + 1, roots=roots)
    return plain(text("render.chart.cleared", language, name=name) if is_cleared else name)


def _sum_marks(bars: _Bars, theme: Theme) -> list[go.Scatter]:
    """A diamond where the kept contributions add up to, and that number above their stack."""
    sums, tops = bars.sums(), bars.tops()
    palette = PALETTES[theme]
    diamonds = go.Scatter(
        name=".grad",
        x=bars.labels,
        y=[_drawn(number) for number in sums],
        mode="markers",
        marker={
            "symbol": "diamond",
            "size": 10,
            "color": palette.text,
            "line": {"color": palette.surface, "width": 1.5},
        },
        offsetgroup="kept",
        customdata=[_said(number) for number in sums],
        hovertemplate="%{x} = %{customdata}<extra>.grad</extra>",
    )
    numbers = go.Scatter(
        x=bars.labels,
        y=tops,
        mode="text",
        # The second line lifts the first above the diamond.
        text=[f"{_said(number)}<br> " for number in sums],
        textposition="top center",
        textfont={"color": palette.text},
        offsetgroup="kept",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    return [diamonds, numbers] if len(sums) <= MOST_BARS // 2 else [diamonds]


def _headroom(bars: _Bars) -> float:
    """How high the axis reaches, so that the numbers stay below the title."""
    top = max(bars.tops(), default=0)
    low = min((number for number in map(_drawn, bars.sums()) if number is not None), default=0)
    return top + NUMBER_PART * (top - min(low, 0))


def _drawn(number: float | None) -> float | None:
    """nan and inf are said, and have no height."""
    return number if number is not None and math.isfinite(number) else None


def _said(number: float | None) -> str:
    return "" if number is None else number_text(number)

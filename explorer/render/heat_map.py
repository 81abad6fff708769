"""A tensor as a heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.i18n import Language, text
from explorer.model import TensorValue, to_float
from explorer.model.text import cells, shape_text
from explorer.render.chart_style import add_notes, apply_style, index_of
from explorer.render.palette import PALETTES, Theme

MOST_ROWS = MOST_COLUMNS = 128
"""A heat map with more cells than 128×128 makes a browser stutter."""
MOST_WRITTEN_CELLS = 64
"""Up to so many cells, each number is written into its cell."""
ROW_PIXELS, LEAST_PIXELS, MOST_PIXELS = 34, 150, 460
BESIDES_PIXELS = 90
"""Height of what is not cells: title, axis, note."""


def heat_map(value: TensorValue, title: str, theme: Theme, language: Language) -> go.Figure:
    """A tensor as coloured cells, blue below zero and orange above; hovering tells index and value.

    Vectors are one row; more than two dimensions are folded into rows. At most 128×128 cells are drawn, and a note says
    what is missing.
    """
    rows, columns = _folded(value.shape)
    drawn_rows, drawn_columns = min(rows, MOST_ROWS), min(columns, MOST_COLUMNS)
    grid = _Grid.of(value, drawn_rows, drawn_columns, columns)
    palette = PALETTES[theme]
    finite = [abs(z) for row in grid.numbers for z in row if z is not None]
    reach = max(finite, default=0.0) or 1.0
    look: dict[str, Any] = {
        "text": grid.texts,
        "customdata": grid.indices,
        "hovertemplate": "%{customdata} = %{text}<extra></extra>",
        "texttemplate": "%{text}" if drawn_rows * drawn_columns <= MOST_WRITTEN_CELLS else None,
        "xgap": 1,
        "ygap": 1,
    }
    scale = [[0, palette.negative], [0.5, palette.zero], [1, palette.positive]]
    figure = go.Figure(
        go.Heatmap(
            z=grid.numbers,
            colorscale=scale,
            zmin=-reach,
            zmax=reach,
            hoverongaps=True,
            colorbar={"thickness": 10},
            showscale=bool(finite),
            **look,
        )
    )
    if any(0 in row for row in grid.not_finite):
        figure.add_heatmap(
            z=grid.not_finite,
            colorscale=[[0, palette.muted], [1, palette.muted]],
            showscale=False,
            hoverongaps=False,
            **look,
        )
    apply_style(figure, title, theme, min(max(LEAST_PIXELS, drawn_rows * ROW_PIXELS + BESIDES_PIXELS), MOST_PIXELS))
    figure.update_xaxes(showgrid=False, zeroline=False, **_whole_ticks(drawn_columns))
    figure.update_yaxes(showgrid=False, zeroline=False, autorange="reversed", **_whole_ticks(drawn_rows))
    add_notes(figure, _heat_map_notes(value, language, rows, columns), theme)
    return figure


class _Grid:
    """Cells of a heat map: number, text and index of each; None and "" where the recording holds no value.

    nan and inf have no place on a scale: `not_finite` is 0 where they stand and None elsewhere.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.numbers: list[list[float | None]] = [[None] * columns for _ in range(rows)]
        self.not_finite: list[list[int | None]] = [[None] * columns for _ in range(rows)]
        self.texts = [[""] * columns for _ in range(rows)]
        self.indices = [[""] * columns for _ in range(rows)]

    @classmethod
    def of(cls, value: TensorValue, drawn_rows: int, drawn_columns: int, columns: int) -> _Grid:
        grid = cls(drawn_rows, drawn_columns)
        held = range(len(value.values)) if value.indices is None else value.indices
        for flat, number, said in zip(held, map(to_float, value.values), cells(value), strict=True):
            row, column = divmod(flat, columns)
            if row < drawn_rows and column < drawn_columns:
                if math.isfinite(number):
                    grid.numbers[row][column] = number
                else:
                    grid.not_finite[row][column] = 0
                grid.texts[row][column] = said
                grid.indices[row][column] = str(list(index_of(flat, value.shape)))
        return grid


def _folded(shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of the heat map: all dimensions but the last make up the rows."""
    return (math.prod(shape[:-1]), shape[-1]) if shape else (1, 1)


def _heat_map_notes(value: TensorValue, language: Language, rows: int, columns: int) -> list[str]:
    notes = []
    if value.numel == 0:
        notes.append(text("render.chart.empty", language))
    if len(value.shape) > 2:
        notes.append(text("render.chart.folded", language, shape=shape_text(value.shape), rows=rows, columns=columns))
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        drawn = {"drawn_rows": min(rows, MOST_ROWS), "drawn_columns": min(columns, MOST_COLUMNS)}
        notes.append(text("render.chart.cropped", language, rows=rows, columns=columns, **drawn))
    if not value.complete:
        notes.append(text("render.chart.sample", language, held=len(value.values), total=value.numel))
    return notes


def _whole_ticks(count: int) -> dict[str, Any]:
    return {"dtick": 1} if count <= 16 else {"nticks": 10, "tickformat": "d"}

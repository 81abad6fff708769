"""The Jacobian lab's picture: the matrix as a heat map, v beside and u above it, and what comes of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.labs.jacobian import Jacobian
from explorer.labs.reading import Array
from explorer.model.text import number_text
from explorer.render.chart_style import apply_style
from explorer.render.palette import PALETTES, Theme

CELL_PIXELS, BESIDES_PIXELS = 54, 96


def jacobian_figure(jacobian: Jacobian, theme: Theme) -> go.Figure:
    """The matrix in the middle; v left of it and vᵀJ below, u above it and Ju at its right.

    Blue below zero and orange above, with one scale for all: what is small beside the rest is pale.
    """
    rows, columns = jacobian.matrix.shape
    figure = make_subplots(
        rows=3,
        cols=3,
        row_heights=[1, rows, 1],
        column_widths=[1, columns, 1],
        vertical_spacing=0.09,
        horizontal_spacing=0.09,
        specs=[[None, {}, None], [{}, {}, {}], [None, {}, None]],
    )
    names_x, names_y = ([f"{name}[{k}]" for k in range(count)] for name, count in (("x", columns), ("y", rows)))
    parts = (
        (jacobian.u[None, :], 1, 2, "u"),
        (jacobian.v[:, None], 2, 1, "v"),
        (jacobian.matrix, 2, 2, "J"),
        (jacobian.forward[:, None], 2, 3, "J·u"),
        (jacobian.backward[None, :], 3, 2, "vᵀ·J"),
    )
    reach = max((float(np.abs(part[np.isfinite(part)]).max(initial=0.0)) for part, *_ in parts), default=0.0) or 1.0
    for numbers, row, column, name in parts:
        figure.add_trace(_cells(numbers, name, reach, theme), row=row, col=column)
    apply_style(figure, "", theme, (rows + 2) * CELL_PIXELS + BESIDES_PIXELS)
    figure.update_layout(margin={"t": 28, "b": 8, "l": 8, "r": 8}, showlegend=False, dragmode=False)
    figure.update_xaxes(showgrid=False, zeroline=False, showticklabels=False, fixedrange=True)
    figure.update_yaxes(showgrid=False, zeroline=False, showticklabels=False, fixedrange=True, autorange="reversed")
    figure.update_xaxes(tickvals=list(range(columns)), ticktext=names_x, showticklabels=True, side="top", row=1, col=2)
    figure.update_yaxes(tickvals=list(range(rows)), ticktext=names_y, showticklabels=True, row=2, col=2)
    figure.update_layout(annotations=[_title(figure, k, part[3], theme) for k, part in enumerate(parts)])
    return figure


def _cells(numbers: Array, name: str, reach: float, theme: Theme) -> dict[str, Any]:
    palette = PALETTES[theme]
    return {
        "type": "heatmap",
        "name": name,
        "z": np.where(np.isfinite(numbers), numbers, np.nan),
        "text": [[number_text(float(number) + 0.0) for number in row] for row in numbers],
        "texttemplate": "%{text}",
        "hoverongaps": True,
        "hovertemplate": name + " [%{y}, %{x}] = %{text}<extra></extra>",
        "colorscale": [[0, palette.negative], [0.5, palette.zero], [1, palette.positive]],
        "zmin": -reach,
        "zmax": reach,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
    }


def _title(figure: go.Figure, index: int, name: str, theme: Theme) -> dict[str, Any]:
    """A part's name: beside a row, above a column or the matrix."""
    palette = PALETTES[theme]
    trace = figure.data[index]
    axes = [trace[axis].replace(axis[0], f"{axis[0]}axis") for axis in ("xaxis", "yaxis")]
    across, up = (figure.layout[axis].domain for axis in axes)
    colors = {"v": palette.running, "vᵀ·J": palette.running, "u": palette.done, "J·u": palette.done}
    beside = {"x": across[0], "y": sum(up) / 2, "xanchor": "right", "yanchor": "middle", "xshift": -8}
    above = {"x": sum(across) / 2, "y": up[1], "xanchor": "center", "yanchor": "bottom", "yshift": 2}
    return {
        "text": f"<b>{name}</b>",
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "font": {"size": 14, "color": colors.get(name, palette.text)},
        **(beside if name in ("u", "vᵀ·J") else above),
    }

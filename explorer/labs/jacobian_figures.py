"""The Jacobian lab's picture: the matrix as a heat map, v beside and u above it, and what comes of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.labs.drawing import axis, drawing
from explorer.labs.jacobian import Jacobian
from explorer.labs.reading import Array
from explorer.model.text import number_text
from explorer.render.chart_style import luminance, rgb
from explorer.render.palette import PALETTES, Theme

CELL_PIXELS, BESIDES_PIXELS = 54, 96
GAP = 0.09
"""Between the parts, as a share of the whole."""
EVEN_LUMINANCE = 0.179
"""On which black and white are read equally well, by the contrast of WCAG."""


def jacobian_figure(jacobian: Jacobian, theme: Theme) -> go.Figure:
    """The matrix in the middle; v left of it and vᵀJ below, u above it and Ju at its right.

    Blue below zero and orange above, with one scale for all: what is small beside the rest is pale.
    """
    rows, columns = jacobian.matrix.shape
    parts = {
        "u": (jacobian.u[None, :], "x", "y"),
        "v": (jacobian.v[:, None], "x2", "y2"),
        "J": (jacobian.matrix, "x", "y2"),
        "J·u": (jacobian.forward[:, None], "x3", "y2"),
        "vᵀ·J": (jacobian.backward[None, :], "x", "y3"),
    }
    finite = np.concatenate([part[np.isfinite(part)] for part, *_ in parts.values()])
    reach = float(np.abs(finite).max(initial=0.0)) or 1.0
    across = dict(zip(("x2", "x", "x3"), _domains((1, columns, 1)), strict=True))
    up = dict(zip(("y3", "y2", "y"), _domains((1, rows, 1)), strict=True))
    bare: dict[str, Any] = {"showgrid": False, "zeroline": False, "showticklabels": False}
    layout: dict[str, Any] = {
        f"{name[0]}axis{name[1:]}": axis(
            theme, **bare, domain=domain, **({"autorange": "reversed"} if name in up else {})
        )
        for name, domain in (across | up).items()
    }
    layout["xaxis"] |= {**_ticks("x", columns), "side": "top", "anchor": "y"}
    layout["yaxis2"] |= {**_ticks("y", rows), "anchor": "x"}
    return drawing(
        [
            {**trace, "xaxis": x, "yaxis": y}
            for name, (part, x, y) in parts.items()
            for trace in (_cells(part, name, reach, theme), _numbers(part, name, reach, theme))
        ],
        theme,
        (rows + 2) * CELL_PIXELS + BESIDES_PIXELS,
        margin={"t": 28, "b": 8, "l": 8, "r": 8},
        annotations=[_title(name, across[x], up[y], theme) for name, (_, x, y) in parts.items()],
        **layout,
    )


def _domains(sizes: tuple[int, int, int]) -> list[tuple[float, float]]:
    """Where parts of these sizes lie along an axis from 0 to 1, with gaps between them."""
    unit = (1 - 2 * GAP) / sum(sizes)
    first, second = sizes[0] * unit, (sizes[0] + sizes[1]) * unit
    return [(0, first), (first + GAP, second + GAP), (second + 2 * GAP, 1)]


def _ticks(name: str, count: int) -> dict[str, Any]:
    names = [f"{name}[{k}]" for k in range(count)]
    return {"tickvals": list(range(count)), "ticktext": names, "showticklabels": True}


def _cells(numbers: Array, name: str, reach: float, theme: Theme) -> dict[str, Any]:
    palette = PALETTES[theme]
    return {
        "type": "heatmap",
        "name": name,
        "z": np.where(np.isfinite(numbers), numbers, np.nan),
        "text": [[_said(number) for number in row] for row in numbers],
        "hoverongaps": True,
        "hovertemplate": name + " [%{y}, %{x}] = %{text}<extra></extra>",
        "colorscale": [[0, palette.negative], [0.5, palette.zero], [1, palette.positive]],
        "zmin": -reach,
        "zmax": reach,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
    }


def _said(number: float) -> str:
    return number_text(float(number) + 0.0)  # no -0.


def _numbers(numbers: Array, name: str, reach: float, theme: Theme) -> dict[str, Any]:
    """What stands in the cells, each number in the ink that its cell's colour needs; plotly's own is too pale."""
    rows, columns = np.indices(numbers.shape)
    return {
        "type": "scatter",
        "name": f"{name}, in numbers",
        "mode": "text",
        "x": columns.ravel(),
        "y": rows.ravel(),
        "text": [_said(number) for number in numbers.ravel()],
        "textfont": {"color": [_ink(float(number) / reach, theme) for number in numbers.ravel()]},
        "hoverinfo": "skip",
    }


def _ink(share: float, theme: Theme) -> str:
    """Black or white, whatever can be read on the colour of a cell.

    Args:
        share: Where the cell's number lies between -1 and 1; a cell without a finite one has the page's colour.
        theme: The page's.
    """
    palette = PALETTES[theme]
    if not np.isfinite(share):
        return palette.text
    end = palette.positive if share > 0 else palette.negative
    color = [
        (1 - abs(share)) * one + abs(share) * other for one, other in zip(rgb(palette.zero), rgb(end), strict=True)
    ]
    return "#000000" if luminance(color) > EVEN_LUMINANCE else "#ffffff"


def _title(name: str, across: tuple[float, float], up: tuple[float, float], theme: Theme) -> dict[str, Any]:
    """A part's name: beside a row, above a column or the matrix."""
    palette = PALETTES[theme]
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

"""A map with contour lines as a picture: plotly.js loses contour traces while frames play, but never an image."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.labs.gradient import Map
from explorer.labs.map_style import LEVELS, height_scale, shown_range
from explorer.labs.reading import Array
from explorer.render.chart_style import rgb
from explorer.render.palette import PALETTES, Theme

ENLARGED = 6
"""Pixels of the picture for each step of the map."""


def map_image(drawn: Map, theme: Theme) -> dict[str, Any]:
    """The map below everything else, as an entry of `layout.images`."""
    reach = float(drawn.side[-1])
    source = base64.b64encode(png(pixels(drawn.height, theme))).decode()
    return {
        "source": f"data:image/png;base64,{source}",
        "xref": "x",
        "yref": "y",
        "x": -reach,
        "y": reach,
        "sizex": 2 * reach,
        "sizey": 2 * reach,
        "sizing": "stretch",
        "layer": "below",
    }


def pixels(heights: Array, theme: Theme) -> NDArray[np.uint8]:
    """Red, green, blue and opacity, (rows, columns, 4), the highest y first; nothing where f is not finite."""
    low, high = shown_range(heights)
    fine = _enlarged(np.clip(heights, low, high))[::-1]  # nan stays nan
    is_there = np.isfinite(fine)
    band = np.where(is_there, np.minimum(np.floor((fine - low) / (high - low) * LEVELS), LEVELS - 1), -1)
    line = np.zeros(fine.shape, dtype=bool)
    line[:, 1:] |= band[:, 1:] != band[:, :-1]
    line[1:, :] |= band[1:, :] != band[:-1, :]
    (_, first), (_, last) = height_scale(theme)
    share = np.clip(band / (LEVELS - 1), 0, 1)[..., None]
    colors = (1 - share) * np.array(rgb(first)) + share * np.array(rgb(last))
    colors[line] = 0.82 * colors[line] + 0.18 * np.array(rgb(PALETTES[theme].muted))
    return np.concatenate([colors, 255.0 * is_there[..., None]], axis=2).astype(np.uint8)


def png(rgba: NDArray[np.uint8]) -> bytes:
    """A picture in the PNG format, https://www.w3.org/TR/png-3/: signature, header, compressed rows, end."""
    rows, columns, _ = rgba.shape
    scanlines = b"".join(b"\0" + row.tobytes() for row in rgba)  # 0: the row is not filtered
    header = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)  # 8 bits each of red, green, blue, opacity
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(scanlines, 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def _enlarged(heights: Array) -> Array:
    """The heights between the points, too, linearly along both directions."""
    count = len(heights)
    place = np.linspace(0, count - 1, (count - 1) * ENLARGED + 1)
    before = np.minimum(place.astype(int), count - 2)
    share = place - before
    along = heights[:, before] * (1 - share) + heights[:, before + 1] * share
    enlarged: Array = along[before] * (1 - share)[:, None] + along[before + 1] * share[:, None]
    return enlarged

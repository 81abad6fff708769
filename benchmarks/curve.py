"""A small chart with logarithmic axes, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN = 640, 400, 56
COLOURS = ("#6b7280", "#2563eb", "#d97706")


class Curve(NamedTuple):
    """Points and what they are."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(title: str, curves: Sequence[Curve]) -> str:
    """The curves over a common axis; a straight line that rises by a decade for each decade is proportional growth."""
    xs = [x for curve in curves for x, _ in curve.points]
    ys = [max(y, 1e-3) for curve in curves for _, y in curve.points]
    left, right = _decades(xs)
    low, high = _decades(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - left) / (right - left)
        up = (math.log10(max(y, 1e-3)) - low) / (high - low)
        return MARGIN + across * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)

    parts = [_line(place(10**x, 10**low), place(10**x, 10**high)) for x in range(left, right + 1)]
    parts += [_line(place(10**left, 10**y), place(10**right, 10**y)) for y in range(low, high + 1)]
    parts += [_text(*place(10**x, 10**low), f"{10**x:,}", 18) for x in range(left, right + 1)]
    parts += [_text(MARGIN - 26, place(10**left, 10**y)[1], f"{10.0**y:g}", 4) for y in range(low, high + 1)]
    for number, (curve, colour) in enumerate(zip(curves, COLOURS, strict=False)):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in curve.points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(_text(MARGIN + 90, MARGIN + 18 * (number + 1), curve.name, 0, colour))
    parts.append(_text(WIDTH / 2, HEIGHT - 14, title, 0))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="13">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e5e7eb"/>'


def _text(x: float, y: float, words: str, below: float, colour: str = "#374151") -> str:
    return f'<text x="{x:.1f}" y="{y + below:.1f}" text-anchor="middle" fill="{colour}">{escape(words)}</text>'

"""Reads a laid-out SVG the way a browser does."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Group:
    """One `<g>`: its classes, its lines of text, and its outline's width in points (0 for edges)."""

    classes: frozenset[str]
    texts: tuple[str, ...]
    width: float


def groups(svg: str) -> dict[str, Group]:
    """The groups with an id, by id; fails if an id occurs twice."""
    root = ElementTree.fromstring(svg)
    found: dict[str, Group] = {}
    for element in root.iter(f"{SVG}g"):
        assert element.get("id") not in found
        found[element.get("id", "")] = Group(
            classes=frozenset(element.get("class", "").split()),
            texts=tuple((text.text or "").replace("\xa0", " ") for text in element.iter(f"{SVG}text")),
            width=_width(element),
        )
    return found


def _width(element: ElementTree.Element) -> float:
    polygon = element.find(f"{SVG}polygon")
    path = element.find(f"{SVG}path")
    points = polygon.get("points", "") if polygon is not None else path.get("d", "") if path is not None else ""
    numbers = [float(x) for x in points.replace("M", " ").replace("C", " ").replace(",", " ").split()]
    return max(numbers[::2], default=0) - min(numbers[::2], default=0)

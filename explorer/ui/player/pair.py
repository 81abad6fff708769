"""Two recordings side by side, in step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from explorer.render.comparison import Comparison, LineMarks, Marks
from explorer.ui.modules import sent
from explorer.ui.player.assets import pair_module_text, pair_style_text
from explorer.ui.player.playback import Playback, drawn_in
from explorer.ui.player.run import mount_run

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

Sides = tuple[Playback, Playback]


def pair_data(
    sides: Sides,
    comparison: Comparison,
    lines: tuple[LineMarks, LineMarks],
    *,
    culprits: Sequence[str] = (),
    titles: tuple[str, str],
    signs: tuple[str, str],
    initial_moment: int,
    is_followed: bool = False,
    address: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Puts together what the pair's module reads.

    Args:
        sides: What each player plays.
        comparison: Which steps belong together, and what differs.
        lines: Marks on the lines of the two programs.
        culprits: Parts of the left graph that did it; they are marked as such above all.
        titles: Over the players.
        signs: Before the titles: one character each.
        initial_moment: Where both start.
        is_followed: Whether Python is told where the pair comes to rest.
        address: Parameters that the address bar shall have beside the left step; None where it stays as it is.
    """
    left: Marks = {**comparison.left, **dict.fromkeys(culprits, "culprit")}
    marked = zip(sides, (left, comparison.right), lines, strict=True)
    moments = comparison.moments
    return {
        "id": pair_id(*(side.picture["id"] for side in sides)),
        "sides": [
            {
                **side.picture,
                "marks": _drawn(marks, side.picture["svg"]),
                "line_marks": {str(line): mark for line, mark in line_marks.items()},
            }
            for side, marks, line_marks in marked
        ],
        "moments": moments,
        "titles": titles,
        "signs": signs,
        "address": address,
        "initial_moment": max(0, min(initial_moment, len(moments) - 1)),
        "is_followed": is_followed,
    }


def _drawn(marks: Marks, svg: str) -> Marks:
    drawn = drawn_in(svg)
    return {id_: mark for id_, mark in marks.items() if id_ in drawn}


def pair_id(left_id: str, right_id: str) -> str:
    """Which two runs it is about."""
    return f"{left_id}-{right_id}"


def moment_of(comparison: Comparison, left_step: int) -> int:
    """The first moment at which the left side has come to a step."""
    return next(i for i, (left, _) in enumerate(comparison.moments) if left >= left_step)


def pair(sides: Sides, data: dict[str, Any], *, key: str) -> None:
    """Mounts two players in step. Stepping causes no rerun, unless it is followed.

    Args:
        sides: What each player plays.
        data: From `pair_data()`.
        key: Streamlit's.
    """
    for name, side in zip(("left", "right"), sides, strict=True):
        mount_run(side, key=f"{key}-{name}")
    _component()(key=key, data=sent(data), on_at_change=_note)


def pair_moment(told: Mapping[str, Any], id_: str, comparison: Comparison) -> int | None:
    """Where the pair came to rest; None if it has not said so of these runs.

    Args:
        told: What Streamlit keeps under the pair's key; empty before there is one.
        id_: Of the runs.
        comparison: Which steps belong together.
    """
    at = told.get("at")
    moment = at.get("moment") if isinstance(at, dict) and at.get("id") == id_ else None
    return moment if isinstance(moment, int) and 0 <= moment < len(comparison.moments) else None


def _note() -> None:
    """Streamlit keeps a component's state only where somebody listens."""


@cache
def _component() -> ComponentRenderer:
    import streamlit as st

    html = '<div class="autograd-pair"></div>'
    return st.components.v2.component("autograd_pair", html=html, css=pair_style_text(), js=pair_module_text())

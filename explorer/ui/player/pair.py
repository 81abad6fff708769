"""Two recordings side by side, in step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from explorer.render.comparison import Comparison, LineMarks, Marks
from explorer.ui.modules import sent
from explorer.ui.player.assets import pair_module_text, pair_style_text
from explorer.ui.player.playback import Playback

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
    address: dict[str, str | None] | None = None,
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
        address: Parameters that the address bar shall have, or no longer have where they are None.
    """
    left: Marks = {**comparison.left, **dict.fromkeys(culprits, "culprit")}
    marked = zip(sides, (left, comparison.right), lines, strict=True)
    moments = comparison.moments
    return {
        "id": "-".join(side["id"] for side in sides),
        "sides": [
            {**side, "marks": marks, "line_marks": {str(line): mark for line, mark in line_marks.items()}}
            for side, marks, line_marks in marked
        ],
        "moments": [list(moment) for moment in moments],
        "first_backward": _first_backward(sides, moments),
        "start_sentence": "",
        "words": sides[0]["words"],
        "titles": list(titles),
        "signs": list(signs),
        "address": address or {},
        "initial_moment": max(0, min(initial_moment, len(moments) - 1)),
    }


def moment_of(comparison: Comparison, left_step: int) -> int:
    """The first moment at which the left side has come to a step."""
    return next(i for i, (left, _) in enumerate(comparison.moments) if left >= left_step)


def pair(data: dict[str, Any], *, key: str) -> None:
    """Mounts two players in step. Stepping causes no rerun.

    Args:
        data: From `pair_data()`.
        key: Streamlit's.
    """
    _component()(key=key, data=sent(data))


def _first_backward(sides: Sides, moments: Sequence[tuple[int, int]]) -> int | None:
    starts = [side["first_backward"] or 0 for side in sides]
    reached = (i for i, moment in enumerate(moments) if any(0 < s <= m for s, m in zip(starts, moment, strict=True)))
    return next(reached, None)


@cache
def _component() -> ComponentRenderer:
    import streamlit as st

    html = '<div class="autograd-pair"></div>'
    return st.components.v2.component("autograd_pair", html=html, css=pair_style_text(), js=pair_module_text())

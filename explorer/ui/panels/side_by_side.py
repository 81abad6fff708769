"""Two versions of a program side by side: both run, in step, with what differs marked in text and graph."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.errors import ExplorerError
from explorer.model import Recording
from explorer.render.comparison import Comparison, compare, line_marks, parts_on_lines
from explorer.render.options import GraphOptions
from explorer.render.part import MOST_NODES, part_at
from explorer.ui.panels.drawn_part import part_notice
from explorer.ui.panels.stage import opening_step, playback_of
from explorer.ui.player import Playback
from explorer.ui.player.pair import moment_of, pair, pair_data
from explorer.ui.words import said


def side_by_side(
    left: Recording,
    right: Recording,
    *,
    titles: tuple[str, str],
    signs: tuple[str, str],
    key: str,
    culprit_lines: Sequence[int] = (),
    address: dict[str, str | None] | None = None,
) -> Comparison | None:
    """Draws both players.

    Args:
        left, right: The recordings.
        titles: Over the players.
        signs: One character before each title.
        key: Streamlit's.
        culprit_lines: Lines of the left program that are to blame.
        address: As of `pair_data`.

    Returns:
        How the two compare; None where one of the graphs could not be drawn.
    """
    compared = compare(left, right)
    removed, added = line_marks(left.source or "", right.source or "")
    moment = moment_of(compared, opening_step(left))
    try:
        sides = tuple(_played(one, step) for one, step in zip((left, right), compared.moments[moment], strict=True))
    except ExplorerError as error:
        st.warning(said(error), icon=":material/error:")
        return None
    data = pair_data(
        (sides[0], sides[1]),
        compared,
        (removed | dict.fromkeys(culprit_lines, "culprit"), added),
        culprits=parts_on_lines(left, culprit_lines) if culprit_lines else (),
        titles=titles,
        signs=signs,
        initial_moment=moment,
        address=address,
    )
    pair(data, key=key)
    return compared


def _played(recording: Recording, step: int) -> Playback:
    """One side. A pair steps without Python, so that its pictures stay: they show as much as they can."""
    part = part_at(recording, step, "all" if len(recording.nodes) <= MOST_NODES else "round")
    options = GraphOptions(only=part.only, among=part.among)
    return playback_of(recording, options, step, part_notice(recording, part))

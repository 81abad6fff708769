"""Two versions of a program side by side: both run, in step, with what differs marked in text and graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from explorer.errors import ExplorerError
from explorer.model import Recording
from explorer.render.comparison import Comparison, compare, line_marks, parts_on_lines
from explorer.render.options import GraphOptions
from explorer.render.part import Part, Scope, part_at, suggested_scope
from explorer.ui.keys import Key
from explorer.ui.panels.drawn_part import followed, part_notice
from explorer.ui.panels.stage import closing_step, prepared_playback
from explorer.ui.player import Playback, run_id
from explorer.ui.player.pair import moment_of, pair, pair_data, pair_id, pair_moment
from explorer.ui.words import said

SIDES = (Key.PREPARED_LEFT, Key.PREPARED_RIGHT)


class Compared(NamedTuple):
    """Two runs, how they compare, and what was last drawn of each; None before anything was."""

    left: Recording
    right: Recording
    comparison: Comparison
    parts: tuple[Part, Part] | None


@st.fragment
def side_by_side(
    left: Recording,
    right: Recording,
    *,
    titles: tuple[str, str],
    signs: tuple[str, str],
    key: str,
    culprit_lines: Sequence[int] = (),
    start: int | None = None,
    address: dict[str, str] | None = None,
) -> None:
    """Draws both players.

    Args:
        left, right: The recordings.
        titles: Over the players.
        signs: One character before each title.
        key: Streamlit's.
        culprit_lines: Lines of the left program that are to blame.
        start: The left step at which both open; None for where a recording of its own would.
        address: As of `pair_data`; with one, Python is told where the pair comes to rest.
    """
    compared = _compared(left, right)
    comparison = compared.comparison
    opening = moment_of(comparison, closing_step(left) if start is None else min(start, len(left.events)))
    told = pair_moment(st.session_state.get(key, {}), pair_id(run_id(left), run_id(right)), comparison)
    moment = opening if told is None else told
    if address is not None:
        st.session_state[Key.STEP] = comparison.moments[moment][0]
    parts = _parts(compared, comparison.moments[moment])
    st.session_state[Key.COMPARED] = compared._replace(parts=parts)
    removed, added = line_marks(left.source or "", right.source or "")
    try:
        one, other = map(_played, SIDES, (left, right), comparison.moments[opening], parts)
    except ExplorerError as error:
        st.warning(said(error), icon=":material/error:")
        return
    data = pair_data(
        (one, other),
        comparison,
        (removed | dict.fromkeys(culprit_lines, "culprit"), added),
        culprits=parts_on_lines(left, culprit_lines) if culprit_lines else (),
        titles=titles,
        signs=signs,
        initial_moment=opening,
        is_followed=address is not None or any(part.only is not None for part in parts),
        address=address,
    )
    pair((one, other), data, key=key)


def _compared(left: Recording, right: Recording) -> Compared:
    """What was found out about the two before, if they are the same."""
    before: Compared | None = st.session_state.get(Key.COMPARED)
    if before is not None and before.left is left and before.right is right:
        return before
    return Compared(left, right, compare(left, right), None)


def _parts(compared: Compared, steps: tuple[int, int]) -> tuple[Part, Part]:
    """What to draw: of both sides all, or of both what one round needs."""
    runs = compared.left, compared.right
    scope: Scope = "round" if "round" in map(suggested_scope, runs) else "all"
    if compared.parts is None:
        left, right = (part_at(run, step, scope) for run, step in zip(runs, steps, strict=True))
    else:
        left, right = (followed(*each, scope) for each in zip(runs, steps, compared.parts, strict=True))
    return left, right


def _played(side: Key, recording: Recording, start: int, part: Part) -> Playback:
    options = GraphOptions(only=part.only, among=part.among)
    return prepared_playback(side, recording, options, start, part_notice(recording, part))

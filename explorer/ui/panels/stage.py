"""The stage: player and inspector. A fragment, so that a step in the browser reruns nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from explorer.errors import ExplorerError
from explorer.model import Accumulated, Event, Recording
from explorer.render.options import GraphOptions
from explorer.render.part import current_node, suggested_scope
from explorer.ui.keys import Key
from explorer.ui.panels.drawn_part import drawn_part, part_notice
from explorer.ui.panels.inspector import inspector
from explorer.ui.player import PlayerState, playback, player, player_state
from explorer.ui.player.playback import Playback, target_of
from explorer.ui.runs import svg_of
from explorer.ui.words import language, said, say

PANEL_PIXELS = 330
INSPECTOR_PIXELS = 560
"""At the least: it is as tall as the player beside it."""


class Prepared(NamedTuple):
    """What the player was last given, and what it was made from."""

    recording: Recording
    made_from: tuple[object, ...]
    playback: Playback


@st.fragment
def stage(recording: Recording) -> None:
    """Draws player and inspector for a recording."""
    start = _start(recording)
    at = player_state(st.session_state.get(Key.PLAYER, {}), recording, start)
    st.session_state[Key.STEP] = at.step
    left, right = st.columns([2.5, 1], gap="medium")
    with left:
        is_drawn = _play(recording, at, start)
    with right:
        if is_painted():
            inspector(recording, at.step, selection(recording, at), height=INSPECTOR_PIXELS)
        else:
            st.container(height=INSPECTOR_PIXELS, key="inspector").caption(say("inspector.loading"))
    if (at.painted or not is_drawn) and not is_painted():
        st.session_state[Key.PAINTED] = True
        st.rerun()


def is_painted() -> bool:
    """Whether this session has seen a graph. Charts wait for it: their code would hold the browser for seconds."""
    return bool(st.session_state.get(Key.PAINTED))


def selection(recording: Recording, at: PlayerState) -> str | None:
    """What the inspector is about: what was clicked, else what the current event is about."""
    if at.selected is not None or at.step == 0:
        return at.selected
    return target_of(recording, recording.events[at.step - 1]) or current_node(recording, at.step)


def opening_step(recording: Recording) -> int:
    """Where a recording opens: rounds that are drawn one by one at the end of the first, else as `closing_step`."""
    is_part = recording.error is None and suggested_scope(recording) == "round"
    arrivals = _arrivals(recording.events[: recording.rounds[1].first]) if is_part else ()
    return arrivals[-1] if arrivals else closing_step(recording)


def closing_step(recording: Recording) -> int:
    """Where a recording fails, else where the last gradient has just arrived, else its end."""
    arrivals = _arrivals(recording.events)
    return arrivals[-1] if arrivals and recording.error is None else len(recording.events)


def _arrivals(events: Sequence[Event]) -> list[int]:
    return [step for step, event in enumerate(events, 1) if isinstance(event, Accumulated)]


def _play(recording: Recording, at: PlayerState, start: int) -> bool:
    """Draws the player; False where the graph could not be laid out."""
    try:
        played = _playback(recording, at, start)
    except ExplorerError as error:
        st.warning(said(error), icon=":material/error:")
        return False
    player(played, key=Key.PLAYER, height=PANEL_PIXELS)
    return True


def _start(recording: Recording) -> int:
    """Where the player opens: after an edit of the text that leaves all events of their kinds, where it was."""
    edited_at: int | None = st.session_state.pop(Key.EDITED_AT, None)
    last: Prepared | None = st.session_state.get(Key.PREPARED)
    if edited_at is not None and last is not None and _kinds(last.recording) == _kinds(recording):
        st.session_state[Key.START] = edited_at
    asked: int | None = st.session_state.get(Key.START)
    return opening_step(recording) if asked is None else min(asked, len(recording.events))


def _kinds(recording: Recording) -> list[type[Event]]:
    return [type(event) for event in recording.events]


def _playback(recording: Recording, at: PlayerState, start: int) -> Playback:
    part = drawn_part(recording, at)
    options = GraphOptions(
        arrows=st.session_state.get(Key.ARROWS) or "gradient",
        show_saved=st.session_state.get(Key.SHOW_SAVED, True),
        show_values=st.session_state.get(Key.SHOW_VALUES, True),
        show_shapes=st.session_state.get(Key.SHOW_SHAPES, True),
        only=part.only,
        among=part.among,
    )
    return prepared_playback(Key.PREPARED, recording, options, start, part_notice(recording, part))


def prepared_playback(
    key: Key, recording: Recording, options: GraphOptions, start: int, notice: str | None
) -> Playback:
    """What a player needs to play a recording, made anew only where something it is made from has changed.

    Args:
        key: Where this session keeps it.
        recording: What happened.
        options: How the graph is drawn.
        start: The step at which the player opens.
        notice: A sentence above the graph.

    Raises:
        ExplorerError: The graph could not be laid out.
    """
    made_from = (options, language(), start)
    last: Prepared | None = st.session_state.get(key)
    if last is None or last.recording is not recording or last.made_from != made_from:
        svg = svg_of(recording, options)
        made = playback(recording, svg, language(), options=options, initial_step=start, notice=notice)
        last = st.session_state[key] = Prepared(recording, made_from, made)
    return last.playback

"""Which part of the graph the stage draws, and when it gives way to another."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from explorer.model import Recording
from explorer.render.part import Part, Scope, current_node, part_around, part_at, suggested_scope
from explorer.ui.keys import Key
from explorer.ui.panels.subject import node_behind
from explorer.ui.player import PlayerState
from explorer.ui.words import say


class Drawn(NamedTuple):
    """What is drawn at the moment."""

    recording: Recording
    scope: Scope
    part: Part


def scope_of(recording: Recording) -> Scope:
    """Whether all is drawn or what one round needs: as chosen, else as suits the program."""
    chosen: Scope | None = st.session_state.get(Key.SCOPE_CHOSEN)
    return chosen or suggested_scope(recording)


def drawn_part(recording: Recording, start: int) -> Part:
    """What to draw: what was drawn before, as long as it is of this recording and of the scope chosen.

    Args:
        recording: What happened.
        start: The step at which it opens.
    """
    before: Drawn | None = st.session_state.get(Key.DRAWN)
    scope = scope_of(recording)
    if before is not None and before.recording is recording:
        if before.scope == scope:
            return before.part
        start = st.session_state.get(Key.STEP, start)
    part = part_at(recording, start, scope)
    st.session_state[Key.DRAWN] = Drawn(recording, scope, part)
    return part


def follow(recording: Recording, at: PlayerState) -> None:
    """Draws another part once the player has left the one that is drawn, or seeks a leaf beyond."""
    before: PlayerState | None = st.session_state.get(Key.FOLLOWED)
    st.session_state[Key.FOLLOWED] = at
    drawn: Drawn | None = st.session_state.get(Key.DRAWN)
    if drawn is None or drawn.part.only is None:
        return
    if before is not None and at.selected != before.selected and (sought := node_behind(recording, at.selected)):
        part = drawn.part if sought in drawn.part.only else part_around(recording, sought)
    elif before is None or at.step != before.step:
        part = _followed(recording, at.step, drawn)
    else:
        return
    if part != drawn.part:
        st.session_state[Key.DRAWN] = drawn._replace(part=part)
        st.rerun(scope="fragment")


def _followed(recording: Recording, step: int, drawn: Drawn) -> Part:
    """The same part as long as the step is of its round and about one of its nodes."""
    wanted = part_at(recording, step, drawn.scope)
    is_same_round = wanted.round == drawn.part.round
    return drawn.part if is_same_round and current_node(recording, step) in (drawn.part.only or ()) else wanted


def part_notice(recording: Recording, part: Part) -> str | None:
    """What is to be said above a picture that does not show all."""
    if part.only is None:
        return None
    counts = {"shown": len(part.only), "total": len(recording.nodes)}
    passes = () if part.round is None else recording.rounds[part.round].passes
    count = len(recording.backward_passes)
    if part.round is None or part.only != part.among:
        return say("stage.part", **counts)
    if not passes:
        return say("stage.round_without_pass", **counts)
    if len(passes) == 1:
        return say("stage.round", nr=passes[0] + 1, count=count, **counts)
    return say("stage.round_of_passes", first=passes[0] + 1, last=passes[-1] + 1, count=count, **counts)

"""Which part of a graph is drawn, and when it gives way to another."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from explorer.model import Recording
from explorer.render.part import (
    Part,
    Scope,
    current_node,
    part_around,
    part_at,
    round_at,
    scopes_of,
    shows,
    suggested_scope,
)
from explorer.ui.keys import Key
from explorer.ui.panels.subject import node_behind
from explorer.ui.player import PlayerState
from explorer.ui.words import say


class Drawn(NamedTuple):
    """What is drawn at the moment, and where the player was when that was decided."""

    recording: Recording
    scope: Scope
    part: Part
    at: PlayerState


def scope_of(recording: Recording) -> Scope:
    """How much is drawn: as chosen, as far as there is room for it, else as suits the program."""
    chosen: Scope | None = st.session_state.get(Key.SCOPE_CHOSEN)
    if chosen is None:
        return suggested_scope(recording)
    scopes = scopes_of(recording)
    return scopes[0] if chosen == "round" else scopes[-1]


def drawn_part(recording: Recording, at: PlayerState) -> Part:
    """What to draw: what was drawn before, until the player leaves it or seeks a leaf beyond."""
    before: Drawn | None = st.session_state.get(Key.DRAWN)
    scope = scope_of(recording)
    if before is None or before.recording is not recording or before.scope != scope:
        part = part_at(recording, at.step, scope)
    elif at.selected != before.at.selected and (sought := node_behind(recording, at.selected)):
        part = before.part if shows(before.part, sought) else part_around(recording, sought)
    elif at.step != before.at.step:
        part = followed(recording, at.step, before.part, scope)
    else:
        part = before.part
    st.session_state[Key.DRAWN] = Drawn(recording, scope, part, at)
    return part


def followed(recording: Recording, step: int, part: Part, scope: Scope) -> Part:
    """The same part as long as the step is of one of its rounds and about one of its nodes."""
    wanted = part_at(recording, step, scope)
    is_beyond = bool(wanted.rounds) and round_at(recording, step) not in part.rounds
    return wanted if is_beyond or not shows(part, current_node(recording, step)) else part


def part_notice(recording: Recording, part: Part) -> str | None:
    """What is to be said above a picture that does not show all."""
    if part.only is None:
        return None
    counts = {"shown": len(part.only), "total": len(recording.nodes)}
    passes = [nr for one in part.rounds for nr in recording.rounds[one].passes]
    count = len(recording.backward_passes)
    if not part.rounds or part.only != part.among:
        return say("stage.part", **counts)
    if not passes:
        return say("stage.round_without_pass", **counts)
    if len(passes) == 1:
        return say("stage.round", nr=passes[0] + 1, count=count, **counts)
    key = "stage.round_of_passes" if len(part.rounds) == 1 else "stage.rounds"
    return say(key, first=passes[0] + 1, last=passes[-1] + 1, count=count, **counts)

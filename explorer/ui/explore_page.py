"""Explore: pick or type a function, see its graph, step the backward pass, watch `.grad` add up."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.model import Recording
from explorer.runner import AnyEnding, Completed, Stopped
from explorer.ui import state
from explorer.ui.keys import Key
from explorer.ui.panels.curtain import draw_curtain
from explorer.ui.panels.editor import editor, editor_switch
from explorer.ui.panels.endings import ending_message
from explorer.ui.panels.function_picker import function_picker
from explorer.ui.panels.input_editors import input_editors
from explorer.ui.panels.masthead import masthead
from explorer.ui.panels.stage import is_painted, stage
from explorer.ui.panels.toggle_row import toggle_row
from explorer.ui.panels.view_options import contributions, view_options
from explorer.ui.panels.waiting import awaited
from explorer.ui.panels.what_if import chosen_change, what_if_menu, what_if_stage
from explorer.ui.runs import Task, ending_of
from explorer.ui.style import style
from explorer.ui.words import said, say


def explore_page() -> None:
    """Draws the page from the choices, which the address bar holds too."""
    style()
    masthead()
    state.load()
    if (error := st.session_state.get(Key.LINK_ERROR)) is not None:
        st.warning(said(error), icon=":material/link_off:")
    base = state.base_text(state.choices())
    program, refused = state.program()
    place_before, place_after = function_picker()
    controls, message, picture, beside = (st.container(key=key) for key in ("controls", "message", "stage", "beside"))
    with picture:
        curtain = st.empty()
    task = Task(program)
    ending = awaited(curtain, task) if is_painted() else awaited(curtain, task, draw=draw_curtain)
    recording: Recording | None = getattr(ending, "recording", None)
    has_picture = recording is not None and bool(recording.events)
    with place_after:
        editor_switch(has_picture)
    with controls:
        if recording is None or chosen_change(recording) is None:
            input_editors(base, recording)
            toggle_row(base, refused)
        if st.session_state[Key.EDITING]:
            editor(program)
    with message:
        _message(ending, task)
        recording = recording if has_picture else _last_good()
    if recording is None:
        curtain.empty()
    else:
        with place_before:
            what_if_menu(recording)
        _picture(recording, curtain, picture, beside)
    state.save()


def _picture(recording: Recording, curtain: DeltaGenerator, picture: DeltaGenerator, beside: DeltaGenerator) -> None:
    change = chosen_change(recording)
    if change is not None:
        curtain.empty()
        with picture:
            what_if_stage(recording, change)
        return
    with picture:
        stage(recording)
    with beside:
        view_options(recording)
        if is_painted():
            contributions(recording)


def _message(ending: AnyEnding, task: Task) -> None:
    ending_message(ending, task)
    if isinstance(ending, Stopped) and ending.recording is not None and (events := ending.recording.events):
        key = "ending.so_far_part" if ending.recording.truncated else "ending.so_far"
        st.caption(f":material/history: {say(key, events=len(events))}")
    if not isinstance(ending, Completed):
        if Key.LAST_GOOD in st.session_state:
            st.button(say("ending.back"), icon=":material/undo:", on_click=state.put_last_good)
    elif ending.recording.events:
        st.session_state[Key.LAST_GOOD] = state.choices()


def _last_good() -> Recording | None:
    """The picture of before stays within reach of a program that gives none."""
    chosen = st.session_state.get(Key.LAST_GOOD)
    if chosen is None:
        return None
    st.caption(f":material/history: {say('ending.last_good')}")
    return getattr(ending_of(Task(state.program_of(chosen)[0])), "recording", None)


explore_page()

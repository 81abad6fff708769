"""Explore: pick or type a function, see its graph, step the backward pass, watch `.grad` add up."""

from __future__ import annotations

import streamlit as st

from explorer.model import Recording
from explorer.runner import Completed
from explorer.ui import state
from explorer.ui.keys import Key
from explorer.ui.panels.editor import editor, editor_switch
from explorer.ui.panels.endings import ending_message
from explorer.ui.panels.function_picker import function_picker
from explorer.ui.panels.input_editors import input_editors
from explorer.ui.panels.masthead import masthead
from explorer.ui.panels.stage import is_painted, stage
from explorer.ui.panels.toggle_row import toggle_row
from explorer.ui.panels.view_options import contributions, view_options
from explorer.ui.panels.what_if import chosen_change, what_if_menu, what_if_stage
from explorer.ui.runs import ending_of
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
    controls = st.container(key="controls")
    with st.spinner(say("busy")):
        ending = ending_of(program)
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
    with st.container(key="message"):
        ending_message(ending, program)
        if not isinstance(ending, Completed) and Key.LAST_GOOD in st.session_state:
            st.button(say("ending.back"), icon=":material/undo:", on_click=state.put_last_good)
    if not has_picture:
        recording = _last_good()
    elif isinstance(ending, Completed):
        st.session_state[Key.LAST_GOOD] = state.choices()
    if recording is not None:
        with place_before:
            what_if_menu(recording)
        _picture(recording)
    state.save()


def _picture(recording: Recording) -> None:
    change = chosen_change(recording)
    with st.container(key="stage"):
        if change is None:
            stage(recording)
        else:
            what_if_stage(recording, change)
            return
    with st.container(key="beside"):
        view_options(recording)
        if is_painted():
            contributions(recording)


def _last_good() -> Recording | None:
    """The picture of before stays within reach of a program that gives none."""
    chosen = st.session_state.get(Key.LAST_GOOD)
    if chosen is None:
        return None
    st.caption(f":material/history: {say('ending.last_good')}")
    return getattr(ending_of(state.program_of(chosen)[0]), "recording", None)


explore_page()

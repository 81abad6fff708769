"""The user's own program, in an editor."""

from __future__ import annotations

import streamlit as st

from explorer.model.source import BYTE_ORDER_MARK
from explorer.ui import state
from explorer.ui.keys import Key
from explorer.ui.runs import Task, resume
from explorer.ui.words import say

LINE_PIXELS = 21


def editor_switch(has_picture: bool) -> None:
    """Opens and closes the editor; without a picture it is open, for the text stands nowhere else."""
    if not has_picture:
        st.session_state[Key.EDITING] = True
    st.toggle(
        say("edit.toggle"),
        key=Key.EDITING,
        disabled=not has_picture,
        help=None if has_picture else say("edit.stays"),
        on_change=state.forget_draft,
    )


def editor(program: str) -> None:
    """The program's text, to be changed and run.

    Args:
        program: What ran last; what the user has typed since stays until it is run or thrown away.
    """
    state.show(Key.DRAFT, st.session_state.get(Key.DRAFT, program))
    with st.container(key="editor"):
        st.text_area(
            say("edit.label"),
            key=Key.DRAFT,
            height=min(max(program.count("\n") * LINE_PIXELS + 90, 200), 420),
            label_visibility="collapsed",
            on_change=_run,
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(say("edit.run"), type="primary", icon=":material/play_arrow:", on_click=_run)
            st.button(say("edit.discard"), on_click=_discard, disabled=Key.LAST_GOOD not in st.session_state)
            st.caption(say("edit.hint"))


def _run() -> None:
    typed = st.session_state.get(Key.DRAFT)
    if typed is None:
        return
    typed = typed.removeprefix(BYTE_ORDER_MARK)
    if typed != state.program()[0]:
        state.put_program(typed)
    resume(Task(typed))


def _discard() -> None:
    """Throws away what was typed; a program that could not run makes way for the last one that could."""
    is_unchanged = st.session_state.get(Key.DRAFT) == state.program()[0]
    if is_unchanged and Key.LAST_GOOD in st.session_state:
        state.put_last_good()
    state.forget_draft()

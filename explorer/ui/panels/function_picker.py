"""Which function: one of the gallery's, or the user's own program."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import LinkInvalid
from explorer.gallery import GalleryFunction, categories, function, search
from explorer.i18n import text
from explorer.ui import state
from explorer.ui.keys import Key
from explorer.ui.panels.finder import finder
from explorer.ui.words import language, said, say


def function_picker() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The button that says what is chosen and opens the gallery, what to notice, and the link to share.

    Returns:
        Two places in the row for what needs the program to have run: before the link and at the end.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="function-row"):
        picker = st.popover(
            _title(), icon=":material/function:", key=Key.PICKER, on_change="rerun", help=say("pick.help")
        )
        if picker.open:
            with picker:
                _gallery()
        st.markdown(_notice(), width="stretch")
        before = st.container(width="content")
        share = st.popover(say("share.name"), icon=":material/link:", key=Key.SHARE, on_change="rerun")
        if share.open:
            with share:
                _share()
        return before, st.container(width="content")


def _share() -> None:
    try:
        address = state.link()
    except LinkInvalid as error:
        st.markdown(said(error))
        return
    st.caption(say("share.caption"))
    st.code(address, language=None, wrap_lines=True)


def _title() -> str:
    chosen = state.choices()
    if chosen.function is None:
        return say("pick.own")
    title = function(chosen.function).title(language())
    return title if chosen.text is None else say("pick.changed", title=title)


def _notice() -> str:
    chosen = state.choices()
    if chosen.function is None:
        return say("pick.own_notice")
    notice = function(chosen.function).notice(language())
    return notice if chosen.text is None else say("pick.changed_notice", notice=notice)  # it may speak of numbers


def _gallery() -> None:
    names = {name: text(f"gallery.category.{name}", language()) for name in categories()}
    wanted, category = finder((Key.SEARCH, say("pick.search")), (Key.CATEGORY, say("pick.category")), names)
    found = search(wanted, language(), category)
    if not found:
        st.caption(say("pick.nothing"))
    with st.container(height=340, border=False, key="gallery"):
        for one in found:
            _entry(one)


def _entry(entry: GalleryFunction) -> None:
    chosen = state.choices().function == entry.id
    st.button(
        entry.title(language()),
        key=f"pick-{entry.id}",
        type="primary" if chosen else "secondary",
        width="stretch",
        on_click=_pick,
        args=(entry.id,),
    )
    st.caption(entry.notice(language()))


def _pick(function_id: str) -> None:
    state.pick(function_id)
    st.session_state[Key.PICKER] = False
    st.session_state[Key.EDITING] = False

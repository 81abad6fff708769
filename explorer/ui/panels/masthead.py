"""The first line of every page: where one is, where one can go, in which language."""

from __future__ import annotations

import streamlit as st

from explorer.i18n import LANGUAGES
from explorer.ui.keys import Key
from explorer.ui.labs import LABS
from explorer.ui.panels.focus import keep_focus
from explorer.ui.panels.language_tag import tell_language
from explorer.ui.words import LANGUAGE_NAMES, language, say


def masthead() -> None:
    """Draws the line. Call it first: everything below speaks the language chosen here."""
    spoken = language()
    tell_language(spoken)
    keep_focus()
    with st.container(horizontal=True, vertical_alignment="center", key="masthead"):
        st.html(f"<h1 class='name'>{say('name')}</h1>", width="content")
        st.page_link("explorer/ui/explore_page.py", label=say("nav.explore"))
        st.page_link("explorer/ui/mistakes_page.py", label=say("nav.mistakes"))
        st.page_link(next(iter(LABS.values())), label=say("nav.labs"))
        st.page_link("explorer/ui/about_page.py", label=say("nav.about"))
        st.space("stretch")
        st.session_state[Key.LANGUAGE_SWITCH] = spoken
        st.segmented_control(
            say("language"),
            LANGUAGES,
            key=Key.LANGUAGE_SWITCH,
            format_func=LANGUAGE_NAMES.__getitem__,
            label_visibility="collapsed",
            required=True,
            on_change=_switch,
        )


def _switch() -> None:
    """Keeps what the switch says: Streamlit forgets widgets when another page opens."""
    st.session_state[Key.LANGUAGE] = st.session_state[Key.LANGUAGE_SWITCH]

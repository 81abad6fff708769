"""About: what is shown, how it is made, how to read it."""

from __future__ import annotations

import streamlit as st

from explorer.ui.glossary.entries import glossary
from explorer.ui.panels.masthead import masthead
from explorer.ui.style import style
from explorer.ui.words import language, say


def about_page() -> None:
    """Draws the page."""
    style()
    masthead()
    with st.container(width=760):
        for part in ("what", "read", "keys", "run", "limits"):
            st.markdown(f"## {say(f'about.{part}_title')}")
            st.markdown(say(f"about.{part}"))
        st.markdown(f"## {say('about.words_title')}")
        st.markdown(
            "\n".join(
                f"- {say('about.word', name=entry['name'], text=entry['text'])}" for entry in glossary(language())
            )
        )


about_page()

"""The page's own sentences in the language of this session."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.i18n import LANGUAGES, Language, text
from explorer.ui.keys import Key, Parameter
from explorer.ui.markdown import plain

LANGUAGE_NAMES: dict[Language, str] = {"en": "EN", "zh": "中文"}


def language() -> Language:
    """The session's language: chosen, else the link's, else the browser's."""
    if Key.LANGUAGE not in st.session_state:
        asked = st.query_params.get(Parameter.LANGUAGE, "")
        browser = "zh" if (st.context.locale or "").lower().startswith("zh") else "en"
        st.session_state[Key.LANGUAGE] = asked if asked in LANGUAGES else browser
    chosen: Language = st.session_state[Key.LANGUAGE]
    return chosen


def say(key: str, /, **values: object) -> str:
    """The page's sentence for a key below `ui.`."""
    return text(f"ui.{key}", language(), **values)


def said(error: ExplorerError) -> str:
    """What an exception of ours tells a user, for Markdown: it may hold what a stranger typed."""
    return plain(text(error.key, language(), **error.values))

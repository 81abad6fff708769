"""The page's own look, on top of Streamlit's theme."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from explorer.render.palette import Theme
from explorer.ui.words import say


def style() -> None:
    """Puts the style sheet into the page."""
    st.html(f"<style>.stMain {{ --apply: '{say('apply')}'; }}\n{_sheet()}</style>")


def theme() -> Theme:
    """The page's theme, for charts."""
    return "dark" if st.context.theme.type == "dark" else "light"


def is_phone() -> bool:
    """Whether the browser calls itself one of a phone: what stands side by side within one chart then stands below."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


@cache
def _sheet() -> str:
    return (Path(__file__).parent / "page.css").read_text("utf-8")

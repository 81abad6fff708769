"""What labs are operated with, and the sentence they answer with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.labs.settings import LabSettings
from explorer.model import Recording
from explorer.ui.glossary.prose import prose
from explorer.ui.labs.frame import shown, tell
from explorer.ui.words import language


def segments(lab: str, settings: LabSettings, field: str, options: Sequence[Any], name: str | None = None) -> None:
    """A setting with few choices, all of them in sight.

    Args:
        lab, settings, field: Which setting.
        options: Its values; each one's word is `lab_<lab>.control.<name>_<value>`.
        name: What the setting is called in the texts; the field's own name where it is None.
    """
    name = name or field
    st.segmented_control(
        tell(f"lab_{lab}.control.{name}"),
        options,
        format_func=lambda option: tell(f"lab_{lab}.control.{name}_{option}"),
        required=True,
        **shown(lab, settings, field),
    )


def selection(
    lab: str, settings: LabSettings, field: str, options: Sequence[Any], name: str | None = None, width: int = 220
) -> None:
    """A setting with longer words, in a list to open. Args as of `segments`; the width is in pixels."""
    name = name or field
    st.selectbox(
        tell(f"lab_{lab}.control.{name}"),
        options,
        format_func=lambda option: tell(f"lab_{lab}.control.{name}_{option}"),
        width=width,
        **shown(lab, settings, field),
    )


def answer(is_fine: bool, sentence: str, reasons: Sequence[str] = (), key: str = "lab-answer") -> None:
    """The lab's message, drawn from the numbers, and what is behind it.

    Args:
        is_fine: Whether what was asked for is so.
        sentence: Shown as it is, never as Markdown: it may hold a user's words.
        reasons: One sentence each.
        key: Of its container, where a page has several.
    """
    with st.container(key=key, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{key}-first"):
            st.markdown(":material/check_circle:" if is_fine else ":material/warning:", width="content")
            with st.container(width="stretch"):
                prose(sentence, Recording(), language(), key=f"{key}-sentence", is_lead=True)
        for number, reason in enumerate(reasons):
            prose(reason, Recording(), language(), key=f"{key}-reason-{number}")

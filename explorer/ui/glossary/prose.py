"""A paragraph of the page in which the words of the glossary open their explanations."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from explorer.i18n import Language
from explorer.model import Recording
from explorer.ui.glossary.entries import glossary_of
from explorer.ui.modules import joined, read, sent

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_MODULES = ("received.js", "player/elements.js", "glossary/terms.js", "glossary/explanation.js", "glossary/prose.js")
"""In order of need. Their top-level names differ, so that they can stand in one module."""


def prose(said: str, recording: Recording, language: Language, *, key: str, is_lead: bool = False) -> None:
    """Writes a paragraph; it is text, whatever it holds.

    Args:
        said: The paragraph.
        recording: What it is about: the names of its nodes are explained, too.
        language: Of the explanations.
        key: Streamlit's.
        is_lead: Whether it is what the eye should meet first.
    """
    data = {"text": said, "glossary": glossary_of(recording, language), "is_lead": is_lead}
    _component()(key=key, data=sent(data))


@cache
def _component() -> ComponentRenderer:
    import streamlit as st  # here, so that the rest can be had without it

    html = '<div class="autograd-prose"></div>'
    return st.components.v2.component(
        "autograd_prose", html=html, css=read("glossary/glossary.css"), js=joined(_MODULES)
    )

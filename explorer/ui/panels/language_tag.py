"""In which language the page is, for screen readers and browsers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import streamlit as st

from explorer.i18n import LANGUAGE_TAGS, Language
from explorer.ui.modules import read

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


def tell_language(language: Language) -> None:
    """Has the browser note the language; nothing is seen of it."""
    # For a bare text Streamlit would import pandas.
    _component()(key="language-tag", data={"language": LANGUAGE_TAGS[language]})


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("autograd_language_tag", html="<i hidden></i>", js=read("panels/language_tag.js"))

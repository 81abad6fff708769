"""Where the keyboard goes on when what it pressed is gone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.modules import read

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


def keep_focus() -> None:
    """Has the browser hand on the focus of Stop, and of a menu's entry; nothing is seen of it."""
    _component()(key="focus")


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("autograd_focus", html="<i hidden></i>", js=read("panels/focus.js"))

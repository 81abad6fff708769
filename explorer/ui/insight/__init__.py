"""The insight panel: the numbers of a node put in, its Jacobian, what it saved, the engine's queue, and the words.

`content` and `assets` need no Streamlit: files that stand on their own can use them too.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from explorer.ui.insight.assets import module_text, style_text
from explorer.ui.insight.content import content
from explorer.ui.insight.grids import Shown
from explorer.ui.modules import sent

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

__all__ = ["Shown", "content", "insight"]


def insight(shown: Shown, *, key: str) -> None:
    """Mounts the panel. Tabs and highlights are the browser's own: nothing is told to Python.

    Args:
        shown: From `content()`.
        key: Streamlit's.
    """
    _component()(key=key, data=sent(shown))


@cache
def _component() -> ComponentRenderer:
    import streamlit as st  # here, so that the rest can be had without it

    html = '<div class="autograd-insight"></div>'
    return st.components.v2.component("autograd_insight", html=html, css=style_text(), js=module_text())

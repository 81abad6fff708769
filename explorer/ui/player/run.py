"""What all pictures of a run share, in an element of its own: Streamlit does not send again what has not changed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from explorer.ui.player.assets import run_module_text
from explorer.ui.player.playback import Playback

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


def mount_run(playback: Playback, *, key: str) -> None:
    """Sends a run to the browser, where the player of its pictures finds it.

    Args:
        playback: What is played.
        key: The player's.
    """
    _component()(key=f"run-of-{key}", data=playback.run)


@cache
def _component() -> ComponentRenderer:
    import streamlit as st

    return st.components.v2.component("autograd_run", html="<i hidden></i>", js=run_module_text())

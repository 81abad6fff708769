"""The player: a laid-out graph, the program and the `.grad` ledger, stepped through in the browser.

`playback` and `assets` need no Streamlit: files that play on their own use them too.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from explorer.ui.modules import sent
from explorer.ui.player.assets import html_text, module_text, style_text
from explorer.ui.player.playback import Playback, playback

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

__all__ = ["Playback", "PlayerState", "playback", "player"]


class PlayerState(NamedTuple):
    """Where the player came to rest.

    Args:
        step: How many events have happened.
        selected: Id of the selected node, edge, leaf or cut; None if nothing is selected.
        painted: Whether the browser has shown the player.
    """

    step: int
    selected: str | None
    painted: bool = False


def player(playback: Playback, *, key: str, height: int = 380) -> PlayerState:
    """Mounts the player. Reruns follow when it has come to rest at another step, or something is selected.

    Args:
        playback: From `playback()`. Pass equal data while the user steps: then it is not sent again.
        key: Streamlit's.
        height: Of program and graph, in CSS pixels.
    """
    data = sent({**playback, "height": height})
    result = _component()(key=key, data=data, on_at_change=_note, on_painted_change=_note)
    return resting_place(result.get("at"), playback)._replace(painted=result.get("painted") is True)


def resting_place(at: object, playback: Playback) -> PlayerState:
    """Reads what the browser said, which may still be about another recording, or made up."""
    start = PlayerState(playback["initial_step"], None)
    if not isinstance(at, dict) or at.get("id") != playback["id"]:
        return start
    step, selected = at.get("step"), at.get("selected")
    if not isinstance(step, int) or not 0 <= step <= len(playback["steps"]):
        return start
    return PlayerState(step, selected if isinstance(selected, str) else None)


def _note() -> None:
    """Streamlit keeps a component's state only where somebody listens."""


@cache
def _component() -> ComponentRenderer:
    import streamlit as st  # here, so that the other two modules can be had without it

    return st.components.v2.component("autograd_player", html=html_text(), css=style_text(), js=module_text())

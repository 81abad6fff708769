"""The player: a laid-out graph, the program and the `.grad` ledger, stepped through in the browser.

`playback` and `assets` need no Streamlit: files that play on their own use them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from explorer.model import Recording
from explorer.ui.modules import sent
from explorer.ui.player.assets import html_text, module_text, style_text
from explorer.ui.player.playback import Playback, playback, run_id
from explorer.ui.player.run import mount_run

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

__all__ = ["Playback", "PlayerState", "playback", "player", "player_state", "run_id"]


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


def player(playback: Playback, *, key: str, height: int = 380) -> None:
    """Mounts the player. Reruns follow when it has come to rest at another step, or something is selected.

    Args:
        playback: From `playback()`. Pass equal data while the user steps: then it is not sent again.
        key: Streamlit's.
        height: Of program and graph, in CSS pixels.
    """
    mount_run(playback, key=key)
    data = sent({**playback.picture, "height": height})
    _component()(key=key, data=data, on_at_change=_note, on_painted_change=_note)


def player_state(told: Mapping[str, Any], recording: Recording, initial_step: int) -> PlayerState:
    """Reads what the browser said, which may still be about another recording, or made up.

    Args:
        told: What Streamlit keeps under the player's key; empty before there is one.
        recording: What is played.
        initial_step: Where the player opens.
    """
    start = PlayerState(initial_step, None, told.get("painted") is True)
    at = told.get("at")
    if not isinstance(at, dict) or at.get("id") != run_id(recording):
        return start
    step, selected = at.get("step"), at.get("selected")
    if not isinstance(step, int) or not 0 <= step <= len(recording.events):
        return start
    return PlayerState(step, selected if isinstance(selected, str) else None, start.painted)


def _note() -> None:
    """Streamlit keeps a component's state only where somebody listens."""


@cache
def _component() -> ComponentRenderer:
    import streamlit as st  # here, so that the other two modules can be had without it

    return st.components.v2.component("autograd_player", html=html_text(), css=style_text(), js=module_text())

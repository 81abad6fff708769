"""The player's browser side as text: one ES module, one style sheet, one piece of HTML."""

from __future__ import annotations

from functools import cache

from explorer.ui.modules import joined, read

_MODULES = (
    "elements.js",
    "keyframes.js",
    "svg.js",
    "picture.js",
    "view.js",
    "gestures.js",
    "program.js",
    "memory.js",
    "transport.js",
    "ledger.js",
    "player.js",
)
"""In order of need. Their top-level names differ, so that they can stand in one module."""


@cache
def module_text() -> str:
    """The player as one ES module without imports; exports `mount`, and as default what Streamlit calls."""
    return joined([f"player/{name}" for name in _MODULES])


@cache
def pair_module_text() -> str:
    """Two players in step as one ES module; its default export is what Streamlit calls."""
    return joined([f"player/{name}" for name in (*_MODULES, "pair.js")])


@cache
def pair_style_text() -> str:
    """The style sheet of two players in step."""
    return f"{style_text()}\n{read('player/pair.css')}"


@cache
def style_text() -> str:
    """The style sheet; every rule is about `.player`."""
    return read("player/player.css")


@cache
def html_text() -> str:
    """The place that the player fills."""
    return read("player/player.html")

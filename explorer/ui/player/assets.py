"""The player's browser side as text: one ES module, one style sheet, one piece of HTML."""

from __future__ import annotations

from functools import cache

from explorer.ui.modules import joined, read

_MODULES = (
    "received.js",
    "player/runs.js",
    "player/elements.js",
    "player/address.js",
    "glossary/terms.js",
    "glossary/explanation.js",
    "player/keyframes.js",
    "player/svg.js",
    "player/picture.js",
    "player/view.js",
    "player/gestures.js",
    "player/program.js",
    "player/memory.js",
    "player/playing.js",
    "player/transport.js",
    "player/ledger.js",
    "player/player.js",
)
"""In order of need. Their top-level names differ, so that they can stand in one module."""


@cache
def module_text() -> str:
    """The player as one ES module without imports; exports `mount`, and as default what Streamlit calls."""
    return joined(_MODULES)


@cache
def run_module_text() -> str:
    """What keeps a run for the players as one ES module; its default export is what Streamlit calls."""
    return joined(["received.js", "player/runs.js", "player/run.js"])


@cache
def pair_module_text() -> str:
    """Two players in step as one ES module; its default export is what Streamlit calls."""
    return joined([*_MODULES, "player/pair.js"])


@cache
def pair_style_text() -> str:
    """The style sheet of two players in step."""
    return f"{style_text()}\n{read('player/pair.css')}"


@cache
def style_text() -> str:
    """The style sheet; every rule is about `.player` or a word of the glossary."""
    return f"{read('player/player.css')}\n{read('glossary/glossary.css')}"


@cache
def html_text() -> str:
    """The place that the player fills."""
    return read("player/player.html")

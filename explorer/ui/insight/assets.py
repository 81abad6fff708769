"""The panel's browser side as text."""

from __future__ import annotations

from functools import cache

from explorer.ui.modules import joined, read

_MODULES = (
    "received.js",
    "player/elements.js",
    "player/memory.js",
    "glossary/terms.js",
    "insight/cells.js",
    "insight/numbers.js",
    "insight/matrices.js",
    "insight/holdings.js",
    "insight/order.js",
    "insight/glossary.js",
    "insight/insight.js",
)
"""In order of need. Their top-level names differ, so that they can stand in one module."""


@cache
def module_text() -> str:
    """The panel as one ES module without imports; exports `mountInsight`, and as default what Streamlit calls."""
    return joined(_MODULES)


@cache
def style_text() -> str:
    """The style sheet; every rule is about `.insight` or a word of the glossary."""
    return f"{read('insight/insight.css')}\n{read('glossary/glossary.css')}"

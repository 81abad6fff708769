"""The player's browser side as text: one ES module, one style sheet, one piece of HTML."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_MODULES = (
    "elements.js",
    "keyframes.js",
    "svg.js",
    "picture.js",
    "view.js",
    "gestures.js",
    "program.js",
    "transport.js",
    "ledger.js",
    "player.js",
)
"""In order of need. Their top-level names differ, so that they can stand in one module."""

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[a-z]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:function|class|const) )", re.MULTILINE)


@cache
def module_text() -> str:
    """The player as one ES module without imports; exports `mount`, and as default what Streamlit calls."""
    *helpers, player = (_IMPORT.sub("", _read(name)) for name in _MODULES)
    return "\n".join([*(_EXPORT.sub("", text) for text in helpers), player])


@cache
def style_text() -> str:
    """The style sheet; every rule is about `.player`."""
    return _read("player.css")


@cache
def html_text() -> str:
    """The place that the player fills."""
    return _read("player.html")


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")

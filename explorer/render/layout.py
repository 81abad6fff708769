"""DOT to SVG through Graphviz.

Graphviz is C code that is not thread-safe: this module is imported in worker processes only, never in the server.
"""

from __future__ import annotations

import re
import warnings

import pygraphviz

from explorer.errors import LayoutFailed

# What a page does not need: prolog and doctype, comments, and tool tips that repeat ids.
_SUPERFLUOUS = re.compile(r"^.*?(?=<svg)|<!--.*?-->\s*|<title>[^<]*</title>\s*", re.DOTALL)


def lay_out(dot: str) -> str:
    """The graph as one `<svg>` element with a `viewBox`.

    Raises:
        LayoutFailed: The text is no DOT, or Graphviz gave up.
    """
    try:
        with warnings.catch_warnings():
            # Graphviz's remarks, such as a text that is wider than its box, are no errors.
            warnings.simplefilter("ignore")
            drawn: bytes = pygraphviz.AGraph(string=dot).draw(prog="dot", format="svg")
    except (ValueError, OSError, pygraphviz.DotError) as error:
        raise LayoutFailed("render.layout_failed", reason=str(error)) from error
    return _SUPERFLUOUS.sub("", drawn.decode("utf-8")).strip()

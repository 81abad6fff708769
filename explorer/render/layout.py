"""DOT to SVG through Graphviz.

Graphviz is C code that is not thread-safe: this module is imported in worker processes only, never in the server.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from typing import IO

import pygraphviz

from explorer.errors import LayoutFailed

# What a page does not need: prolog and doctype, comments, and tool tips that repeat ids.
_SUPERFLUOUS = re.compile(r"^.*?(?=<svg)|<!--.*?-->\s*|<title>[^<]*</title>\s*", re.DOTALL)


def lay_out(dot: str, file: IO[bytes] | None = None) -> str:
    """The graph as one `<svg>` element with a `viewBox`.

    Args:
        dot: The graph.
        file: Open and empty; what the text goes through, for Graphviz reads files alone. A temporary one if not given.

    Raises:
        LayoutFailed: The text is no DOT, or Graphviz gave up.
    """
    if file is None:
        with tempfile.TemporaryFile() as temporary:
            return lay_out(dot, temporary)
    try:
        with warnings.catch_warnings():
            # Graphviz's remarks, such as a text that is wider than its box, are no errors.
            warnings.simplefilter("ignore")
            drawn: bytes = _graph(dot, file).draw(prog="dot", format="svg")
    except (ValueError, OSError, pygraphviz.DotError) as error:
        raise LayoutFailed("render.layout_failed", reason=str(error)) from error
    return _SUPERFLUOUS.sub("", drawn.decode("utf-8")).strip()


def _graph(dot: str, file: IO[bytes]) -> pygraphviz.AGraph:
    graph = pygraphviz.AGraph()
    file.write(dot.encode())
    file.seek(0)
    graph.read(file)
    return graph

"""Runs and pictures, shared by all sessions: thirty laptops on one link need one run."""

from __future__ import annotations

from threading import Condition
from typing import Any

import msgspec
import streamlit as st
from cachetools import LRUCache, cached
from cachetools.keys import hashkey

from explorer.errors import LayoutFailed
from explorer.model import Recording
from explorer.render.dot import to_dot
from explorer.render.options import GraphOptions
from explorer.runner import AnyEnding, Stopped, is_warm, lay_out, run, warm_up
from explorer.ui.first_picture import first_ending, first_svg

SEED = 0

MOST_BYTES = 96 * 2**20
"""How much JSON the endings may amount to that are kept; in memory they take about three times that."""


def size_of(ending: AnyEnding) -> int:
    """How much an ending takes as JSON, in bytes."""
    return len(msgspec.json.encode(ending))


ENDINGS: LRUCache[Any, AnyEnding] = LRUCache(MOST_BYTES, getsizeof=size_of)
"""How the programs ended that were run last."""
HAS_ENDED = Condition()
"""Waited for by those who want the same run."""


def ending_of(program: str) -> AnyEnding:
    """How a program ends."""
    if not is_warm():
        warm_up()
        if (first := first_ending(program)) is not None:
            return first
    ending = _run(program)
    if isinstance(ending, Stopped) and ending.reason == "busy":  # nothing has been found out about the program
        forget(program)
    return ending


def forget(program: str) -> None:
    """Lets a program run anew; that it was stopped may have been the machine's fault."""
    with HAS_ENDED:
        ENDINGS.pop(hashkey(program), None)


def svg_of(recording: Recording, options: GraphOptions) -> str:
    """The recording's graph, laid out; "" where there is nothing to draw.

    Raises:
        LayoutFailed: Graphviz could not.
    """
    if not (recording.nodes or recording.leaves or recording.cuts):
        return ""
    dot = to_dot(recording, options)
    try:
        return first_svg(dot) or _lay_out(dot)
    except LayoutFailed:  # a worker may die for want of memory; the second try tells
        return _lay_out(dot)


@cached(ENDINGS, condition=HAS_ENDED)
def _run(program: str) -> AnyEnding:
    return run(program, seed=SEED)


@st.cache_resource(max_entries=256, show_spinner=False)
def _lay_out(dot: str) -> str:
    return lay_out(dot)

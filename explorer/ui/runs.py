"""Runs and pictures, shared by all sessions: thirty laptops on one link need one run."""

from __future__ import annotations

import streamlit as st

from explorer.errors import LayoutFailed
from explorer.model import Recording
from explorer.render.dot import to_dot
from explorer.render.options import GraphOptions
from explorer.runner import AnyEnding, Stopped, is_warm, lay_out, run, warm_up
from explorer.ui.first_picture import first_ending, first_svg

SEED = 0


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
    _run.clear(program)


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


@st.cache_resource(max_entries=256, show_spinner=False)
def _run(program: str) -> AnyEnding:
    return run(program, seed=SEED)


@st.cache_resource(max_entries=256, show_spinner=False)
def _lay_out(dot: str) -> str:
    return lay_out(dot)

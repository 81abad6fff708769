"""Runs and pictures, shared by all sessions: thirty laptops on one link need one run."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import msgspec
import streamlit as st
from cachetools import LRUCache

from explorer.errors import LayoutFailed, WorkerUnavailable
from explorer.model import Recording
from explorer.render.dot import to_dot
from explorer.render.options import GraphOptions
from explorer.runner import AnyEnding, Errands, Limits, Stopped, is_warm, lay_out, run, warm_up
from explorer.ui.first_picture import first_ending, first_svg
from explorer.ui.keys import Key

SEED = 0

MOST_BYTES = 96 * 2**20
"""How much JSON the endings may amount to that are kept; in memory they take about three times that."""
MOST_DRAWINGS = 256

STOP_SECONDS = 2.0
"""How long whoever stops a program waits for what it has come to."""

STOPPED = Stopped(reason="user")
"""How a program ends that did not tell in time."""


class Task(NamedTuple):
    """What is run."""

    program: str
    limits: Limits = Limits()


def size_of(ending: AnyEnding) -> int:
    """How much an ending takes as JSON, in bytes."""
    return len(msgspec.json.encode(ending))


ENDINGS: LRUCache[Task, AnyEnding] = LRUCache(MOST_BYTES, getsizeof=size_of)
"""How the programs ended that were run last."""
RUNS: Errands[Task, AnyEnding] = Errands(ENDINGS)
LAYOUTS: Errands[str, str] = Errands(LRUCache(MOST_DRAWINGS))


def known_ending(task: Task) -> AnyEnding | None:
    """How a program ends, if nobody has to wait for that: it has ended, or this session's user has stopped it."""
    if not is_warm():
        with suppress(WorkerUnavailable):  # it is told where a program has to be run
            warm_up()
        if task.limits == Limits() and (first := first_ending(task.program)) is not None:
            return first
    return RUNS.get(task) or _stopped().get(task)


def ending_of(task: Task) -> AnyEnding:
    """How a program ends. Where it takes long, Streamlit may end this run of the page meanwhile."""
    if (known := known_ending(task)) is not None:
        return known
    program, limits = task
    try:
        ending = RUNS.outcome_of(
            task,
            lambda is_wanted: run(program, seed=SEED, limits=limits, is_wanted=is_wanted),
            _let_streamlit_interrupt,
        )
    except WorkerUnavailable:
        return Stopped(reason="no_worker")
    if isinstance(ending, Stopped) and ending.reason == "busy":  # nothing has been found out about the program
        RUNS.forget(task)
    return ending


def stop(task: Task) -> None:
    """Stops a program for this session's user, and for good if nobody else waits for it."""
    ending = RUNS.drop(task, STOP_SECONDS) or STOPPED
    # How far a program came is kept of the last one only: a recording may take much memory.
    st.session_state[Key.STOPPED] = {**dict.fromkeys(_stopped(), STOPPED), task: ending}


def resume(task: Task) -> None:
    """Lets a program run that this session's user has stopped."""
    st.session_state[Key.STOPPED] = {other: ending for other, ending in _stopped().items() if other != task}


def forget(task: Task) -> None:
    """Lets a program run anew; that it was stopped may have been the machine's fault."""
    resume(task)
    RUNS.forget(task)


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


def _lay_out(dot: str) -> str:
    return LAYOUTS.outcome_of(dot, lambda is_wanted: lay_out(dot, is_wanted), _let_streamlit_interrupt)


def _stopped() -> dict[Task, AnyEnding]:
    """What this session's user has stopped, and how it ended."""
    stopped: dict[Task, AnyEnding] = st.session_state.get(Key.STOPPED, {})
    return stopped


def _let_streamlit_interrupt() -> None:
    """Any look into the session's state does: where its user has gone or done something else, Streamlit raises."""
    st.session_state.get(Key.STOPPED)

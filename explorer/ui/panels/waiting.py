"""What is seen while a program runs: words, and a way to stop it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.runner import AnyEnding
from explorer.ui.runs import Task, ending_of, known_ending, stop
from explorer.ui.words import say


def awaited(
    place: DeltaGenerator,
    task: Task,
    words: str | None = None,
    draw: Callable[[Task], None] | None = None,
) -> AnyEnding:
    """How a program ends; until it has, it is said that it runs, and its user may stop it.

    Not to be asked in a fragment: what is clicked there interrupts nothing.

    Args:
        place: An `st.empty` to say it in.
        task: What is run.
        words: What is said, where it is something else than of most.
        draw: Draws what is seen instead of the words. It stays when the program has ended: what comes covers it.
    """
    known = known_ending(task)
    if known is not None and draw is None:
        return known
    with place.container():
        if draw is None:
            st.html(f"<p class='pill' role='status'><i aria-hidden='true'></i>{words or say('busy')}</p>")
        else:
            draw(task)
        control = st.empty()
    if known is not None:
        return known
    key = f"stop-{hashlib.sha256(repr(task).encode()).hexdigest()[:16]}"
    control.button(say("stop"), key=key, icon=":material/stop_circle:", on_click=stop, args=(task,))
    ending = ending_of(task)
    (place if draw is None else control).empty()
    return ending

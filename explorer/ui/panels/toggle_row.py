"""Accumulation and its friends. Each toggle rewrites the program text in front of the user."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from explorer.errors import ExplorerError
from explorer.program.toggles import MAX_PASSES, Between, Seed, Toggles, why_not
from explorer.ui import state
from explorer.ui.keys import Key
from explorer.ui.words import said, say

BETWEEN_NAMES = {"zero_": "zero_()", "none": "None"}


def toggle_row(base: str, refused: ExplorerError | None) -> None:
    """The row of toggles, or why there are none.

    Args:
        base: The program text without what toggles add.
        refused: Why the toggles could not be applied, if so.
    """
    reason = _why_not(base)
    with st.container(horizontal=True, vertical_alignment="center", key="toggle-row"):
        st.html(f"<span class='row-name'>{say('toggles.name')}</span>", width="content")
        if reason is None:
            _toggles(state.choices().toggles)
        else:
            st.caption(said(reason), width="stretch")
    if reason is None and refused is not None:
        st.caption(f":material/error: {said(refused)}")


def _toggles(toggles: Toggles) -> None:
    _passes(toggles.passes)
    _second(toggles.second)
    _between(toggles.between)
    for key, field in ((Key.RETAIN_GRAPH, "retain_graph"), (Key.CREATE_GRAPH, "create_graph")):
        state.show(key, getattr(toggles, field))
        st.checkbox(field, key=key, help=say(f"toggles.{field}"), on_change=_take, args=(key, field))
    with st.popover(say("toggles.more"), icon=":material/more_horiz:"):
        _forward(toggles.new_forward)
        _seed(toggles.seed, toggles.seed_index, toggles.seed_values)


def _why_not(base: str) -> ExplorerError | None:
    try:
        return why_not(base)
    except ExplorerError:
        return ExplorerError("ui.toggles.unreadable")


def _take(key: str, field: str) -> None:
    """Takes a toggle from its widget into the choices."""
    _choose(**{field: st.session_state[key]})


def _choose(**fields: Any) -> None:
    state.change_toggles(**{name: value for name, value in fields.items() if value is not None})
    state.forget_draft()


def _passes(passes: int) -> None:
    state.show(Key.PASSES, passes)
    st.number_input(
        say("toggles.passes"),
        1,
        MAX_PASSES,
        key=Key.PASSES,
        label_visibility="collapsed",
        width=104,
        on_change=_take,
        args=(Key.PASSES, "passes"),
    )
    st.html(f"<span class='row-word'>{say('toggles.times')}</span>", width="content")


def _second(second: str) -> None:
    state.show(Key.SECOND, second)
    st.text_input(
        say("toggles.second"),
        key=Key.SECOND,
        placeholder=say("toggles.second_placeholder"),
        label_visibility="collapsed",
        width=170,
        on_change=_take,
        args=(Key.SECOND, "second"),
        help=say("toggles.second_help"),
    )


def _between(between: Between) -> None:
    st.html(f"<span class='row-word'>{say('toggles.between')}</span>", width="content")
    state.show(Key.BETWEEN, between)
    names = {"keep": say("toggles.keep"), **BETWEEN_NAMES}
    st.segmented_control(
        say("toggles.between"),
        get_args(Between),
        key=Key.BETWEEN,
        format_func=names.__getitem__,
        label_visibility="collapsed",
        required=True,
        on_change=_take,
        args=(Key.BETWEEN, "between"),
    )


def _forward(new_forward: bool) -> None:
    state.show(Key.FORWARD, new_forward)
    names = {True: say("toggles.new_forward"), False: say("toggles.same_graph")}
    st.radio(
        say("toggles.graph"),
        names,
        key=Key.FORWARD,
        format_func=names.__getitem__,
        on_change=_take,
        args=(Key.FORWARD, "new_forward"),
    )


def _seed(seed: Seed, index: int, values: str) -> None:
    state.show(Key.SEED, seed)
    names = {name: say(f"toggles.seed_{name.replace('-', '_')}") for name in get_args(Seed)}
    st.radio(
        say("toggles.seed"),
        names,
        key=Key.SEED,
        format_func=names.__getitem__,
        on_change=_take,
        args=(Key.SEED, "seed"),
        help=say("toggles.seed_help"),
    )
    if seed == "one-hot":
        state.show(Key.SEED_INDEX, index)
        st.number_input(
            say("toggles.seed_index"), 0, None, key=Key.SEED_INDEX, on_change=_take, args=(Key.SEED_INDEX, "seed_index")
        )
    if seed == "own":
        state.show(Key.SEED_VALUES, values)
        st.text_input(
            say("toggles.seed_values"),
            key=Key.SEED_VALUES,
            placeholder="1, 0, 2",
            on_change=_take,
            args=(Key.SEED_VALUES, "seed_values"),
        )

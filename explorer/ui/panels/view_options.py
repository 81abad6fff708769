"""What the picture shows, and the chart of what each pass added."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from explorer.model import Accumulated, Recording
from explorer.render.contribution_chart import contribution_chart
from explorer.render.options import Arrows
from explorer.render.part import Scope
from explorer.ui.keys import Key
from explorer.ui.panels.drawn_part import scope_of
from explorer.ui.style import theme
from explorer.ui.words import language, say


def view_options(recording: Recording) -> None:
    """The row of choices about the picture."""
    with st.container(horizontal=True, vertical_alignment="center", key="view-row"):
        st.html(f"<span class='row-name'>{say('view.name')}</span>", width="content")
        st.session_state[Key.ARROWS] = st.session_state.get(Key.ARROWS) or get_args(Arrows)[0]
        names = {name: say(f"view.arrows_{name}") for name in get_args(Arrows)}
        st.segmented_control(
            say("view.arrows"),
            names,
            key=Key.ARROWS,
            format_func=names.__getitem__,
            label_visibility="collapsed",
            required=True,
            help=say("view.arrows_help"),
        )
        for key, label in (
            (Key.SHOW_SAVED, "saved"),
            (Key.SHOW_VALUES, "values"),
            (Key.SHOW_SHAPES, "shapes"),
        ):
            st.session_state.setdefault(key, True)
            st.checkbox(say(f"view.{label}"), key=key)
        if len(recording.rounds) > 1:
            _scope(recording)


def _scope(recording: Recording) -> None:
    """One graph or all; what suits the program until something is chosen."""
    st.session_state[Key.SCOPE] = scope_of(recording)
    names = {name: say(f"view.scope_{name}") for name in get_args(Scope)}
    st.segmented_control(
        say("view.scope"),
        names,
        key=Key.SCOPE,
        format_func=names.__getitem__,
        label_visibility="collapsed",
        required=True,
        help=say("view.scope_help"),
        on_change=_choose_scope,
    )


def _choose_scope() -> None:
    st.session_state[Key.SCOPE_CHOSEN] = st.session_state[Key.SCOPE]


def contributions(recording: Recording) -> None:
    """The stacked chart of every pass's contribution; nothing where no pass has run."""
    arrivals = [event for event in recording.events if isinstance(event, Accumulated)]
    if not arrivals:
        return
    reached = {event.leaf_id: recording.leaf(event.leaf_id).name for event in arrivals}
    st.markdown(f"## {say('chart.title')}")
    st.caption(say("chart.caption"))
    chosen: str | None = next(iter(reached))
    if len(reached) > 1:
        chosen = st.selectbox(
            say("chart.leaf"), [*reached], format_func=reached.__getitem__, label_visibility="collapsed", width=260
        )
    figure = contribution_chart(recording, chosen, theme(), language())
    st.plotly_chart(figure, width="stretch", theme=None, key="contributions", config={"displayModeBar": False})

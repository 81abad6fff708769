"""What the picture shows, and the chart of what each pass added."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import streamlit as st

from explorer.model import Accumulated, Recording
from explorer.render.contribution_chart import contribution_chart
from explorer.render.contribution_curves import contribution_curves, has_many_passes
from explorer.render.options import Arrows
from explorer.render.part import scopes_of
from explorer.ui import state
from explorer.ui.keys import Key
from explorer.ui.panels.drawn_part import scope_of
from explorer.ui.style import theme
from explorer.ui.words import language, say


def view_options(recording: Recording) -> None:
    """The row of choices about the picture."""
    with st.container(horizontal=True, vertical_alignment="center", key="view-row"):
        st.html(f"<span class='row-name'>{say('view.name')}</span>", width="content")
        arrows = st.session_state.get(Key.ARROWS) or get_args(Arrows)[0]
        _one_of("arrows", get_args(Arrows), Key.ARROWS, arrows, say("view.arrows_help"))
        for key, label in (
            (Key.SHOW_SAVED, "saved"),
            (Key.SHOW_VALUES, "values"),
            (Key.SHOW_SHAPES, "shapes"),
        ):
            state.show(key, st.session_state.get(key, True))
            st.checkbox(say(f"view.{label}"), key=key)
        scopes = scopes_of(recording)
        if len(scopes) > 1:
            # What suits the program, until something is chosen.
            counts = {"count": len(recording.backward_passes), "total": len(recording.nodes)}
            why = say("view.scope_few_help" if "few" in scopes else "view.scope_help", **counts)
            _one_of("scope", scopes, Key.SCOPE, scope_of(recording), why, _choose_scope)


def _one_of(
    what: str, choices: tuple[str, ...], key: Key, chosen: str, why: str, on_change: Callable[[], None] | None = None
) -> None:
    state.show(key, chosen)
    names = {choice: say(f"view.{what}_{choice}") for choice in choices}
    st.segmented_control(
        say(f"view.{what}"),
        names,
        key=key,
        format_func=names.__getitem__,
        label_visibility="collapsed",
        required=True,
        help=why,
        on_change=on_change,
    )


def _choose_scope() -> None:
    st.session_state[Key.SCOPE_CHOSEN] = st.session_state[Key.SCOPE]


def contributions(recording: Recording) -> None:
    """The chart of every pass's contribution; nothing where no pass has run."""
    arrivals = [event for event in recording.events if isinstance(event, Accumulated)]
    if not arrivals:
        return
    reached = {event.leaf_id: recording.leaf(event.leaf_id).name for event in arrivals}
    st.markdown(f"## {say('chart.title')}")
    caption = st.empty()
    chosen: str = next(iter(reached))
    if len(reached) > 1:
        chosen = st.selectbox(
            say("chart.leaf"), [*reached], format_func=reached.__getitem__, label_visibility="collapsed", width=260
        )
    has_many = has_many_passes(recording, chosen)
    caption.caption(say("chart.caption_curves" if has_many else "chart.caption"))
    draw = contribution_curves if has_many else contribution_chart
    figure = draw(recording, chosen, theme(), language())
    st.plotly_chart(figure, width="stretch", theme=None, key="contributions", config={"displayModeBar": False})

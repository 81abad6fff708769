"""What the labs of a typed function share: the page, the row of the function, and controls that several have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import ExplorerError
from explorer.labs.settings import LabSettings, Settings
from explorer.ui.labs.frame import change, lab_head, load, refusal, save, shown, tell, widget_key

VIEWS = ("contour", "surface")


def function_lab(
    lab: str,
    kind: type[Settings],
    controls: Callable[[Settings], None],
    picture: Callable[[Settings], None],
) -> None:
    """Draws a lab's page.

    Args:
        lab, kind: The lab, and what its settings are.
        controls: Draws what the settings are chosen with.
        picture: Draws what became of them; what it raises is said in its place.
    """
    lab_head(lab)
    settings = load(lab, kind).snapped()
    controls(settings)
    with st.container(key="lab-picture"):
        try:
            picture(settings)
        except ExplorerError as error:
            refusal(error)
    save(lab, settings)


def function_row(lab: str, settings: LabSettings, offered: Mapping[str, Mapping[str, Any]]) -> DeltaGenerator:
    """The row of the controls, which begins with the function as it was typed, and the list of those offered.

    Args:
        lab, settings: The lab, whose settings have the function's text as `f`.
        offered: The settings that each function offered opens with, by its text.

    Returns:
        The row, for the other controls.
    """
    row = st.container(horizontal=True, vertical_alignment="bottom", key="lab-controls")
    with row.container(horizontal=True, vertical_alignment="bottom", width="content", gap="xsmall", key="lab-function"):
        st.text_input(
            tell(f"lab_{lab}.function"), help=tell(f"lab_{lab}.function_help"), width=240, **shown(lab, settings, "f")
        )
        st.menu_button(
            tell("labs.functions"),
            list(offered),
            format_func="`{}`".format,
            key=widget_key(lab, "offered"),
            on_click=_choose_function,
            args=(lab, offered),
        )
    return row


def _choose_function(lab: str, offered: Mapping[str, Mapping[str, Any]]) -> None:
    change(lab, **offered[st.session_state[widget_key(lab, "offered")]])


def reach_box(lab: str, settings: LabSettings, reaches: Sequence[float]) -> None:
    """How far the picture goes to either side of 0: one of `reaches`, or what a link asked for."""
    reach = getattr(settings, "reach")  # noqa: B009  not every lab has one
    st.selectbox(
        tell(f"lab_{lab}.reach"),
        reaches if reach in reaches else (*reaches, reach),
        format_func=lambda one: f"±{one:g}",
        help=tell(f"lab_{lab}.reach_help"),
        width=110,
        **shown(lab, settings, "reach"),
    )


def view_switch(lab: str, settings: LabSettings) -> None:
    """Whether a function of two numbers is a map or a landscape."""
    st.segmented_control(
        tell(f"lab_{lab}.view"),
        VIEWS,
        format_func=lambda view: tell(f"lab_{lab}.{view}"),
        required=True,
        label_visibility="collapsed",
        **shown(lab, settings, "view"),
    )

"""The lab of the Jacobian: what a backward pass computes for a function of a vector."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.i18n import text
from explorer.labs.jacobian import (
    MOST_ELEMENTS,
    Jacobian,
    JacobianSettings,
    advice_on,
    backward_program,
    functions_offered,
    program_text,
    read_jacobian,
)
from explorer.labs.jacobian_figures import jacobian_figure
from explorer.ui.labs.charts import chart
from explorer.ui.labs.frame import change, program_shown, recording_of, widget_key
from explorer.ui.labs.function_lab import function_lab, function_row
from explorer.ui.state import show
from explorer.ui.style import theme
from explorer.ui.words import language

LAB = "jacobian"


def jacobian_page() -> None:
    """Draws the page."""
    function_lab(LAB, JacobianSettings, _controls, _picture)


def _controls(settings: JacobianSettings) -> None:
    offered = {one.f: {"f": one.f, "x": one.x, "v": one.v, "u": one.u} for one in functions_offered()}
    with function_row(LAB, settings, offered):
        for index, number in enumerate(settings.x):
            key = _element_key("x", index)
            show(key, number)
            st.number_input(
                _say("element", name="x", index=index),
                -1000.0,
                1000.0,
                None,  # emptied, it goes back to its number
                step=0.5,
                format="%.6g",
                key=key,
                width=104,
                on_change=_take,
                args=("x", settings.x, index),
            )
        count = len(settings.x)
        st.button(
            "−", help=_say("fewer"), disabled=count == 1, on_click=change, args=(LAB,), kwargs={"x": settings.x[:-1]}
        )
        st.button(
            "+",
            help=_say("more"),
            disabled=count == MOST_ELEMENTS,
            on_click=change,
            args=(LAB,),
            kwargs={"x": (*settings.x, 1.0)},
        )


def _picture(settings: JacobianSettings) -> None:
    program = program_text(settings)
    recording = recording_of(program, advice_on=advice_on)
    if recording is None:
        program_shown(program)
        return
    jacobian = read_jacobian(recording, settings)
    left, right = st.columns([1.35, 1], gap="large")
    with right:
        _sliders("v", jacobian.v.tolist())
        st.markdown(_say("backward"))
        _sliders("u", jacobian.u.tolist())
        st.markdown(_say("forward"))
    with left:
        _matrix(jacobian, settings)
    program_shown(program, backward_program(settings, jacobian.v.tolist()), _say("explore"))


def _matrix(jacobian: Jacobian, settings: JacobianSettings) -> None:
    rows, columns = jacobian.matrix.shape
    alt = _say("alt", f=settings.f, rows=rows, columns=columns)
    chart(jacobian_figure(jacobian, theme()), "jacobian-matrix", alt)
    st.caption(_say("agree" if jacobian.modes_agree else "differ", rows=rows, columns=columns))


def _sliders(name: str, numbers: Sequence[float]) -> None:
    st.markdown(f"**{_say(name)}**")
    with st.container(horizontal=True, key=f"jacobian-{name}"):
        for index, number in enumerate(numbers):
            key = _element_key(name, index)
            show(key, number)
            with st.container(width=120):
                st.slider(
                    _say("element", name=name, index=index),
                    -2.0,
                    2.0,
                    step=0.25,
                    key=key,
                    on_change=_take,
                    args=(name, tuple(numbers), index),
                )


def _take(name: str, numbers: tuple[float, ...], index: int) -> None:
    """Takes one element from its widget."""
    number = st.session_state[_element_key(name, index)]
    if number is not None:
        change(LAB, **{name: (*numbers[:index], float(number), *numbers[index + 1 :])})


def _element_key(name: str, index: int) -> str:
    return f"{widget_key(LAB, name)}-{index}"


def _say(key: str, /, **values: object) -> str:
    return text(f"lab_jacobian.{key}", language(), **values)


jacobian_page()

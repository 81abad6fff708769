"""The first lab: derivative and differential of a function of one number."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.i18n import text
from explorer.labs.derivative import (
    HALF,
    POINTS,
    Curve,
    DerivativeSettings,
    advice_on,
    curves,
    point_program,
    program_text,
    read_curve,
    sum_program,
)
from explorer.labs.derivative_figures import curve_figure, gap_figure, number, special_text
from explorer.labs.special_points import Special, special_points
from explorer.model.text import number_text
from explorer.ui.labs.frame import (
    advise,
    change,
    chart,
    clicked,
    explore_link,
    function_box,
    lab_head,
    load,
    number_table,
    program_shown,
    recording_of,
    refusal,
    save,
    shown,
)
from explorer.ui.style import theme
from explorer.ui.words import language

LAB = "derivative"
CURVE = "derivative-curve"
REACHES = (1.0, 2.0, 2.5, 4.0, 6.0, 10.0, 20.0, 100.0)
MOST_NOTES = 3


def derivative_page() -> None:
    """Draws the page; all that moves is a fragment, so that a slider redraws nothing else."""
    lab_head(LAB)
    load(LAB, DerivativeSettings)
    _lab()


@st.fragment
def _lab() -> None:
    settings = load(LAB, DerivativeSettings).snapped()
    _controls(settings)
    picture = st.container(key="lab-picture")
    try:
        program = program_text(settings)
    except ExplorerError as error:
        with picture:
            refusal(error)
        save(LAB, settings)
        return
    with picture:
        _picture(program, settings)
    _trick(settings)
    save(LAB, settings)


def _controls(settings: DerivativeSettings) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="lab-controls"):
        offered = {one.f: {"f": one.f, "reach": one.reach, "at": one.at, "dx": one.dx} for one in curves()}
        function_box(LAB, settings, offered, _say("function"), _say("function_help"))
        ends = (-settings.reach, settings.reach)
        with st.container(width=220):
            st.slider(_say("at"), *ends, step=settings.spacing, format="%.4g", **shown(LAB, settings, "at"))
        with st.container(width=220):
            st.slider(
                _say("step"), *_step_range(settings), step=settings.spacing, format="%.4g", **shown(LAB, settings, "dx")
            )
        st.selectbox(
            _say("reach"),
            REACHES if settings.reach in REACHES else (*REACHES, settings.reach),
            format_func=lambda reach: f"±{reach:g}",
            help=_say("reach_help"),
            width=110,
            **shown(LAB, settings, "reach"),
        )
        st.toggle(_say("second"), help=_say("second_help"), **shown(LAB, settings, "second"))


def _step_range(settings: DerivativeSettings) -> tuple[float, float]:
    """dx reaches over half the curve, as far as the curve goes."""
    place, most = settings.place, HALF
    return -min(most, place) * settings.spacing, min(most, POINTS - 1 - place) * settings.spacing


def _picture(program: str, settings: DerivativeSettings) -> None:
    recording = recording_of(program)
    if recording is not None and not advise(advice_on(recording)):
        curve = read_curve(recording, settings)
        special = special_points(curve)
        _charts(curve, special, settings)
        _notes(curve, special)
    program_shown(program, point_program(settings), _say("explore", x=number(settings.at)))


def _charts(curve: Curve, special: tuple[Special, ...], settings: DerivativeSettings) -> None:
    x, slope = number(settings.at), float(curve.slope[curve.place])
    left, right = st.columns([2.3, 1], gap="medium")
    with left:
        figure = curve_figure(curve, special, theme(), language())
        chart(figure, CURVE, _say("alt", f=settings.f, x=x, slope=number(slope)), _follow_click)
    with right:
        number_table(
            [
                ("x", number_text(settings.at), ""),
                ("f(x)", number_text(float(curve.y[curve.place])), "sent"),
                ("f′(x)", number_text(slope), "done"),
                ("dx", number_text(curve.step + 0.0), "muted"),
                (_say("numbers_dy"), number_text(curve.dy + 0.0), "running"),
                (_say("numbers_rise"), number_text(curve.rise + 0.0), "sent"),
                (_say("numbers_gap"), number_text(curve.gap + 0.0), "cut"),
            ]
        )
        chart(gap_figure(curve, theme(), language()), "derivative-gap", _say("gap_alt"))


def _follow_click() -> None:
    """Moves x to the clicked point."""
    points = clicked(CURVE)
    if points:
        change(LAB, at=float(points[0]["x"]))


def _notes(curve: Curve, special: tuple[Special, ...]) -> None:
    for one in special[:MOST_NOTES]:
        st.text(special_text(curve, one, language()))
    if len(special) > MOST_NOTES:
        st.caption(_say("more_special", count=len(special) - MOST_NOTES))


def _trick(settings: DerivativeSettings) -> None:
    with st.expander(_say("trick_title", count=POINTS), icon=":material/functions:"):
        st.markdown(_say("trick"))
        program = sum_program(settings)
        st.code(program, language="python")
        explore_link(program, _say("trick_explore"))


def _say(key: str, /, **values: object) -> str:
    return text(f"lab_derivative.{key}", language(), **values)


derivative_page()

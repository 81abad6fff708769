"""The first lab: derivative and differential of a function of one number."""

from __future__ import annotations

from functools import partial

import streamlit as st

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
from explorer.ui.labs.charts import chart
from explorer.ui.labs.frame import explore_link, number_table, program_shown, recording_of, shown, take_point
from explorer.ui.labs.function_lab import function_lab, function_row, reach_box
from explorer.ui.style import theme
from explorer.ui.words import language

LAB = "derivative"
REACHES = (1.0, 2.0, 2.5, 4.0, 6.0, 10.0, 20.0, 100.0)
MOST_NOTES = 3


def derivative_page() -> None:
    """Draws the page."""
    function_lab(LAB, DerivativeSettings, _controls, _picture)


def _controls(settings: DerivativeSettings) -> None:
    offered = {one.f: {"f": one.f, "reach": one.reach, "at": one.at, "dx": one.dx} for one in curves()}
    with function_row(LAB, settings, offered):
        ends = (-settings.reach, settings.reach)
        with st.container(width=220):
            st.slider(_say("at"), *ends, step=settings.spacing, format="%.4g", **shown(LAB, settings, "at"))
        with st.container(width=220):
            st.slider(
                _say("step"), *_step_range(settings), step=settings.spacing, format="%.4g", **shown(LAB, settings, "dx")
            )
        reach_box(LAB, settings, REACHES)
        st.toggle(_say("second"), help=_say("second_help"), **shown(LAB, settings, "second"))


def _step_range(settings: DerivativeSettings) -> tuple[float, float]:
    """dx reaches over half the curve, as far as the curve goes."""
    place, most = settings.place, HALF
    return -min(most, place) * settings.spacing, min(most, POINTS - 1 - place) * settings.spacing


def _picture(settings: DerivativeSettings) -> None:
    program = program_text(settings)
    recording = recording_of(program, advice_on=advice_on)
    if recording is not None:
        curve = read_curve(recording, settings)
        special = special_points(curve)
        _charts(curve, special, settings)
        _notes(curve, special)
    program_shown(program, point_program(settings), _say("explore", x=number(settings.at)))
    _trick(settings)


def _charts(curve: Curve, special: tuple[Special, ...], settings: DerivativeSettings) -> None:
    x, slope = number(settings.at), float(curve.slope[curve.place])
    left, right = st.columns([2.3, 1], gap="medium")
    with left:
        figure = curve_figure(curve, special, theme(), language())
        alt = _say("alt", f=settings.f, x=x, slope=number(slope))
        chart(figure, "derivative-curve", alt, partial(take_point, LAB, x="at"))
        st.caption(_say("click"))
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

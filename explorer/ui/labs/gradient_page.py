"""The second lab: the gradient of a function of two numbers."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.i18n import text
from explorer.labs.gradient import (
    ANGLE_STEP,
    GradientSettings,
    Surface,
    advice_on,
    point_program,
    program_text,
    read_surface,
    surfaces,
)
from explorer.labs.gradient_figures import contour_figure, slopes_figure, surface_figure
from explorer.model.text import number_text
from explorer.ui.labs.charts import chart
from explorer.ui.labs.frame import number_table, program_shown, recording_of, shown, take_point
from explorer.ui.labs.function_lab import function_lab, function_row, reach_box, view_switch
from explorer.ui.style import theme
from explorer.ui.words import language

LAB = "gradient"
REACHES = (1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 100.0)


def gradient_page() -> None:
    """Draws the page."""
    function_lab(LAB, GradientSettings, _controls, _picture)


def _controls(settings: GradientSettings) -> None:
    offered = {one.gradient.f: _fields(one.gradient) for one in surfaces()}
    with function_row(LAB, settings, offered):
        with st.container(width=170):
            st.slider("x", -settings.reach, settings.reach, step=settings.spacing, **shown(LAB, settings, "at_x"))
        with st.container(width=170):
            st.slider("y", -settings.reach, settings.reach, step=settings.spacing, **shown(LAB, settings, "at_y"))
        with st.container(width=170):
            st.slider(
                _say("angle"), 0, 360 - ANGLE_STEP, step=ANGLE_STEP, format="%d°", **shown(LAB, settings, "angle")
            )
        reach_box(LAB, settings, REACHES)
        view_switch(LAB, settings)


def _fields(settings: GradientSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in ("f", "reach", "at_x", "at_y", "angle")}


def _picture(settings: GradientSettings) -> None:
    program = program_text(settings)
    recording = recording_of(program, advice_on=advice_on)
    if recording is not None:
        _charts(read_surface(recording, settings), settings)
    program_shown(program, point_program(settings), _say("explore"))


def _charts(surface: Surface, settings: GradientSettings) -> None:
    x, y, gx, gy = (f"{number + 0.0:.4g}" for number in (*surface.at, *surface.gradient))
    alt = _say("alt", f=settings.f, x=x, y=y, gx=gx, gy=gy)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        if settings.view == "contour":
            follow_click = partial(take_point, LAB, x="at_x", y="at_y")
            chart(contour_figure(surface, settings, theme()), "gradient-map", alt, follow_click, height="stretch")
        else:
            chart(surface_figure(surface, settings, theme()), "gradient-surface", alt, height="stretch")
    with right:
        _numbers(surface, settings)
        chart(slopes_figure(surface, settings, theme(), language()), "gradient-slopes", _say("slopes_alt"))
        st.caption(_say("slopes_note" if surface.is_smooth else "slopes_differ"))
    parts = ("click", "arrows", surface.bend, "ellipse") if settings.view == "contour" else (surface.bend, "plane")
    st.caption(" ".join(map(_say, parts)))


def _numbers(surface: Surface, settings: GradientSettings) -> None:
    values = [number_text(number + 0.0) for number in (surface.value, *surface.gradient, *surface.hessian.ravel())]
    z, gx, gy, xx, xy, yx, yy = values
    rows = [
        ("f(x, y)", z, ""),
        ("∇f = (∂f/∂x, ∂f/∂y)", f"{gx}, {gy}", "done"),
        (_say("along"), number_text(surface.along(settings.angle) + 0.0), "running"),
        (_say("steepest"), number_text(surface.steepest), "done"),
        (_say("hessian"), f"[{xx}, {xy}], [{yx}, {yy}]", "cut"),
    ]
    if surface.curvatures is not None:
        rows.append((_say("curve"), ", ".join(number_text(one + 0.0) for one in surface.curvatures), "cut"))
    number_table(rows)


def _say(key: str, /, **values: object) -> str:
    return text(f"lab_gradient.{key}", language(), **values)


gradient_page()

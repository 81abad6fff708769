"""The lab of descent: an optimizer's path on a map, and what mistakes do to it."""

from __future__ import annotations

from functools import partial

import msgspec
import streamlit as st

from explorer.i18n import text
from explorer.labs.descent import MOST_STEPS, Descent, DescentSettings, program_text, read_descent
from explorer.labs.descent_figures import BELOW, BESIDE, descent_figure
from explorer.labs.gradient import map_program, read_map, surfaces
from explorer.model.text import number_text
from explorer.ui.labs.charts import chart
from explorer.ui.labs.frame import program_shown, recording_of, shown, take_point
from explorer.ui.labs.function_lab import function_lab, function_row, view_switch
from explorer.ui.style import is_phone, theme
from explorer.ui.words import language

LAB = "descent"
OPTIMIZERS = ("sgd", "momentum", "adam", "hand")
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.5, 0.6, 0.8, 1.0, 1.5)
MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
MISTAKES = ("forget_zero_grad", "forget_no_grad", "step_first")
EXPLORED_STEPS = 3


def descent_page() -> None:
    """Draws the page."""
    function_lab(LAB, DescentSettings, _controls, _picture)


def _controls(settings: DescentSettings) -> None:
    offered = {
        one.gradient.f: {
            "f": one.gradient.f,
            "reach": one.gradient.reach,
            "start_x": one.start_x,
            "start_y": one.start_y,
            "lr": one.lr,
        }
        for one in surfaces()
    }
    with function_row(LAB, settings, offered):
        st.selectbox(_say("optimizer"), OPTIMIZERS, format_func=_say, width=150, **shown(LAB, settings, "optimizer"))
        rates = sorted({*RATES, settings.lr})
        with st.container(width=190):
            st.select_slider(_say("lr"), rates, format_func=lambda rate: f"{rate:g}", **shown(LAB, settings, "lr"))
        if settings.optimizer == "momentum":
            momenta = sorted({*MOMENTA, settings.momentum})
            with st.container(width=150):
                st.select_slider(_say("momentum_value"), momenta, **shown(LAB, settings, "momentum"))
        with st.container(width=170):
            st.slider(_say("steps"), 1, MOST_STEPS, **shown(LAB, settings, "steps"))
        view_switch(LAB, settings)
    _mistakes(settings)


def _mistakes(settings: DescentSettings) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="lab-mistakes"):
        st.html(f"<span class='row-name'>{_say('mistakes')}</span>", width="content")
        for name in MISTAKES:
            st.toggle(
                _say(name),
                help=_say(f"{name}_help"),
                disabled=name == "forget_no_grad" and settings.optimizer != "hand",
                **shown(LAB, settings, name),
            )


def _picture(settings: DescentSettings) -> None:
    program = program_text(settings)
    for name in settings.mistakes:
        by_hand = "_hand" if name == "step_first" and settings.optimizer == "hand" else ""
        st.text(_say(f"said_{name}{by_hand}"))
    recording = recording_of(program)
    ground = recording_of(map_program(settings.f, settings.reach)) if recording or settings.mistakes else None
    if ground is not None:
        right = recording_of(program_text(settings.without_mistakes())) if settings.mistakes else None
        gone = read_descent(recording) if recording is not None else None
        _summary(gone, settings)
        follow_click = partial(take_point, LAB, x="start_x", y="start_y")
        sound = read_descent(right) if right is not None else None
        room = BELOW if is_phone() else BESIDE
        figure = descent_figure(read_map(ground), gone, sound, settings, theme(), language(), room)
        is_map = settings.view == "contour"
        chart(figure, "descent-picture", _alt(gone, settings), follow_click if is_map else None)
        if is_map:
            st.caption(_say("click"))
    first_steps = msgspec.structs.replace(settings, steps=min(settings.steps, EXPLORED_STEPS))
    program_shown(program, program_text(first_steps), _say("explore"))


def _summary(gone: Descent | None, settings: DescentSettings) -> None:
    """One line of numbers above the picture, of constant height."""
    if gone is None:
        return
    st.caption(_say("numbers", steps=settings.steps, **_ends(gone)))
    if (step := gone.first_not_finite) is not None:
        st.warning(_say("not_finite", step=step), icon=":material/warning:")


def _ends(gone: Descent) -> dict[str, str]:
    x, y = gone.path[-1]
    first, last = gone.losses[0], gone.losses[-1]
    return {name: number_text(value) for name, value in (("x", x), ("y", y), ("first", first), ("last", last))}


def _alt(gone: Descent | None, settings: DescentSettings) -> str:
    if gone is None:
        return _say("alt_failed", f=settings.f)
    ends = _ends(gone)
    return _say("alt", f=settings.f, steps=settings.steps, first=ends["first"], last=ends["last"])


def _say(key: str, /, **values: object) -> str:
    return text(f"lab_descent.{key}", language(), **values)


descent_page()

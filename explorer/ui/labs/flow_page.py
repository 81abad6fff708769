"""The lab of gradient flow: norms by layer or time step, of one network or two."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from explorer.labs.flow import (
    FlowSettings,
    Network,
    Reading,
    histogram_chart,
    histogram_height,
    norm_chart,
    program_text,
    read,
    verdict,
)
from explorer.labs.flow.program import FLOW_LIMITS, MOST_LEVELS, Activation, Aid, Initialisation, Kind, Width
from explorer.ui.labs.charts import chart
from explorer.ui.labs.controls import answer, segments, selection
from explorer.ui.labs.frame import explore_link, lab_head, load, program_shown, recording_of, save, shown, tell
from explorer.ui.style import theme
from explorer.ui.words import language

LAB = "flow"


def flow_page() -> None:
    """Draws the page."""
    lab_head(LAB)
    settings = load(LAB, FlowSettings)
    st.toggle(tell("lab_flow.control.compare"), **shown(LAB, settings, "compare"))
    programs = {letter: program_text(network, language()) for letter, network in settings.networks.items()}
    for letter in settings.networks:
        _controls(settings, letter)
    readings: dict[str, Reading] = {}
    for letter, program in programs.items():
        recording = recording_of(program, FLOW_LIMITS)
        if recording is None:  # it has been said why; the other one would only say so again
            break
        readings[letter] = read(recording)
    _shown({letter: (settings.networks[letter], reading) for letter, reading in readings.items()}, programs)
    save(LAB, settings)


def _controls(settings: FlowSettings, letter: str) -> None:
    kind = settings.networks[letter].kind
    with st.container(horizontal=True, vertical_alignment="top", key=f"lab-controls-{letter}"):
        if settings.compare:
            st.html(f"<span class='letter'>{letter.upper()}</span>", width="content")
        segments(LAB, settings, f"kind_{letter}", get_args(Kind), "kind")
        st.slider(
            tell(f"lab_flow.control.depth_{kind}"), 2, MOST_LEVELS, width=150, **shown(LAB, settings, f"depth_{letter}")
        )
        st.selectbox(
            tell("lab_flow.control.width"), get_args(Width), width=80, **shown(LAB, settings, f"width_{letter}")
        )
        selection(LAB, settings, f"activation_{letter}", get_args(Activation), "activation", width=110)
        selection(LAB, settings, f"initialisation_{letter}", get_args(Initialisation), "initialisation", width=150)
        st.slider(
            tell("lab_flow.control.gain"), 0.1, 8.0, step=0.1, width=150, **shown(LAB, settings, f"gain_{letter}")
        )
        selection(LAB, settings, f"aid_{letter}", get_args(Aid), "aid", width=150)


def _shown(networks: dict[str, tuple[Network, Reading]], programs: dict[str, str]) -> None:
    for letter, (network, reading) in networks.items():
        said = verdict(reading, network, language())
        sentence = said.sentence
        if len(programs) > 1:
            sentence = tell("lab_flow.said_of", name=letter.upper(), said=sentence)
        with st.container(horizontal=True, vertical_alignment="center", key=f"lab-row-{letter}"):
            answer(said.fate == "steady", sentence, key=f"lab-answer-{letter}")
            if reading.bad is not None:
                label = tell("lab_flow.bad.show", what=reading.bad.what)
                explore_link(programs[letter], label, ":material/my_location:", reading.bad.step)
    if networks:
        rows = [(letter.upper(), network, reading) for letter, (network, reading) in networks.items()]
        chart(norm_chart(rows, theme(), language()), "flow-norms", tell("lab_flow.chart.norms"))
    height = max((histogram_height(reading) for _, reading in networks.values()), default=0)
    for column, (letter, (_, reading)) in zip(st.columns(max(len(networks), 1)), networks.items(), strict=False):
        with column:
            figure = histogram_chart(letter.upper(), reading, theme(), language(), height)
            chart(figure, f"flow-histogram-{letter}", tell("lab_flow.chart.histogram", name=letter.upper()))
    for column, program in zip(st.columns(len(programs)), programs.values(), strict=True):
        with column:
            program_shown(program)


flow_page()

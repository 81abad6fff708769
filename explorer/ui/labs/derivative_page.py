"""The first lab: derivative and differential of a function of one number."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.labs.derivative import DerivativeSettings, curve_figure, program_text
from explorer.ui.labs.frame import chart, lab_head, load, program_shown, recording_of, save, shown, tell
from explorer.ui.panels.inspector import theme
from explorer.ui.words import language, said

LAB = "derivative"


def derivative_page() -> None:
    """Draws the page."""
    lab_head(LAB)
    settings = load(LAB, DerivativeSettings)
    st.text_input("f(x)", label_visibility="collapsed", **shown(LAB, settings, "f"))
    try:
        program = program_text(settings)
    except ExplorerError as error:
        st.warning(said(error), icon=":material/error:")
        return
    if (recording := recording_of(program)) is not None:
        chart(curve_figure(recording, settings, theme(), language()), "derivative-curve", tell("labs.derivative.lead"))
        program_shown(program)
    save(LAB, settings)


derivative_page()

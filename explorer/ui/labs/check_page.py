"""The lab that checks a gradient: autograd, finite differences, forward mode."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.gallery import function, functions
from explorer.labs.check import STEPS, CheckSettings, Reading, error_chart, program_text, read, reasons, verdict
from explorer.labs.check.program import CHECK_LIMITS
from explorer.labs.check.verdict import step_text
from explorer.model import Recording
from explorer.model.text import number_text
from explorer.program.functions import function_of
from explorer.runner import Completed, Stopped
from explorer.ui.labs.charts import chart
from explorer.ui.labs.controls import answer
from explorer.ui.labs.frame import (
    comparison_table,
    lab_head,
    load,
    program_shown,
    recording_of,
    refusal,
    save,
    shown,
    tell,
)
from explorer.ui.panels.endings import WITHOUT_LIMIT
from explorer.ui.runs import Task, ending_of
from explorer.ui.style import theme
from explorer.ui.words import language

LAB = "check"
OWN = ""
LAST_PICKED = "lab-check-last-picked"  # what the user's own program starts from
NOT_SCALAR = "created only for scalar outputs"


def check_page() -> None:
    """Draws the page."""
    lab_head(LAB)
    settings = load(LAB, CheckSettings)
    program = _chosen(settings)
    try:
        check = program_text(program, language())
    except ExplorerError as error:
        refusal(error, ":material/lightbulb:")
        save(LAB, settings)
        return
    recording = recording_of(check, CHECK_LIMITS, advice_on_failure=_advice)
    if recording is None:
        _problem(check)
    else:
        _shown(read(recording), recording, settings, program)
    program_shown(check, explored=program)
    save(LAB, settings)


def _chosen(settings: CheckSettings) -> str:
    """The program to check: one of the gallery's, or the user's own."""
    titles = {one.id: one.title(language()) for one in functions() if not one.is_loop}
    known = settings.function if settings.function in titles else OWN
    with st.container(horizontal=True, vertical_alignment="bottom", key="lab-controls"):
        st.selectbox(
            tell("lab_check.control.program"),
            [OWN, *titles],
            format_func=lambda one: titles.get(one) or tell("lab_check.control.own"),
            width=380,
            **shown(LAB, settings, "function", known),
        )
    if known != OWN:
        st.session_state[LAST_PICKED] = known
        return function(known).code
    start = settings.code or function(st.session_state.get(LAST_PICKED, CheckSettings().function)).code
    st.text_area(
        tell("lab_check.control.text"),
        height=220,
        help=tell("lab_check.control.text_help"),
        **shown(LAB, settings, "code", start),
    )
    return start


def _shown(reading: Reading, recording: Recording, settings: CheckSettings, program: str) -> None:
    verdict_ = verdict(reading, language())
    found = reasons(reading, recording, program, language())
    answer(verdict_.kind == "agree", verdict_.sentence, [reason.sentence for reason in found])
    step = reading.best if settings.step < 0 else settings.step
    table, curve = st.columns([6, 5], gap="medium")
    with curve:
        chart(error_chart(reading, step, theme(), language()), "check-errors", tell("lab_check.chart.errors"))
        st.select_slider(
            tell("lab_check.control.step"),
            range(len(STEPS) - 1, -1, -1),
            format_func=lambda index: step_text(STEPS[index]),
            **shown(LAB, settings, "step", step),
        )
    with table:
        comparison_table(tell("lab_check.table.name"), _table(reading, step))
        _notes(reading, program)


def _table(reading: Reading, step: int) -> dict[str, list[str]]:
    """One row per element: its slope by every way."""
    columns: dict[str, list[str]] = {}

    def put(name: str, cells: list[str], **values: str) -> None:
        columns[tell(f"lab_check.table.{name}", **values)] = cells

    double = reading.double
    put("element", list(reading.names))
    put("agrees", [tell(f"lab_check.table.{'yes' if agrees else 'no'}") for agrees in reading.agrees])
    put("reverse", list(map(number_text, double.reverse.tolist())))
    if reading.forward is not None:
        put("forward", list(map(number_text, reading.forward.tolist())))
    put("central", list(map(number_text, double.central[step].tolist())))
    put("difference", list(map(number_text, double.errors[step].tolist())))
    if reading.own.dtype != double.dtype:
        put("own", list(map(number_text, reading.own.reverse.tolist())), dtype=reading.own.dtype)
    return columns


def _notes(reading: Reading, program: str) -> None:
    function_ = function_of(program)
    if reading.total > len(reading.names):
        st.caption(tell("lab_check.note.first", total=reading.total, count=len(reading.names)))
    for name in ("fixed_modules", "unused"):
        if names := getattr(function_, name):
            st.caption(tell(f"lab_check.note.{name}", names=", ".join(f"`{one}`" for one in names)))
    if reading.forward is None:
        st.text(tell("lab_check.note.no_forward", message=reading.forward_error))
    st.caption(tell(f"lab_check.note.gradcheck_{'disagrees' if reading.gradcheck else 'agrees'}"))
    if reading.gradcheck:
        st.code(reading.gradcheck, language=None, wrap_lines=True)


def _problem(check: str) -> None:
    """What to change, where torch's own words do not say so."""
    ending = ending_of(Task(check, CHECK_LIMITS))
    # Completed, yet with more than a recording holds; or stopped at a limit.
    if isinstance(ending, Completed) or (isinstance(ending, Stopped) and ending.reason not in WITHOUT_LIMIT):
        st.info(tell("lab_check.problem.too_long"), icon=":material/lightbulb:")


def _advice(failed: Recording) -> str | None:
    """Key of what to change after an error, where it is more to the point than the hint that any program gets."""
    is_not_scalar = failed.error is not None and NOT_SCALAR in failed.error.message
    return "lab_check.problem.not_scalar" if is_not_scalar else None


check_page()

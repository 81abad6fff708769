"""The lab of accumulation: full batch against micro-batches."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from explorer.labs.accumulation import (
    AccumulationSettings,
    Reading,
    gradient_chart,
    memory_chart,
    part_sizes,
    program_text,
    read,
    verdict,
)
from explorer.labs.accumulation.program import MOST_SAMPLES, Between, Loss, Model, Scaling
from explorer.model.text import number_text, shape_text
from explorer.ui.labs.charts import chart
from explorer.ui.labs.controls import answer, segments, selection
from explorer.ui.labs.frame import comparison_table, lab_head, load, program_shown, recording_of, save, shown, tell
from explorer.ui.style import theme
from explorer.ui.words import language

LAB = "accumulation"
MOST_STEPS = 10_000  # a difference of more steps of float32 is no matter of rounding, and the number says nothing


def accumulation_page() -> None:
    """Draws the page."""
    lab_head(LAB)
    settings = load(LAB, AccumulationSettings)
    _controls(settings)
    program = program_text(settings, language())
    has_one_alone = settings.model == "batch_norm" and 1 in part_sizes(settings)
    recording = recording_of(
        program, advice_on_failure=lambda _: "lab_accumulation.problem.one_sample" if has_one_alone else None
    )
    if recording is not None:
        _shown(read(recording), settings)
    program_shown(program)
    save(LAB, settings)


def _controls(settings: AccumulationSettings) -> None:
    with st.container(horizontal=True, vertical_alignment="top", key="lab-controls"):
        segments(LAB, settings, "model", get_args(Model))
        segments(LAB, settings, "loss", get_args(Loss))
        selection(LAB, settings, "scaling", get_args(Scaling), width=240)
        selection(LAB, settings, "between", get_args(Between), width=240)
    with st.container(horizontal=True, vertical_alignment="center", key="lab-sliders"):
        for field, least in (("samples", 2), ("size", 1)):
            st.slider(tell(f"lab_accumulation.control.{field}"), least, MOST_SAMPLES, **shown(LAB, settings, field))


def _shown(reading: Reading, settings: AccumulationSettings) -> None:
    said = verdict(reading, settings, language())
    answer(said.kind == "equal", said.sentence, said.reasons)
    figure = gradient_chart(reading, settings, theme(), language())
    chart(figure, "accumulation-gradients", tell("lab_accumulation.chart.gradients"))
    table, memory = st.columns(2, gap="medium")
    with table:
        comparison_table(tell("lab_accumulation.table.name"), _table(reading))
    with memory:
        name = "same" if len(part_sizes(settings)) == 1 else "both"
        sentence = tell(f"lab_accumulation.memory.{name}", full=reading.full.peak, micro=reading.micro.peak)
        st.caption(sentence)
        chart(memory_chart(reading, theme(), language()), "accumulation-memory", sentence)


def _table(reading: Reading) -> dict[str, list[str]]:
    """One row per parameter: the gradients' norms, and how far they are apart."""
    columns: dict[str, list[str]] = {}
    varies = tell("lab_accumulation.table.varies")

    def put(name: str, cells: list[str]) -> None:
        columns[tell(f"lab_accumulation.table.{name}")] = cells

    put("parameter", [f"{one.name} {shape_text(one.shape)}" for one in reading.gradients])
    put("full", [number_text(one.norms[0]) for one in reading.gradients])
    put("micro", [number_text(one.norms[1]) for one in reading.gradients])
    put("factor", [varies if one.ratio is None else f"{one.ratio:.4g}" for one in reading.gradients])
    put("difference", [number_text(one.difference) for one in reading.gradients])
    if all(one.ulps <= MOST_STEPS for one in reading.gradients):
        put("ulps", [f"{one.ulps:,}" for one in reading.gradients])
    return columns


accumulation_page()

"""Editors for the program's inputs. Each edit rewrites that literal in the program text and nothing else."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable

import streamlit as st

from explorer.errors import ExplorerError
from explorer.model import Number, Recording
from explorer.model.text import shape_text
from explorer.program.complex_numerals import is_complex, read_typed, typed
from explorer.program.edits import with_dtype, with_requires_grad, with_shape, with_values
from explorer.program.inputs import Input, find_inputs
from explorer.ui import state
from explorer.ui.keys import Key
from explorer.ui.words import said, say

MOST_FIELDS = 8
"""A vector with more elements is edited in a grid."""
DTYPES = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128", "int64", "bool")
FIELD_PIXELS = 104
COMPLEX_FIELD_PIXELS = 136
MOST_NAMES = 10
"""More inputs are chosen from a list."""
NAMES_PIXELS = 180


def input_editors(base: str, recording: Recording | None) -> None:
    """The row of editors for one of the inputs; which one is chosen where there are several.

    Args:
        base: The program text without what toggles add.
        recording: The last run, which knows the values of random inputs.
    """
    inputs, absent = _found(base)
    with st.container(horizontal=True, vertical_alignment="center", key="input-row"):
        st.html(f"<span class='row-name'>{say('inputs.name')}</span>", width="content")
        if not inputs:
            st.caption(say(f"inputs.{absent}"))
            return
        shown = _chosen(inputs)
        values = _known_values(shown, recording)
        if values is None:
            st.caption(say(f"inputs.{_why_unknown(shown, recording)}"))
        else:
            _values(shown, values)
        if shown.kind != "scalar":
            _marks(shown)


def _found(base: str) -> tuple[tuple[Input, ...], str]:
    """The inputs, and the key of what is said where there is none."""
    try:
        return find_inputs(base), "none"
    except ExplorerError:  # running it says so, with line and column
        return (), "unreadable"


def _chosen(inputs: tuple[Input, ...]) -> Input:
    names = [one.name for one in inputs]
    if len(names) == 1:
        st.markdown(f"`{names[0]}`", width="content")
        return inputs[0]
    asked = st.session_state.get(Key.SHOWN_INPUT)
    state.show(Key.SHOWN_INPUT, asked if asked in names else names[0])
    label = say("inputs.which")
    name: str | None
    if len(names) > MOST_NAMES:
        name = st.selectbox(label, names, key=Key.SHOWN_INPUT, label_visibility="collapsed", width=NAMES_PIXELS)
    else:
        name = st.segmented_control(label, names, key=Key.SHOWN_INPUT, label_visibility="collapsed", required=True)
    return inputs[names.index(name or names[0])]


def _known_values(shown: Input, recording: Recording | None) -> tuple[Number, ...] | None:
    if shown.values is not None or recording is None:
        return shown.values
    leaf = next((leaf for leaf in recording.leaves if leaf.name == shown.name and leaf.value.complete), None)
    return leaf.value.values if leaf else None


def _why_unknown(shown: Input, recording: Recording | None) -> str:
    has_run = recording is not None and any(leaf.name == shown.name for leaf in recording.leaves)
    return "too_large" if has_run else "unknown"


def _values(shown: Input, values: tuple[Number, ...]) -> None:
    if shown.shape is None or not all(isinstance(value, int | float | str) for value in values):
        st.caption(say("inputs.unknown"))
    elif math.prod(shown.shape) == 0:
        st.caption(say("inputs.empty"))
    elif shown.shape == () and _is_real(values[0]):
        _slider(shown, values[0])
        _field(shown, values, 0)
    elif len(shown.shape) == 1 and len(values) <= MOST_FIELDS and all(map(_is_real, values)):
        for index in range(len(values)):
            _field(shown, values, index)
    elif len(shown.shape) <= 1 and len(values) <= MOST_FIELDS and any(map(is_complex, values)):
        for index in range(len(values)):
            _complex_field(shown, values, index)
    else:
        label = say("inputs.grid", shape=shape_text(shown.shape))
        with st.popover(label, icon=":material/grid_on:", key=f"grid-of-{shown.name}"):
            _grid(shown, values)


def _is_real(value: Number) -> bool:
    return isinstance(value, bool | int | float) or value in ("nan", "inf", "-inf")


def _field(shown: Input, values: tuple[Number, ...], index: int) -> None:
    key = f"value-{shown.name}-{index}"
    whole = _is_whole(shown)
    state.show(key, int(float(values[index])) if whole else float(values[index]))
    st.number_input(
        say("inputs.element", name=shown.name, index=index),
        value=None,  # emptied, it goes back to its number
        key=key,
        step=1 if whole else 0.5,
        format="%d" if whole else "%.12g",
        label_visibility="collapsed",
        width=FIELD_PIXELS,
        on_change=_edit,
        args=(
            key,
            lambda text, value: with_values(text, shown.name, _replaced(values, index, value), shown.shape or ()),
        ),
    )


def _complex_field(shown: Input, values: tuple[Number, ...], index: int) -> None:
    key = f"complex-{shown.name}-{index}"
    state.show(key, typed(values[index]))
    st.text_input(
        say("inputs.element", name=shown.name, index=index),
        key=key,
        label_visibility="collapsed",
        width=COMPLEX_FIELD_PIXELS,
        on_change=_edit,
        args=(
            key,
            lambda text, written: with_values(
                text, shown.name, _replaced(values, index, read_typed(written)), shown.shape or ()
            ),
        ),
    )


def _slider(shown: Input, value: Number) -> None:
    if not math.isfinite(float(value)):
        return
    key = f"slider-{shown.name}"
    reach = max(5.0, 2 ** math.ceil(math.log2(abs(float(value)) * 2 or 1.0)))
    whole = _is_whole(shown)
    cast: Callable[[float], float] = int if whole else float
    state.show(key, cast(float(value)))
    st.slider(
        shown.name,
        cast(-reach),
        cast(reach),
        key=key,
        step=1 if whole else 0.1,
        label_visibility="collapsed",
        width=220,
        on_change=_edit,
        args=(key, lambda text, moved: with_values(text, shown.name, (_rounded(moved),), ())),
    )


def _grid(shown: Input, values: tuple[Number, ...]) -> None:
    shape = shown.shape or ()
    columns = shape[-1]
    cells = tuple(typed(value) if is_complex(value) else value for value in values)
    rows = [list(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    key = f"grid-{shown.name}-{hash((values, shape))}"
    edited = st.data_editor(
        {str(column): [row[column] for row in rows] for column in range(columns)}, key=key, hide_index=False
    )
    flat = tuple(edited[str(column)][row] for row in range(len(rows)) for column in range(columns))
    if flat == cells or any(value is None for value in flat):
        return
    try:
        new = tuple(map(_read_cell, values, cells, flat))
        state.put_base_text(with_values(_base(), shown.name, new, shape))
    except ExplorerError as error:
        st.toast(said(error), icon=":material/error:")
    else:
        st.rerun()


def _read_cell(value: Number, cell: Number, edited: Number) -> Number:
    """What a cell says now; it may show fewer digits than its number has."""
    if not is_complex(value):
        return edited
    return value if edited == cell else read_typed(str(edited))


def _marks(shown: Input) -> None:
    key = f"requires-grad-{shown.name}"
    state.show(key, shown.requires_grad)
    st.checkbox(
        "requires_grad",
        key=key,
        on_change=_edit,
        args=(key, lambda text, value: with_requires_grad(text, shown.name, value)),
    )
    label = f"{shown.dtype or 'dtype'} {shape_text(shown.shape or ())}"
    with st.popover(label, icon=":material/tune:", key=f"marks-of-{shown.name}"):  # stays open while its label changes
        _dtype(shown)
        _shape(shown)


def _dtype(shown: Input) -> None:
    key = f"dtype-{shown.name}"
    state.show(key, shown.dtype)
    options = DTYPES if shown.dtype in (None, *DTYPES) else (*DTYPES, shown.dtype)
    st.selectbox(
        "dtype",
        options,
        key=key,
        index=None,
        on_change=_edit,
        args=(key, lambda text, value: with_dtype(text, shown.name, value)),
        help=say("inputs.dtype_help"),
    )


def _shape(shown: Input) -> None:
    key = f"shape-{shown.name}"
    state.show(key, ", ".join(map(str, shown.shape or ())))
    st.text_input(
        say("inputs.shape"),
        key=key,
        help=say("inputs.shape_help"),
        on_change=_edit,
        args=(key, lambda text, value: with_shape(text, shown.name, _sizes(value), shown.values)),
    )


def _sizes(written: str) -> tuple[int, ...]:
    parts = [part.strip() for part in unicodedata.normalize("NFKC", written).strip("()[] ").split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ExplorerError("ui.inputs.bad_shape", written=written)
    return tuple(map(int, parts))


def _edit(key: str, rewrite: Callable[[str, object], str]) -> None:
    """Takes an edit from its widget into the program's text."""
    value = st.session_state[key]
    if value is None:
        return
    try:
        state.put_base_text(rewrite(_base(), value))
    except ExplorerError as error:
        st.toast(said(error), icon=":material/error:")


def _base() -> str:
    return state.base_text(state.choices())


def _replaced(values: tuple[Number, ...], index: int, value: object) -> tuple[Number, ...]:
    assert isinstance(value, int | float | str)
    return (*values[:index], value, *values[index + 1 :])


def _rounded(moved: object) -> float | int:
    assert isinstance(moved, int | float)
    return moved if isinstance(moved, int) else round(moved, 6)


def _is_whole(shown: Input) -> bool:
    return shown.constructor == "int" or "int" in (shown.dtype or "") or shown.dtype == "bool"

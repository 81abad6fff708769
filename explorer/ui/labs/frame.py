"""What all labs share: masthead and links, settings in session and address, runs, the program shown."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import streamlit as st

from explorer.errors import ExplorerError, LinkInvalid
from explorer.i18n import text
from explorer.labs.advice import advice_on_error
from explorer.labs.reading import LAB_LIMITS
from explorer.labs.settings import Settings, from_parameters, to_parameters
from explorer.model import Recording
from explorer.program.choices import Choices
from explorer.program.link import encode
from explorer.render.palette import PALETTES
from explorer.runner import Completed, Failed, Limits
from explorer.ui.keys import Parameter
from explorer.ui.labs import LABS
from explorer.ui.labs.charts import keep_charts
from explorer.ui.panels.endings import ending_message
from explorer.ui.panels.masthead import masthead
from explorer.ui.panels.waiting import awaited
from explorer.ui.runs import Task
from explorer.ui.state import link_parameters, show
from explorer.ui.style import style, theme
from explorer.ui.words import language, said


def lab_head(lab: str) -> None:
    """The first lines of every lab: masthead, links between the labs, and one sentence on what is to be seen here."""
    style()
    masthead()
    with st.container(horizontal=True, vertical_alignment="center", key="labs-row"):
        for name, page in LABS.items():
            st.page_link(page, label=tell(f"labs.{name}.name"))
    st.markdown(tell(f"labs.{lab}.lead"))


def tell(key: str, /, **values: object) -> str:
    """The sentence for a whole key, in the session's language."""
    return text(key, language(), **values)


# ── settings ────────────────────────────────────────────────────────────────────


def load(lab: str, kind: type[Settings]) -> Settings:
    """The lab's settings: the address bar's where somebody else than this page wrote it, else the session's."""
    parameters = link_parameters()
    key, written = f"lab-{lab}", f"lab-{lab}-written"
    if key not in st.session_state or parameters not in ({}, st.session_state.get(written)):
        st.session_state[written] = parameters
        try:
            st.session_state[key] = from_parameters(kind, parameters)
        except LinkInvalid as error:
            refusal(error, ":material/link_off:")
            st.session_state[key] = kind()
    settings: Settings = st.session_state[key]
    return settings


def save(lab: str, settings: Settings) -> None:
    """To be called where a lab's page ends: writes its settings to the address bar.

    Only if they changed, and once: every write is a step in the history.
    """
    keep_charts()
    try:
        wanted = to_parameters(settings)
    except LinkInvalid:  # too long for an address; the page works all the same
        wanted = {}
    st.session_state[f"lab-{lab}-written"] = wanted
    if wanted != link_parameters() or st.query_params.get(Parameter.LANGUAGE) != language():
        st.query_params.from_dict({**wanted, str(Parameter.LANGUAGE): language()})


def change(lab: str, **fields: Any) -> None:
    """Changes some of a lab's settings; the address bar is of before, it may lack even what was changed last."""
    key = f"lab-{lab}"
    st.session_state[f"{key}-written"] = link_parameters()
    st.session_state[key] = msgspec.structs.replace(st.session_state[key], **fields)


def take(lab: str, field: str, read: Callable[[Any], Any] = lambda value: value) -> None:
    """Takes a setting from its widget, `widget_key(lab, field)`; a widget that lost its value changes nothing."""
    value = st.session_state[widget_key(lab, field)]
    if value is not None:
        change(lab, **{field: read(value)})


def widget_key(lab: str, field: str) -> str:
    """The key of the widget that shows a setting."""
    return f"{lab}-{field}"


def shown(lab: str, settings: Settings, field: str, value: Any = None) -> dict[str, Any]:
    """A widget's arguments: it shows the setting and its change is taken back into it.

    Args:
        lab, settings, field: Which setting.
        value: What the widget shows, where it is not the setting as it is.
    """
    key = widget_key(lab, field)
    value = getattr(settings, field) if value is None else value
    show(key, value, _is_same)
    return {"key": key, "on_change": take, "args": (lab, field)}


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return type(one) is type(other) and one == other


# ── runs ────────────────────────────────────────────────────────────────────────


def recording_of(
    program: str,
    limits: Limits = LAB_LIMITS,
    advice_on: Callable[[Recording], str | None] = lambda _: None,
    advice_on_failure: Callable[[Recording], str | None] = advice_on_error,
) -> Recording | None:
    """The recording of a lab's program; where it is none that can be shown, says why and returns None.

    Args:
        program, limits: What runs, and how far it may go.
        advice_on: The key of what to change, for a recording that ran to its end and still is nothing to draw.
        advice_on_failure: The same for one that an error ended; None where the lab knows nothing better than the hint
            that any program gets.
    """
    task = Task(program, limits)
    ending = awaited(st.empty(), task)
    if not isinstance(ending, Completed):
        advice = advice_on_failure(ending.recording) if isinstance(ending, Failed) else None
        ending_message(ending, task, None if advice is None else tell(advice))
    elif ending.recording.truncated:
        st.warning(tell("labs.truncated"), icon=":material/content_cut:")
    elif (advice := advice_on(ending.recording)) is not None:
        _advise(advice)
    else:
        return ending.recording
    return None


# ── what is shown ───────────────────────────────────────────────────────────────


def take_point(lab: str, point: Mapping[str, Any], **fields: str) -> None:
    """Takes a point of a chart.

    Args:
        lab, point: The lab, and the point's coordinates.
        fields: The setting that each coordinate goes to, such as x="at".
    """
    change(lab, **{field: float(point[axis]) for axis, field in fields.items()})


def refusal(error: ExplorerError, icon: str = ":material/edit:") -> None:
    """Why a link or a function was not taken."""
    st.warning(said(error), icon=icon)


def _advise(key: str | None) -> None:
    """Says why there is no picture and what to change, if there is something to say."""
    if key is not None:
        st.warning(tell(key), icon=":material/lightbulb:")


def number_table(rows: Sequence[tuple[str, str, str]]) -> None:
    """Names and numbers, one below the other.

    Args:
        rows: Name, number and the colour of the palette that it has in the charts ("" for none); nothing of it typed by
            a user.
    """
    palette = PALETTES[theme()]
    cells = [
        f"<tr><th><i style='background:{getattr(palette, color, 'none')}'></i>{html.escape(name)}</th>"
        f"<td>{html.escape(number)}</td></tr>"
        for name, number, color in rows
    ]
    st.html(f"<table class='lab-numbers'>{''.join(cells)}</table>")


def comparison_table(label: str, columns: Mapping[str, Sequence[str]]) -> None:
    """Rows that are named by their first cell; where there is no room for all of them, they are scrolled.

    Args:
        label: What is compared, for screen readers.
        columns: The cells below each heading.
    """
    head = "".join([f"<th scope='col'>{html.escape(name)}</th>" for name in columns])
    body = ""
    for name, *cells in zip(*columns.values(), strict=True):
        numbers = "".join([f"<td>{html.escape(cell)}</td>" for cell in cells])
        body += f"<tr><th scope='row'>{html.escape(name)}</th>{numbers}</tr>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    st.html(f"<div class='lab-table' role='group' tabindex='0' aria-label='{html.escape(label)}'>{table}</div>")


def program_shown(program: str, explored: str | None = None, label: str | None = None) -> None:
    """The way to the graph page, and the lab's program, folded.

    Args:
        program: What ran.
        explored: The program that the graph page opens with; the same where it is None.
        label: What the link says.
    """
    explore_link(program if explored is None else explored, label)
    with st.expander(tell("labs.program"), icon=":material/code:"):
        st.caption(tell("labs.program_caption"))
        st.code(program, language="python")


def explore_link(
    program: str, label: str | None = None, icon: str = ":material/account_tree:", step: int | None = None
) -> None:
    """The way to the graph page, with this very program; it opens at a step where one is given."""
    try:
        parameters = encode(Choices(text=program))
    except LinkInvalid:
        return
    at = {} if step is None else {str(Parameter.STEP): str(step)}
    st.page_link(
        "explorer/ui/explore_page.py",
        label=label or tell("labs.explore"),
        icon=icon,
        query_params={**parameters, **at, str(Parameter.LANGUAGE): language()},
    )

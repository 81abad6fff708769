"""What if: a menu of changes to the program that ran, and both runs side by side."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from explorer.i18n import text
from explorer.mistakes import answer_to
from explorer.model import Recording
from explorer.model.source import line_at
from explorer.model.text import short_text
from explorer.program.what_if import Change, Kind, changed, offers, written
from explorer.rules import error_topic
from explorer.rules.story import first_sentence
from explorer.runner import Completed, Failed
from explorer.ui import state
from explorer.ui.glossary.prose import prose
from explorer.ui.keys import Key, Parameter
from explorer.ui.markdown import plain
from explorer.ui.panels.endings import ending_message
from explorer.ui.panels.mistake_link import mistake_link
from explorer.ui.panels.side_by_side import side_by_side
from explorer.ui.panels.waiting import awaited
from explorer.ui.runs import Task
from explorer.ui.words import language


def chosen_change(recording: Recording) -> Change | None:
    """The change that is being looked at, or that a link asks for; None if there is none, or the program is another."""
    asked: str | None = st.session_state.pop(Key.WHAT_IF_ASKED, None)
    for change in offers(recording) if asked is not None else ():
        if written(change) == asked:
            st.session_state[Key.WHAT_IF] = (recording.source, change)
    found: tuple[str | None, Change] | None = st.session_state.get(Key.WHAT_IF)
    return found[1] if found is not None and found[0] == recording.source else None


def what_if_menu(recording: Recording) -> None:
    """The button that opens the menu: first what to change, then where."""
    menu = st.popover(
        _tell("name"), icon=":material/call_split:", key=Key.WHAT_IF_MENU, on_change="rerun", help=_tell("help")
    )
    if not menu.open:
        return
    with menu:
        st.caption(_tell("intro"))
        possible = offers(recording)
        names: dict[Kind, str] = {kind: _tell(f"kind.{kind}") for kind in get_args(Kind)}
        kind = st.pills(
            _tell("name"),
            names,
            key=Key.WHAT_IF_KIND,
            format_func=names.__getitem__,
            default="detach",
            required=True,
            label_visibility="collapsed",
        )
        of_kind = [change for change in possible if change.kind == kind]
        if not of_kind:
            st.caption(_tell("none"))
        with st.container(key="what-if-targets"):
            for change in of_kind:
                label = f"`{_code(recording, change)}`" if not change.name else _at_line(change)
                st.button(
                    label,
                    key=f"what-if-{change.kind}-{change.line}-{change.name}",
                    width="stretch",
                    on_click=_choose,
                    args=(recording.source, change),
                )


def what_if_stage(recording: Recording, change: Change) -> None:
    """Both programs side by side, with what the change did to the gradients in words."""
    with st.container(horizontal=True, vertical_alignment="center", key="what-if-row"):
        with st.container(width="stretch"):
            prose(_question(change), recording, language(), key="what-if-question", is_lead=True)
        text_after = changed(recording.source or "", change)
        st.button(_tell("keep"), icon=":material/check:", on_click=_keep, args=(text_after,))
        st.button(_tell("close"), icon=":material/arrow_back:", on_click=_close)
    task = Task(text_after)
    ending = awaited(st.empty(), task, _tell("running"))
    if not isinstance(ending, Completed | Failed):
        ending_message(ending, task)
        return
    with st.container(key="what-if-words"):
        prose(_summary(recording, ending.recording), ending.recording, language(), key="what-if-summary")
        _error(ending.recording)
    side_by_side(
        recording,
        ending.recording,
        titles=(_tell("before"), _tell("after")),
        signs=("1", "2"),
        key="what-if-pair",
        start=st.session_state.get(Key.START),
        address={str(Parameter.WHAT_IF): written(change)},
    )


def _error(recording: Recording) -> None:
    """Torch's words where the changed program failed, on one line, and the way to the mistake that explains them."""
    error = recording.error
    if error is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/error: **{plain(error.type)}**: {plain(first_sentence(error.message))}.")
        mistake_link(answer_to(f"error.{error_topic(recording)}"))


def _summary(before: Recording, after: Recording) -> str:
    """What became of every `.grad`."""
    names = dict.fromkeys([*before.grads, *after.grads])
    told = []
    for name in names:
        one, other = (short_text(found) if (found := side.grads.get(name)) else "None" for side in (before, after))
        if one != other:
            told.append(_tell("differs", leaf=name, before=one, after=other))
    return "   ".join(told) or _tell("grads_same")


def _question(change: Change) -> str:
    return _tell(f"question.{change.kind}", name=change.name, line=change.line)


def _at_line(change: Change) -> str:
    return _tell("at_line", name=plain(change.name), line=change.line)


def _code(recording: Recording, change: Change) -> str:
    return f"{change.line}  {line_at(recording.source, change.line).strip()}".replace("`", "ˋ")


def _choose(program: str | None, change: Change) -> None:
    st.session_state[Key.WHAT_IF] = (program, change)
    st.session_state[Key.WHAT_IF_MENU] = False
    _stay()


def _keep(text_after: str) -> None:
    _close()
    state.put_program(text_after)
    state.forget_draft()


def _close() -> None:
    st.session_state.pop(Key.WHAT_IF, None)
    _stay()
    st.query_params.pop(Parameter.WHAT_IF, None)


def _stay() -> None:
    """What is shown next opens at the step of before."""
    st.session_state[Key.START] = st.session_state.get(Key.STEP)


def _tell(key: str, /, **values: object) -> str:
    return text(f"what_if.{key}", language(), **values)

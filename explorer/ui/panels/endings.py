"""What is said above the picture when a program did not run to its end, or something is missing in it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import streamlit as st

from explorer.mistakes import answer_to
from explorer.model import Raised, Recording
from explorer.model.source import excerpt, piece_at
from explorer.rules import Notice, error_hint, error_topic, lines_text, notice_text, notices
from explorer.runner import AnyEnding, Completed, Failed, Rejected, Stopped, StopReason
from explorer.ui.glossary.prose import prose
from explorer.ui.markdown import plain
from explorer.ui.panels.mistake_link import mistake_link
from explorer.ui.runs import Task, forget
from explorer.ui.words import language, say

MOST_VIOLATIONS = 6

ICONS: dict[StopReason, str] = {
    "wall": "timer_off",
    "cpu": "speed",
    "memory": "memory",
    "output": "notes",
    "crash": "power_off",
    "busy": "hourglass_disabled",
    "no_worker": "cloud_off",
    "user": "stop_circle",
}

WITHOUT_LIMIT: dict[StopReason, str] = {"busy": "not_run", "no_worker": "not_run", "user": "stopped_by_user"}
"""Reasons that are no limit of the program's, and what is said of them."""


def ending_message(ending: AnyEnding, task: Task, advice: str | None = None) -> None:
    """The message for how a program ended; nothing where it simply ran.

    Args:
        ending, task: How which program ended.
        advice: What to do about an error, where the page knows better than what can be said of any program.
    """
    match ending:
        case Completed(recording=recording):
            _notices(recording)
        case Failed(recording=recording):
            _failed(recording, advice)
        case Rejected(violations=violations):
            with st.container(border=True, key="rejected"):
                _announce(say("ending.rejected"), *(violation.sentence(language()) for violation in violations[:1]))
                st.markdown(f":material/block: **{say('ending.rejected')}**")
                for violation in violations[:MOST_VIOLATIONS]:
                    st.text(violation.sentence(language()))
                    if violation.span is not None and (marked := excerpt(task.program, violation.span)) is not None:
                        st.code(marked, language=None)
                if len(violations) > MOST_VIOLATIONS:
                    st.caption(say("ending.more", count=len(violations) - MOST_VIOLATIONS))
        case Stopped():
            with st.container(border=True, key="stopped"):
                name = WITHOUT_LIMIT.get(ending.reason, "stopped")
                _announce(say(f"ending.{name}"), ending.sentence(language()))
                st.markdown(f":material/{ICONS[ending.reason]}: **{say(f'ending.{name}')}**")
                st.text(ending.sentence(language()))
                st.button(say("ending.again"), icon=":material/replay:", on_click=forget, args=(task,))


def _failed(recording: Recording, advice: str | None) -> None:
    error = recording.error
    assert error is not None
    with st.container(border=True, key="failed"):
        place = "" if error.span is None else say("ending.at", line=error.span.line, column=error.span.column + 1)
        _announce(f"{error.type} {place}", error.message)
        st.markdown(f":material/error: **{plain(error.type)}** {place}")
        st.code(error.message, language=None, wrap_lines=True)
        if about := " · ".join(_about(recording, error)):
            st.caption(plain(about))
        if (hint := advice or error_hint(recording, language())) is not None:
            prose(hint, recording, language(), key="error-hint")
        if advice is None:
            mistake_link(answer_to(f"error.{error_topic(recording)}"))


def _announce(*sentences: str) -> None:
    """Has screen readers say at once what others see in the box that has appeared."""
    st.html(f"<p class='unseen' role='alert'>{escape(' '.join(sentences))}</p>")


def _about(recording: Recording, error: Raised) -> Iterator[str]:
    """What the error is about, in a few words each: tensor, node, the line behind it, the calls that led there."""
    if error.variable is not None:
        yield say("ending.variable", variable=error.variable)
    if error.node_id is not None:
        yield say("ending.node", node=recording.node(error.node_id).name)
    if error.cause is not None and (piece := piece_at(recording.source, error.cause)) is not None:
        yield say("ending.cause", line=error.cause.line, piece=piece.partition("\n")[0])
    if error.calls:
        lines = dict.fromkeys(str(span.line) for span in reversed(error.calls))  # one that calls itself stands once
        yield say("ending.calls", lines=", ".join(lines))


def _notices(recording: Recording) -> None:
    found = notices(recording)
    if not found:
        return
    with st.container(key="notices"):
        for number, notice in enumerate(found):
            icon = ":material/warning:" if notice.severity == "warning" else ":material/lightbulb:"
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(icon, width="content")
                with st.container(width="stretch"):
                    prose(_noticed(notice), recording, language(), key=f"notice-{number}")
                mistake_link(answer_to(notice.signal))


def _noticed(notice: Notice) -> str:
    """A notice, and the lines of the program that it is about."""
    said, lines = notice_text(notice, language()), lines_text(notice, language())
    if not lines:
        return said
    return say("ending.noticed" if len(notice.lines) == 1 else "ending.noticed_lines", lines=lines, notice=said)

"""Mistakes: a list of what people trip over; each one runs beside its repair."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.i18n import text
from explorer.mistakes import Mistake, categories, mistake, mistakes, search
from explorer.model import Recording
from explorer.program.choices import Choices
from explorer.program.link import encode
from explorer.rules import notice_text, notices
from explorer.runner import Completed, Failed
from explorer.ui.glossary.prose import prose
from explorer.ui.keys import Key, Parameter
from explorer.ui.markdown import plain
from explorer.ui.panels.curtain import draw_pair_curtain
from explorer.ui.panels.endings import ending_message
from explorer.ui.panels.finder import finder
from explorer.ui.panels.masthead import masthead
from explorer.ui.panels.mistake_link import PAGE, mistake_link
from explorer.ui.panels.side_by_side import side_by_side
from explorer.ui.panels.waiting import awaited
from explorer.ui.runs import Task
from explorer.ui.style import style
from explorer.ui.words import language

CARDS_PER_ROW = 3


def mistakes_page() -> None:
    """Draws the list, or the one mistake that the address names."""
    style()
    masthead()
    asked = st.query_params.get(Parameter.MISTAKE)
    try:
        chosen = None if asked is None else mistake(asked)
    except KeyError:
        chosen = None
        st.warning(_tell("unknown", id=plain(asked or "")), icon=":material/link_off:")
    _write_address(chosen)
    if chosen is None:
        _overview()
    else:
        _one(chosen)


def _write_address(chosen: Mistake | None) -> None:
    """A link from this page to itself reaches the server, but Streamlit leaves the address bar as it was."""
    wanted = {} if chosen is None else {str(Parameter.MISTAKE): chosen.id}
    if st.session_state.get(Key.MISTAKE_ADDRESS, wanted) != wanted:
        st.query_params.from_dict({**wanted, **_only_language()})
    st.session_state[Key.MISTAKE_ADDRESS] = wanted


def _tell(key: str, /, **values: object) -> str:
    return text(f"mistakes.{key}", language(), **values)


# The list


def _overview() -> None:
    with st.container(key="mistakes-head"):
        st.markdown(f"## {_tell('title')}")
        st.caption(_tell("lead"))
    names = {name: _tell(f"category.{name}") for name in categories()}
    with st.container(horizontal=True, vertical_alignment="center", key="mistakes-row"):
        wanted, category = finder(
            (Key.MISTAKE_SEARCH, _tell("search")), (Key.MISTAKE_CATEGORY, _tell("categories")), names, width=380
        )
    found = search(wanted, language(), category)
    if not found:
        st.caption(_tell("nothing"))
    elif len(found) < len(mistakes()):
        st.caption(_tell("count", shown=len(found), total=len(mistakes())))
    for name in names:
        of_category = [one for one in found if one.category == name]
        if of_category:
            st.markdown(f"### {names[name]}")
            _cards(of_category)


def _cards(shown: list[Mistake]) -> None:
    with st.container(key=f"cards-{shown[0].category}"):
        for start in range(0, len(shown), CARDS_PER_ROW):
            columns = st.columns(CARDS_PER_ROW)
            for column, one in zip(columns, shown[start : start + CARDS_PER_ROW], strict=False):
                with column.container(border=True, key=f"card-{one.id}", height="stretch"):
                    mistake_link(one, one.titles[language()])
                    st.caption(_kind(one))


def _kind(one: Mistake) -> str:
    """How torch reacts, and the line that does it."""
    reaction = {"error": ":material/error:", "warning": ":material/warning:", "notice": ":material/volume_off:"}
    kind = one.signal.partition(".")[0]
    name = _tell("silent" if kind == "notice" else kind)
    line = one.culprit.split("\n")[0]
    return f"{reaction[kind]} {name} · `{line}`"


# One mistake


def _one(one: Mistake) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="mistake-row"):
        st.page_link(PAGE, label=_tell("all"), icon=":material/arrow_back:", query_params=_only_language())
        st.markdown(f"## {one.titles[language()]}", width="stretch")
        after = mistakes()[(mistakes().index(one) + 1) % len(mistakes())]
        mistake_link(after, _tell("next", title=after.titles[language()]), ":material/arrow_forward:")
    torch_says = st.container(border=True, key="torch-says")
    with st.container(key="mistake-words"):
        sides = ("happened", one.happened, one.wrong), ("repair", one.repairs, one.right)
        for column, (name, words, code) in zip(st.columns(2), sides, strict=True):
            with column:
                with st.container(key=f"{name}-room"):
                    st.html(f"<p aria-hidden='true'>{escape(words[language()])}</p>")
                    prose(words[language()], Recording(), language(), key=name)
                _open(code)
    titles, signs = (_tell("wrong"), _tell("right")), ("✗", "✓")
    with st.container(key="mistake-pair"):
        with (curtain := st.empty()):
            draw_pair_curtain(titles, signs, (one.wrong, one.right))
        left = _recording(one.wrong, torch_says)
        right = None if left is None else _recording(one.right, torch_says)
        if left is None or right is None:
            curtain.empty()
            return
        with torch_says:
            _said(left)
        side_by_side(left, right, titles=titles, signs=signs, key=f"pair-{one.id}", culprit_lines=one.culprit_lines)


def _recording(code: str, place: DeltaGenerator) -> Recording | None:
    """The recording of one of the programs; where there is none, says why in the place of torch's words."""
    task = Task(code)
    with place:
        ending = awaited(st.empty(), task)
        if isinstance(ending, Completed | Failed):
            return ending.recording
        ending_message(ending, task)
    return None


def _said(recording: Recording) -> None:
    """What torch said, in its own words; else what was found without it."""
    error, version = recording.error, recording.versions.get("torch", "").partition("+")[0]
    found = notices(recording)
    warned = [notice for notice in found if notice.advice is not None]
    if error is not None:
        key, line = ("torch_says", 0) if error.span is None else ("torch_says_at", error.span.line)
        st.caption(f":material/error: {_tell(key, version=version, type=error.type, line=line)}")
        st.code(error.message, language=None, wrap_lines=True)
    elif warned:
        st.caption(f":material/warning: {_tell('torch_says', version=version, type=warned[0].values['category'])}")
        st.code(str(warned[0].values["message"]), language=None, wrap_lines=True)
    else:
        st.caption(f":material/volume_off: {_tell('torch_silent', version=version)}")
        prose("\n".join([notice_text(one, language()) for one in found]), recording, language(), key="noticed")


def _open(code: str) -> None:
    parameters = {**encode(Choices(text=code)), str(Parameter.LANGUAGE): language()}
    st.page_link(
        "explorer/ui/explore_page.py", label=_tell("open"), icon=":material/open_in_new:", query_params=parameters
    )


def _only_language() -> dict[str, str]:
    return {str(Parameter.LANGUAGE): language()}


mistakes_page()

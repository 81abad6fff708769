"""What this session looks at: choices, and the address bar that holds them."""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

import msgspec
import streamlit as st

from explorer.errors import ExplorerError, LinkInvalid
from explorer.gallery import function, functions
from explorer.program.choices import Choices
from explorer.program.link import decode, encode
from explorer.program.toggles import Toggles, apply_toggles
from explorer.program.what_if import written
from explorer.ui.keys import Key, Parameter
from explorer.ui.words import language

UNHEARD_SECONDS = 0.5
"""For how long what a widget is told may not have been sent."""


def load() -> None:
    """Takes the choices from the address bar where somebody else than this page wrote it."""
    parameters = link_parameters()
    if Key.CHOICES in st.session_state and parameters in ({}, st.session_state.get(Key.WRITTEN)):
        return  # nothing new; a link to this page from another one carries no parameters
    st.session_state[Key.WRITTEN] = parameters
    try:
        put(_linked_choices(parameters))
    except LinkInvalid as error:
        put(default_choices())
        st.session_state[Key.LINK_ERROR] = error
    st.session_state[Key.START] = linked_step()
    st.session_state[Key.WHAT_IF_ASKED] = st.query_params.get(Parameter.WHAT_IF)


def save() -> None:
    """Writes the choices to the address bar, once and only if they changed: every write is a step in the history."""
    try:
        wanted = encode(choices())
    except LinkInvalid:  # too long for an address; the page works all the same, and Share says so
        wanted = {}
    is_same = wanted == link_parameters()
    if is_same and st.query_params.get(Parameter.LANGUAGE) == language():
        return
    at = st.session_state.get(Key.STEP) if is_same else st.session_state.get(Key.START)
    step = {} if at is None else {str(Parameter.STEP): str(at)}
    st.session_state[Key.WRITTEN] = wanted
    st.query_params.from_dict({**wanted, str(Parameter.LANGUAGE): language(), **step})


def link_parameters() -> dict[str, str]:
    """The address bar's parameters that say what is chosen."""
    return {name: value for name, value in st.query_params.items() if name not in set(Parameter)}


def linked_step() -> int | None:
    """The step that the address bar asks for."""
    asked = st.query_params.get(Parameter.STEP, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else None


def link() -> str:
    """The address that opens what is on the screen.

    Raises:
        LinkInvalid: The program is too long for one.
    """
    wanted = encode(choices())
    at, (changed_program, change) = st.session_state.get(Key.STEP), st.session_state.get(Key.WHAT_IF, (None, None))
    more: dict[str, str] = {Parameter.LANGUAGE: language()}
    if change is not None and changed_program == program()[0]:
        more[Parameter.WHAT_IF] = written(change)
    if at is not None:
        more[Parameter.STEP] = str(at)
    return f"{(st.context.url or '').split('?')[0]}?{urlencode({**wanted, **more})}"


def default_choices() -> Choices:
    """What a first visitor sees: the tutorial's function."""
    return Choices(function=functions()[0].id)


def choices() -> Choices:
    """What is chosen now."""
    return cast(Choices, st.session_state[Key.CHOICES])


def put(chosen: Choices) -> None:
    """Chooses something else, to be looked at from where it opens; what was wrong with a link is over.

    What stands in the address bar now is of before: a hand may be quicker than what the page wrote there last.
    """
    st.session_state[Key.WRITTEN] = link_parameters()
    st.session_state[Key.CHOICES] = chosen
    st.session_state[Key.START] = None
    st.session_state[Key.LINK_ERROR] = None


def show(key: str, value: object, is_same: Callable[[object, object], bool] = operator.eq) -> None:
    """Lets a widget show a value; one that is told what it shows already forgets what is being typed into it.

    What it was told a moment ago it is told again: where the page is drawn anew, Streamlit drops what it has not sent
    yet, and keeps the value as if the browser had it.
    """
    told: dict[str, float] = st.session_state.setdefault(Key.TOLD, {})
    is_heard = time.monotonic() - told.get(key, -math.inf) > UNHEARD_SECONDS
    if is_heard and key in st.session_state and is_same(st.session_state[key], value):
        return
    st.session_state[key] = value
    told[key] = time.monotonic()


def change(**fields: Any) -> None:
    """Changes some of the choices."""
    put(msgspec.structs.replace(choices(), **fields))


def change_toggles(**fields: Any) -> None:
    """Changes some of the toggles."""
    change(toggles=msgspec.structs.replace(choices().toggles, **fields))


def pick(function_id: str) -> None:
    """Chooses a function of the gallery, as it stands there."""
    put(Choices(function=function_id))
    forget_draft()


def put_base_text(text: str) -> None:
    """Chooses another text for the function: an edited input."""
    chosen = choices().function
    is_gallerys = chosen is not None and function(chosen).code == text
    ran_well = st.session_state.get(Key.LAST_GOOD) == choices()
    change(text=None if is_gallerys else text)
    if ran_well:  # another number, the same moment; where an error stood there is nothing to come back to
        st.session_state[Key.START] = st.session_state.get(Key.STEP)
    forget_draft()


def put_program(text: str) -> None:
    """Chooses the user's own program, which says for itself what toggles would."""
    st.session_state[Key.EDITED_AT] = st.session_state.get(Key.STEP)
    put(Choices(function=None, text=text, toggles=Toggles()))


def put_last_good() -> None:
    """Chooses what last ran to its end."""
    put(st.session_state[Key.LAST_GOOD])
    forget_draft()


def forget_draft() -> None:
    """Lets the editor show what is chosen."""
    st.session_state.pop(Key.DRAFT, None)


def base_text(chosen: Choices) -> str:
    """The chosen text before toggles rewrite it.

    Raises:
        LinkInvalid: The gallery has no such function.
    """
    if chosen.text is not None:
        return chosen.text
    try:
        return function(chosen.function or functions()[0].id).code
    except KeyError as error:
        raise LinkInvalid("ui.unknown_function", function=chosen.function or "") from error


def _linked_choices(parameters: dict[str, str]) -> Choices:
    """The choices that an address stands for; toggles alone are those of the first function.

    Raises:
        LinkInvalid: There is no such program.
    """
    chosen = decode(parameters)
    if chosen.function is None and chosen.text is None:
        chosen = msgspec.structs.replace(chosen, function=default_choices().function)
    base_text(chosen)
    return chosen


def program() -> tuple[str, ExplorerError | None]:
    """The text that runs, and why the toggles could not be applied to it, if so."""
    return program_of(choices())


def program_of(chosen: Choices) -> tuple[str, ExplorerError | None]:
    """The text that choices stand for, and why their toggles could not be applied to it, if so."""
    base = base_text(chosen)
    try:
        return apply_toggles(base, chosen.toggles, language()), None
    except ExplorerError as error:
        return base, error

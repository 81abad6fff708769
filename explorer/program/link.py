"""Choices as query parameters of a link, short and safe to decode from a stranger."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlencode

from explorer.errors import LinkInvalid, ProgramInvalid
from explorer.program.choices import Choices
from explorer.program.source import LONGEST
from explorer.program.toggles import Between, Seed, Toggles, check_toggles

MAX_LINK_CHARACTERS = 4000

_FUNCTION_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,6}")
_NUMBERS = {"p": "passes", "i": "seed_index"}
_WORDS = {"between": ("between", get_args(Between)), "seed": ("seed", get_args(Seed))}
_FLAGS = {"same": ("new_forward", False), "retain": ("retain_graph", True), "create": ("create_graph", True)}
_TEXTS = {"second": "second", "v": "seed_values"}


def encode(choices: Choices) -> dict[str, str]:
    """The query parameters that stand for the choices: only what differs from the default.

    Raises:
        LinkInvalid: The program is too long for a link.
    """
    toggles, default = choices.toggles, Toggles()
    names = {**_NUMBERS, **{key: name for key, (name, _) in _WORDS.items()}, **_TEXTS}
    parameters = {} if choices.function is None else {"fn": choices.function}
    if choices.text is not None:
        parameters["code"] = _packed(choices.text)
    for key, name in names.items():
        if getattr(toggles, name) != getattr(default, name):
            parameters[key] = str(getattr(toggles, name))
    for key, (name, flag) in _FLAGS.items():
        if getattr(toggles, name) is flag:
            parameters[key] = "1"
    if (length := len(urlencode(parameters))) > MAX_LINK_CHARACTERS:
        raise LinkInvalid("program.link_too_long", length=length, most=MAX_LINK_CHARACTERS)
    return parameters


def decode(parameters: Mapping[str, str]) -> Choices:
    """The choices that query parameters stand for; parameters of other names are left to others.

    Raises:
        LinkInvalid: A value is malformed, impossible or too large. Whether the gallery has the function is for the
            gallery to say.
    """
    function, code = parameters.get("fn"), parameters.get("code")
    if function is not None and not _FUNCTION_ID.fullmatch(function):
        raise _refused("fn", function)
    toggles = Toggles(**_numbers(parameters), **_words(parameters), **_flags(parameters), **_texts(parameters))
    try:
        check_toggles(toggles)
    except ProgramInvalid as error:
        raise LinkInvalid(error.key, **error.values) from error
    return Choices(function=function, text=None if code is None else _unpacked(code), toggles=toggles)


def _numbers(parameters: Mapping[str, str]) -> dict[str, Any]:
    for key in _NUMBERS.keys() & parameters.keys():
        if not _WHOLE_NUMBER.fullmatch(parameters[key]):
            raise _refused(key, parameters[key])
    return {name: int(parameters[key]) for key, name in _NUMBERS.items() if key in parameters}


def _words(parameters: Mapping[str, str]) -> dict[str, Any]:
    for key, (_, allowed) in _WORDS.items():
        if parameters.get(key, allowed[0]) not in allowed:
            raise _refused(key, parameters[key])
    return {name: parameters[key] for key, (name, _) in _WORDS.items() if key in parameters}


def _flags(parameters: Mapping[str, str]) -> dict[str, Any]:
    for key in _FLAGS.keys() & parameters.keys():
        if parameters[key] != "1":
            raise _refused(key, parameters[key])
    return {name: flag for key, (name, flag) in _FLAGS.items() if key in parameters}


def _texts(parameters: Mapping[str, str]) -> dict[str, Any]:
    return {name: parameters[key] for key, name in _TEXTS.items() if key in parameters}


def _refused(name: str, value: str) -> LinkInvalid:
    return LinkInvalid("program.link_bad_choice", name=name, value=value[:40])


def _packed(text: str) -> str:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise LinkInvalid("program.link_damaged", name="code") from error
    if len(text) > LONGEST:
        raise LinkInvalid("program.link_too_long", length=len(text), most=LONGEST)
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


def _unpacked(code: str) -> str:
    """The text; never holds more of it in memory than is allowed."""
    if len(code) > MAX_LINK_CHARACTERS:
        raise LinkInvalid("program.link_too_long", length=len(code), most=MAX_LINK_CHARACTERS)
    most_bytes = 4 * LONGEST
    try:
        data = base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True)
        stream = zlib.decompressobj()
        unpacked = stream.decompress(data, most_bytes + 1)
        text = unpacked.decode() if len(unpacked) <= most_bytes else None
    except (binascii.Error, zlib.error, ValueError) as error:
        raise LinkInvalid("program.link_damaged", name="code") from error
    if text is None or len(text) > LONGEST:
        raise LinkInvalid("program.link_too_large", most=LONGEST)
    if not stream.eof or stream.unused_data:
        raise LinkInvalid("program.link_damaged", name="code")
    return text

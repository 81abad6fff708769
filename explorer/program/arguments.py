"""Gives a call an argument without touching its other characters."""

from __future__ import annotations

import ast

from explorer.program.constructors import keyword
from explorer.program.source import Source


def set_argument(source: Source, call: ast.Call, name: str, position: int | None, value: str) -> tuple[int, int, str]:
    """The change that gives a call an argument: in place of the one it has, else as a last keyword."""
    if (word := keyword(call, name)) is not None:
        return source.start(word.value), source.end(word.value), value
    if position is not None and len(call.args) > position:
        return source.start(call.args[position]), source.end(call.args[position]), value
    return set_keyword(source, call, name, value)


def set_keyword(source: Source, call: ast.Call, name: str, value: str) -> tuple[int, int, str]:
    """The change that adds a keyword, after the last argument or after the comma that follows it."""
    if (word := keyword(call, name)) is not None:
        return source.start(word.value), source.end(word.value), value
    arguments = [*call.args, *(word.value for word in call.keywords)]
    if not arguments:
        end = source.end(call) - 1
        return end, end, f"{name}={value}"
    at, comma = _after_arguments(source, max(map(source.end, arguments)), source.end(call) - 1)
    return at, at, f" {name}={value}" if comma else f", {name}={value}"


def _after_arguments(source: Source, last: int, end: int) -> tuple[int, bool]:
    """Index after the last bracket or comma between a call's last argument and its end, and whether it is a comma."""
    at, comma, i = last, False, last
    while i < end:
        character = source.text[i]
        if character == "#":
            while i < end and source.text[i] not in "\r\n":
                i += 1
            continue
        if character in "),":
            at, comma = i + 1, character == ","
        i += 1
    return at, comma

"""A lab's settings as query parameters of a link, short and safe to decode from a stranger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar, get_origin, get_type_hints
from urllib.parse import urlencode

import msgspec

from explorer.errors import LinkInvalid
from explorer.model.values import Frozen
from explorer.program.link import MAX_LINK_CHARACTERS

Coordinate = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]
Reach = Annotated[float, msgspec.Meta(ge=0.01, le=1000)]
"""How far a curve or map goes from 0; between far smaller numbers there is no room for its points."""


class LabSettings(Frozen, frozen=True, kw_only=True):
    """What every lab's settings are: fields with defaults, each a text, a number, a truth value or a tuple of numbers.

    Bounds belong into the types (`Annotated[float, msgspec.Meta(ge=0)]`), so that a stranger's link cannot break them.
    """

    def snapped(self) -> Self:
        """The same, with its numbers at places that the lab can show."""
        return self


Settings = TypeVar("Settings", bound=LabSettings)


def to_parameters(settings: LabSettings) -> dict[str, str]:
    """The query parameters that stand for the settings: only what differs from the default.

    Raises:
        LinkInvalid: A typed text is too long for a link.
    """
    default = type(settings)()
    changed = {name: getattr(settings, name) for name in settings.__struct_fields__}
    parameters = {name: _written(value) for name, value in changed.items() if value != getattr(default, name)}
    if (length := len(urlencode(parameters))) > MAX_LINK_CHARACTERS:
        raise LinkInvalid("program.link_too_long", length=length, most=MAX_LINK_CHARACTERS)
    return parameters


def from_parameters(kind: type[Settings], parameters: Mapping[str, str]) -> Settings:
    """The settings that query parameters stand for; parameters of other names are left to others.

    Raises:
        LinkInvalid: A value is malformed or out of bounds.
    """
    hints = get_type_hints(kind)
    fields: dict[str, Any] = {}
    for name in kind.__struct_fields__:
        if name in parameters:
            fields[name] = _value(name, parameters[name], hints[name])
            try:
                msgspec.convert({name: fields[name]}, kind, strict=False)
            except msgspec.ValidationError as error:
                raise _refused(name, parameters[name]) from error
    return msgspec.convert(fields, kind, strict=False)


def _value(name: str, written: str, hint: Any) -> Any:
    """The text, split where a tuple belongs; numbers have to be finite."""
    parts = (written.split(",") if written else []) if get_origin(hint) is tuple else [written]
    if hint is not str and any(_is_nonfinite(part) for part in parts):
        raise _refused(name, written)
    return parts if get_origin(hint) is tuple else written


def _is_nonfinite(written: str) -> bool:
    try:
        return not math.isfinite(float(written))
    except ValueError:
        return False


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_written, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _refused(name: str, value: str) -> LinkInvalid:
    return LinkInvalid("program.link_bad_choice", name=name, value=value[:40])

"""What is worked out from a recording once, whoever asks: thirty pages may show the same one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, cast

if TYPE_CHECKING:
    from explorer.model.recording import Recording

Found = TypeVar("Found")
More = TypeVarTuple("More")


def derived(function: Callable[[Recording, *More], Found]) -> Callable[[Recording, *More], Found]:
    """Keeps what a function finds with the recording, as long as that lives. Nobody may change what it returns."""

    @wraps(function)
    def once(recording: Recording, *more: *More) -> Found:
        kept: dict[object, object] = recording.__dict__.setdefault("derived", {})
        key = function, more
        if key not in kept:
            kept[key] = function(recording, *more)
        return cast(Found, kept[key])

    return once

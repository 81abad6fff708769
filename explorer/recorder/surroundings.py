"""What the program calls its tensors around a place, looked up once for all that are asked for there."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable

import torch

from explorer.model import Span
from explorer.recorder.places import Place


class Surroundings:
    """The names around one place at a time; holds no tensor alive.

    Args:
        named: Every tensor that has a name at a place, the shortest name first.
    """

    def __init__(self, named: Callable[[Place], Iterable[tuple[str, torch.Tensor]]]) -> None:
        self._named = named
        self._seen_at: Span | None = None
        self._names: dict[int, tuple[weakref.ref[torch.Tensor], str]] = {}

    def look(self, place: Place) -> None:
        """Looks at what has which name there now."""
        named = reversed(list(self._named(place)))
        self._seen_at, self._names = place.span, {id(one): (weakref.ref(one), name) for name, one in named}

    def name_at(self, place: Place, tensor: torch.Tensor) -> str | None:
        """A tensor's name, looked up once for all that a loop asks for at the same place."""
        if place.span != self._seen_at:
            self.look(place)
        return self.name(tensor)

    def name(self, tensor: torch.Tensor) -> str | None:
        """A tensor's name where it was looked last."""
        known, name = self._names.get(id(tensor), (None, None))
        return name if known is not None and known() is tensor else None

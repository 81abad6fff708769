"""Waiting, in turns short enough to notice that nobody wants what is waited for any more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

IsWanted = Callable[[], bool]

TURN_SECONDS = 0.1
"""How soon it is noticed."""

LAST_WORDS_SECONDS = 1.5
"""What is left to tell what there is, when it is not wanted to the end any more."""


class NobodyWaits(Exception):
    """Those who wanted an answer have gone."""


def is_always_wanted() -> bool:
    """What a caller says who waits to the end."""
    return True


class Patience:
    """How long to wait for something, and whether anybody still wants it.

    Args:
        seconds: From now on.
        is_wanted: Asked at every turn.
        last_call: Asks for what there is, once it is not wanted to the end any more; for that there is a moment.
    """

    def __init__(
        self,
        seconds: float = math.inf,
        is_wanted: IsWanted = is_always_wanted,
        last_call: Callable[[], object] | None = None,
    ) -> None:
        self._deadline = time.monotonic() + seconds
        self._is_wanted = is_wanted
        self._last_call = last_call
        self.has_called = False

    @property
    def seconds(self) -> float:
        """How long there is still to wait; a moment where the time is up."""
        return max(self._deadline - time.monotonic(), 1e-3)

    @property
    def turn_seconds(self) -> float:
        """How long the next turn is."""
        return min(self.seconds, TURN_SECONDS)

    def check(self) -> None:
        """To be called when a turn has brought nothing.

        Raises:
            NobodyWaits: It is not wanted any more.
            TimeoutError: The time is up.
        """
        if not self.has_called and not self._is_wanted():
            if self._last_call is None:
                raise NobodyWaits
            self.has_called, self._deadline = True, time.monotonic() + LAST_WORDS_SECONDS
            self._last_call()
        if time.monotonic() >= self._deadline:
            raise NobodyWaits if self.has_called else TimeoutError


ENDLESS = Patience()

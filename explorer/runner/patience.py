"""Waiting, in turns short enough to notice that nobody wants what is waited for any more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

IsWanted = Callable[[], bool]

TURN_SECONDS = 0.1
"""How soon it is noticed."""


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
    """

    def __init__(self, seconds: float = math.inf, is_wanted: IsWanted = is_always_wanted) -> None:
        self._deadline = time.monotonic() + seconds
        self._is_wanted = is_wanted

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
        if not self._is_wanted():
            raise NobodyWaits
        if time.monotonic() >= self._deadline:
            raise TimeoutError


ENDLESS = Patience()

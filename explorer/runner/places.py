"""How many workers are at work at once, and who is next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.runner.patience import ENDLESS, Patience


class QueueFull(Exception):
    """As many are waiting already as may wait."""


class Places:
    """Places to work at, given out in the order in which they were asked for.

    Args:
        places: How many there are.
        waiting: How many may wait for one.
    """

    def __init__(self, places: int, waiting: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._most_waiting = waiting
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def taken(self, patience: Patience = ENDLESS) -> Iterator[None]:
        """Has a place as long as the block lasts; waits for it before.

        Raises:
            QueueFull: Too many are waiting.
            NobodyWaits: The place is not wanted any more.
        """
        turn = self._ask()
        try:
            while not turn.wait(patience.turn_seconds):
                patience.check()
            yield
        finally:
            self._leave(turn)

    def _ask(self) -> threading.Event:
        turn = threading.Event()
        with self._lock:
            if self._free > 0:
                self._free -= 1
                turn.set()
            elif len(self._waiting) < self._most_waiting:
                self._waiting.append(turn)
            else:
                raise QueueFull
        return turn

    def _leave(self, turn: threading.Event) -> None:
        """Leaves the queue, or the place, which the next one gets."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

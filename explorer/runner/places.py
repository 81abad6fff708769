"""How many workers are at work at once, and who is next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


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
    def taken(self) -> Iterator[None]:
        """Has a place as long as the block lasts; waits for it before.

        Raises:
            QueueFull: Too many are waiting.
        """
        turn = self._ask()
        turn.wait()
        try:
            yield
        finally:
            self._pass_on()

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

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

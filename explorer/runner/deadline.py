"""What ends a program inside of its worker: an exception, again and again until it gives up."""

from __future__ import annotations

import io
import signal
from types import TracebackType

from explorer.runner.endings import StopReason
from explorer.runner.limits import Limits
from explorer.runner.stops import LimitReached

AGAIN_SECONDS = 0.2
"""When to raise again, should a program have kept the exception."""


class Deadline:
    """A `with` block that a program may not stay in for longer than its limits, or than its user wants.

    Args:
        limits: `wall_seconds`; `cpu_seconds` arrives as a signal of the kernel's, the user's wish as one of the warm
            parent's.
    """

    def __init__(self, limits: Limits) -> None:
        self._wall_seconds = limits.wall_seconds
        self._is_armed = False
        self.reached: StopReason | None = None

    def __enter__(self) -> Deadline:
        self._is_armed = True
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, lambda *_: self._reach("wall"))
            signal.signal(signal.SIGXCPU, lambda *_: self._reach("cpu"))
            signal.signal(signal.SIGUSR1, lambda *_: self._stop())
            signal.setitimer(signal.ITIMER_REAL, self._wall_seconds, AGAIN_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_armed = False
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _stop(self) -> None:
        if self._is_armed:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
        self._reach("user")

    def _reach(self, reason: StopReason) -> None:
        if self._is_armed:
            self.reached = self.reached or reason
            raise LimitReached


class BoundedOutput(io.TextIOBase):
    """Counts printed characters and drops them: the recorder has them already.

    Args:
        characters: How many a program may print.
    """

    def __init__(self, characters: int) -> None:
        self._left = characters
        self.reached: StopReason | None = None

    def write(self, text: str) -> int:
        """Takes a text.

        Raises:
            LimitReached: It is too much.
        """
        self._left -= len(text)
        if self._left < 0:
            self.reached = "output"
            raise LimitReached
        return len(text)

    def writable(self) -> bool:
        """Yes."""
        return True

"""What ends a program from outside, as exceptions that its own `except` clauses cannot keep."""

from __future__ import annotations

from explorer.runner.endings import StopReason, Violation


class Ended(BaseException):
    """The program is over; a policy of ours puts `except Ended: raise` before the first of its `except` clauses."""


class LimitReached(Ended):
    """The program reached a limit."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Ended):
    """The program tried something at run time that is not allowed."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation)
        self.violation = violation

"""What ends a program from outside, as exceptions that its own `except` clauses cannot keep.

They hold nothing: a program that meets one, in an `__exit__` of its own, learns no more than that it has ended.
"""

from __future__ import annotations


class Ended(BaseException):
    """The program is over; a policy of ours puts `except Ended: raise` before the first of its `except` clauses."""


class LimitReached(Ended):
    """The program reached a limit."""


class Refused(Ended):
    """The program tried something at run time that is not allowed."""

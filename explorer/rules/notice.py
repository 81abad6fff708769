"""What a notice is."""

from __future__ import annotations

from typing import Literal

from explorer.model import Span
from explorer.model.values import Frozen

Severity = Literal["hint", "warning"]
Values = dict[str, str | int | tuple[str, ...]]


class Notice(Frozen, frozen=True, kw_only=True):
    """Something the reader should know about the whole run.

    Args:
        key: Which notice: its key below `rules.notice`.
        values: What the placeholders stand for; several names as a tuple.
        span: The piece of the program it is about; of several, the first.
        others: The further ones.
        severity: "warning" where a result is missing or wrong, "hint" where it may be meant so.
        advice: What to do about a warning of torch's that is known: its key below `rules.warning`.
    """

    key: str
    values: Values = {}  # noqa: RUF012 - msgspec copies it
    span: Span | None = None
    others: tuple[Span, ...] = ()
    severity: Severity = "hint"
    advice: str | None = None

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines of the program that it is about."""
        spans = self.others if self.span is None else (self.span, *self.others)
        return tuple(sorted({span.line for span in spans}))

    @property
    def signal(self) -> str:
        """What names this kind of notice to others: "notice.accumulated", "warning.target_size"."""
        return f"notice.{self.key}" if self.advice is None else f"warning.{self.advice}"

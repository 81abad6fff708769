"""What a worker is asked for and what it answers, as JSON."""

from __future__ import annotations

import msgspec

from explorer.model.values import Frozen
from explorer.runner.limits import Limits

LARGEST_ANSWER_BYTES = 64 * 2**20
"""A worker that says more is not listened to."""


class Job(Frozen, frozen=True, kw_only=True, tag_field="job"):
    """What every job is."""

    limits: Limits = Limits()


class RunJob(Job, frozen=True, kw_only=True, tag="run"):
    """Run a program."""

    code: str
    seed: int = 0


class LayoutJob(Job, frozen=True, kw_only=True, tag="layout"):
    """Lay out a graph."""

    dot: str


AnyJob = RunJob | LayoutJob


class LaidOut(Frozen, frozen=True, kw_only=True, tag_field="layout", tag="done"):
    """The drawing."""

    svg: str


class NotLaidOut(Frozen, frozen=True, kw_only=True, tag_field="layout", tag="failed"):
    """Why there is none."""

    reason: str


def read_layout(data: bytes) -> LaidOut | NotLaidOut | None:
    """What a worker says of a layout; None if it is neither."""
    try:
        return msgspec.json.decode(data, type=LaidOut | NotLaidOut)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

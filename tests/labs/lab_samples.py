"""Recordings of lab programs, each run once for all tests."""

from __future__ import annotations

from functools import cache

from explorer.labs.derivative import Curve, DerivativeSettings, program_text, read_curve
from explorer.labs.reading import LAB_LIMITS
from explorer.model import Recording
from explorer.runner import AnyEnding, Completed, run


@cache
def ending(program: str) -> AnyEnding:
    return run(program, limits=LAB_LIMITS)


def recorded(program: str) -> Recording:
    ended = ending(program)
    assert isinstance(ended, Completed), getattr(getattr(ended, "recording", None), "error", ended)
    assert not ended.recording.truncated
    return ended.recording


def curve(settings: DerivativeSettings) -> Curve:
    return read_curve(recorded(program_text(settings)), settings)

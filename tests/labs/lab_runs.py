"""Labs' programs run twice: recorded in a worker, and by plain Python, which is the oracle."""

from __future__ import annotations

import contextlib
import io
from functools import cache
from typing import Any

import msgspec
import torch

from explorer.labs.reading import LAB_LIMITS
from explorer.model import Recording
from explorer.runner import AnyEnding, Completed, Limits, run

PATIENCE_SECONDS = 60.0
"""How fast a busy machine is must not decide a test of what is computed."""


@cache
def ended(program: str, limits: Limits = LAB_LIMITS) -> AnyEnding:
    return run(program, limits=msgspec.structs.replace(limits, wall_seconds=PATIENCE_SECONDS))


def recorded(program: str, limits: Limits = LAB_LIMITS) -> Recording:
    """The recording of a program that must run to its end within the limits."""
    ending = ended(program, limits)
    assert isinstance(ending, Completed), ending
    assert not ending.recording.truncated
    return ending.recording


def ran(program: str) -> dict[str, Any]:
    """The program's names after plain Python has run it, on one thread as a worker does: the last bits depend on it."""
    names: dict[str, Any] = {"__name__": "__main__"}
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(program, names)
    finally:
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
    return names

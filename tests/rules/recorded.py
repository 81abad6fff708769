"""Runs a program under the recorder; what comes back has been through JSON, as in the page."""

from __future__ import annotations

import contextlib
import io
import textwrap
import warnings
from collections.abc import Iterator

import torch

from explorer.model import Recording
from explorer.recorder import RecordingLimits, record


def recorded(program: str, limits: RecordingLimits | None = None) -> Recording:
    """The recording of a program, which may raise or warn."""
    source = textwrap.dedent(program).strip() + "\n"
    session = record(source=source, filename="<program>", limits=limits)
    with contextlib.suppress(Exception), quiet(), session:
        exec(compile(source, "<program>", "exec"), {"__name__": "__main__", "torch": torch})
    return Recording.from_json(session.recording.to_json())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Prints go nowhere, and warnings reach the recorder instead of ending the test."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda *warned, **more: None
        torch.manual_seed(0)
        yield

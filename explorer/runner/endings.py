"""How a program can end. Every ending is a value."""

from __future__ import annotations

from typing import Literal

import msgspec

from explorer.errors import ExplorerError
from explorer.i18n import Language, text
from explorer.model import Recording, Span
from explorer.model.recording import check_references
from explorer.model.values import Frozen
from explorer.runner.limits import Limits

SIGNALS = {
    **dict.fromkeys(("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL"), "native"),
    "SIGKILL": "killed",
}
"""What a signal says of a death: the last part of a sentence's key."""

StopReason = Literal["wall", "cpu", "memory", "output", "crash", "busy", "no_worker", "user"]


class Violation(Frozen, frozen=True, kw_only=True):
    """One thing in a program that is not allowed.

    Args:
        code: What it is; the key of its sentence below `runner.`.
        span: Where it stands; None where it is the program as a whole.
        values: What the sentence's placeholders stand for.
    """

    code: str
    span: Span | None = None
    values: dict[str, str] = msgspec.field(default_factory=dict)

    def sentence(self, language: Language) -> str:
        """Where it is, what is not allowed, why, and what to write instead."""
        said = text(f"runner.{self.code}", language, **self.values)
        if self.span is None:
            return said
        return text("runner.at", language, line=self.span.line, column=self.span.column + 1, sentence=said)


class Ending(Frozen, frozen=True, kw_only=True, tag_field="ending"):
    """What every ending is."""


class Completed(Ending, frozen=True, kw_only=True, tag=True):
    """The program ran to its last line."""

    recording: Recording


class Failed(Ending, frozen=True, kw_only=True, tag=True):
    """The program raised an exception: `recording.error`, with everything up to it."""

    recording: Recording


class Rejected(Ending, frozen=True, kw_only=True, tag=True):
    """The program is not in the language that programs may be written in here."""

    violations: tuple[Violation, ...]


class Stopped(Ending, frozen=True, kw_only=True, tag=True):
    """The program reached a limit, its process died, or it did not get one.

    Args:
        reason: Which limit: time on the clock, processor time, memory, printed text; "crash"; "busy"; "no_worker" where
            no process could be had; "user" where it was not wanted any more.
        recording: What happened up to there, where it could be saved.
        values: What the sentence's placeholders stand for: the limit, or the signal that ended the process.
    """

    reason: StopReason
    recording: Recording | None = None
    values: dict[str, str] = msgspec.field(default_factory=dict)

    def sentence(self, language: Language) -> str:
        """Which limit was reached and what to do."""
        kind = SIGNALS.get(self.values.get("signal", ""), self.reason)
        return text(f"runner.stopped_{kind}", language, **self.values)


AnyEnding = Completed | Failed | Rejected | Stopped


def stopped(reason: StopReason, limits: Limits, recording: Recording | None = None) -> Stopped:
    """That a program was stopped, with the limit it reached."""
    limit = {
        "wall": f"{limits.wall_seconds:g}",
        "cpu": str(limits.cpu_seconds),
        "memory": str(limits.memory_bytes // 2**20),
        "output": str(limits.output_characters),
    }
    return Stopped(reason=reason, recording=recording, values={"limit": limit[reason]} if reason in limit else {})


def died(signal: str | None) -> Stopped:
    """That a program's process ended without a word.

    Args:
        signal: The name of the signal that ended it, if one did.
    """
    return Stopped(reason="crash", values={"signal": signal} if signal else {})


def read_ending(data: bytes, source: str, seed: int) -> AnyEnding | None:
    """The ending that a worker tells; None if what it says is no ending of this program.

    Args:
        data: Untrusted: a hostile program may have written it.
        source, seed: What the worker was asked to run.
    """
    try:
        ending: AnyEnding = msgspec.json.decode(data, type=AnyEnding)
        recording = getattr(ending, "recording", None)
        if recording is not None:
            check_references(recording)
            if recording.source != source or recording.seed != seed:
                return None
        _say_all(ending)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ExplorerError, LookupError, ValueError):
        return None
    return ending


def _say_all(ending: AnyEnding) -> None:
    """Raises KeyError where a sentence is missing, so that no page meets one later."""
    if isinstance(ending, Stopped):
        ending.sentence("en")
    if isinstance(ending, Rejected):
        for violation in ending.violations:
            violation.sentence("en")

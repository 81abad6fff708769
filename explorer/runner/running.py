"""`run` and `lay_out`: jobs for workers, from any number of threads."""

from __future__ import annotations

import atexit
import os
from functools import cache
from typing import Protocol

import msgspec

from explorer.errors import LayoutFailed
from explorer.model.source import BYTE_ORDER_MARK
from explorer.runner.endings import AnyEnding, Rejected, Violation, died, read_ending, stopped
from explorer.runner.fresh import FreshInterpreters
from explorer.runner.jobs import AnyJob, LaidOut, LayoutJob, RunJob, read_layout
from explorer.runner.limits import Limits
from explorer.runner.parents import ForkingParent, WorkerDied
from explorer.runner.patience import IsWanted, NobodyWaits, Patience, is_always_wanted
from explorer.runner.places import Places, QueueFull

WORKERS_PER_CORE = 2
MOST_WAITING = 200
"""How many jobs may wait for a worker; a class of thirty that all press a key several times is far below."""

GRACE_SECONDS = 1.5
"""What a worker gets beyond its program's time to tell the ending; then it is killed."""

LAYOUT_LIMITS = Limits(wall_seconds=40.0, cpu_seconds=20)
"""What a layout may use; large graphs take seconds."""


class Workers(Protocol):
    """Where answers come from."""

    is_warm: bool

    def start(self) -> None:
        """Gets ready, without waiting for it."""

    def stop(self) -> None:
        """Ends every process."""

    def ask(self, job_json: bytes, seconds: float, is_wanted: IsWanted) -> bytes:
        """A worker's answer; see `ForkingParent.ask`."""


def run(code: str, seed: int = 0, limits: Limits | None = None, is_wanted: IsWanted = is_always_wanted) -> AnyEnding:
    """Runs a program in a process of its own and records what torch does.

    Args:
        code: Untrusted program text; a byte order mark at its beginning does not count.
        seed: What random numbers start from.
        limits: What the program may use; the defaults of `Limits` where not given.
        is_wanted: Asked again and again, in this thread; once it says no, the program is stopped, or does not begin.
            What it had done by then is in the ending, if it could be told within a moment.

    Raises:
        WorkerUnavailable: No worker process could be started. Nothing that a program does raises.
    """
    code, limits = code.removeprefix(BYTE_ORDER_MARK), limits or Limits()
    if (violation := _unreadable(code, limits)) is not None:
        return Rejected(violations=(violation,))
    try:
        answer = _ask(RunJob(code=code, seed=seed, limits=limits), limits.wall_seconds + GRACE_SECONDS, is_wanted)
    except NobodyWaits:
        return stopped("user", limits)
    except TimeoutError:
        return stopped("wall", limits)
    except QueueFull:
        return stopped("busy", limits)
    except WorkerDied as death:
        return stopped("cpu", limits) if death.cpu_seconds >= limits.cpu_seconds else died(death.signal)
    return read_ending(answer, code, seed) or stopped("crash", limits)


def lay_out(dot: str, is_wanted: IsWanted = is_always_wanted) -> str:
    """A graph's drawing as SVG, made by Graphviz in a worker process.

    Args:
        dot: The graph in Graphviz's language.
        is_wanted: Asked again and again, in this thread; once it says no, the worker is stopped.

    Raises:
        NobodyWaits: The drawing was not wanted any more.
        LayoutFailed: Graphviz found an error, or took too long.
        WorkerUnavailable: No worker process could be started.
    """
    try:
        answer = _ask(LayoutJob(dot=dot, limits=LAYOUT_LIMITS), LAYOUT_LIMITS.wall_seconds, is_wanted)
    except TimeoutError:
        raise LayoutFailed("runner.layout_too_slow", limit=LAYOUT_LIMITS.wall_seconds) from None
    except QueueFull:
        raise LayoutFailed("runner.stopped_busy") from None
    except WorkerDied:
        raise LayoutFailed("runner.layout_died") from None
    drawn = read_layout(answer)
    if isinstance(drawn, LaidOut):
        return drawn.svg
    raise LayoutFailed("runner.layout_failed", reason=drawn.reason) if drawn else LayoutFailed("runner.layout_died")


def warm_up() -> None:
    """Starts what workers are made from, without waiting for it."""
    workers().start()


def is_warm() -> bool:
    """Whether a worker has started since `warm_up`, so that the next takes milliseconds."""
    return workers().is_warm


@cache
def workers() -> Workers:
    """This process's source of workers: forks where the system can, fresh interpreters elsewhere."""
    made: Workers = ForkingParent() if hasattr(os, "fork") else FreshInterpreters()
    atexit.register(made.stop)
    return made


@cache
def _places() -> Places:
    """Where this process's jobs wait for their turn; waiting takes nothing off a program's time."""
    return Places(WORKERS_PER_CORE * (os.cpu_count() or 1), MOST_WAITING)


def _ask(job: AnyJob, seconds: float, is_wanted: IsWanted) -> bytes:
    with _places().taken(Patience(is_wanted=is_wanted)):
        job_json = msgspec.json.encode(job)
        try:
            return workers().ask(job_json, seconds, is_wanted)
        except WorkerDied as death:
            if not death.is_accident:
                raise
            return workers().ask(job_json, seconds, is_wanted)


def _unreadable(code: str, limits: Limits) -> Violation | None:
    if len(code) > limits.code_characters:
        return Violation(code="too_long", values={"length": str(len(code)), "limit": str(limits.code_characters)})
    try:
        code.encode()
    except UnicodeEncodeError as error:
        return Violation(code="not_text", values={"message": error.reason})
    return None

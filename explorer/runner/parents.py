"""The server's side of the warm parent: starts it, hands it jobs, and starts it again should it die."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

from explorer.errors import WorkerUnavailable
from explorer.runner.frames import ANSWER, DIED, JOB, STARTED, Frame, FrameBroken, receive_frame, send_frame
from explorer.runner.jobs import LARGEST_ANSWER_BYTES
from explorer.runner.patience import IsWanted, NobodyWaits, Patience, is_always_wanted

WARM_UP_SECONDS = 120.0
"""How long a worker may take to start; the parent may be importing torch."""

ATTEMPTS = 3
"""How often to start a parent before giving up."""

PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
)
"""The environment that Python and torch may need; nothing else of the server's reaches a worker."""


class WorkerDied(Exception):
    """A worker ended without an answer.

    Args:
        exit_code: As `subprocess` counts: negative for a signal; None where nobody saw.
        cpu_seconds: What it had used.
    """

    def __init__(self, exit_code: int | None = None, cpu_seconds: float = 0.0) -> None:
        super().__init__(exit_code, cpu_seconds)
        self.exit_code = exit_code
        self.cpu_seconds = cpu_seconds

    @property
    def signal(self) -> str | None:
        """The signal that ended it: "SIGSEGV"; None where it was none."""
        if self.exit_code is None or self.exit_code >= 0:
            return None
        with suppress(ValueError):
            return signal.Signals(-self.exit_code).name
        return str(-self.exit_code)

    @property
    def is_accident(self) -> bool:
        """Whether it was ended from outside or never lived, so that another may do better."""
        return self.exit_code is None or self.signal in {"SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"}


class ForkingParent:
    """A warm parent, started when it is first needed and whenever it has died. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.is_warm = False

    @property
    def pid(self) -> int | None:
        """The parent's process, if one has been started."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Starts the process, unless it lives; does not wait for it to be warm."""
        with self._lock:
            self._start()

    def stop(self) -> None:
        """Ends the process and its workers."""
        with self._lock:
            self._stop()

    def ask(self, job_json: bytes, seconds: float, is_wanted: IsWanted = is_always_wanted) -> bytes:
        """A worker's answer to a job.

        Args:
            job_json: The job.
            seconds: How long the worker may take, once it has started.
            is_wanted: Asked again and again whether anybody waits for the answer; else the program is stopped.

        Raises:
            TimeoutError: It took longer; it has been killed.
            NobodyWaits: The answer is not wanted any more, and none has come in the moment that it had for that; the
                worker has been killed.
            WorkerDied: It ended without an answer.
            WorkerUnavailable: No worker could be started.
        """
        for _ in range(ATTEMPTS):
            end, process = self._new_job()
            with end:
                frame = self._await_start(end, Patience(WARM_UP_SECONDS, is_wanted))
                if frame is not None and frame.kind == STARTED:
                    self.is_warm = True
                    # No more is to come from here: the parent has the program stop, and the worker tell what it has.
                    patience = Patience(seconds, is_wanted, partial(end.shutdown, socket.SHUT_WR))
                    return self._await_answer(end, job_json, patience, int(frame.content))
            if frame is None:
                self._give_up(process)
        raise WorkerUnavailable("runner.stopped_no_worker")

    def _new_job(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        with self._lock:
            control, process = self._start()
            ours, theirs = socket.socketpair()
            with theirs, suppress(OSError):
                socket.send_fds(control, [b"j"], [theirs.fileno()])
        return ours, process

    def _await_start(self, end: socket.socket, patience: Patience) -> Frame | None:
        try:
            return receive_frame(end, 64, patience)
        except (FrameBroken, OSError):
            return None

    def _give_up(self, process: subprocess.Popen[bytes]) -> None:
        """Ends a parent that has not started a worker, unless another thread has done so already."""
        with self._lock:
            if self._process is process:
                self._stop()

    def _await_answer(self, end: socket.socket, job_json: bytes, patience: Patience, worker_pid: int) -> bytes:
        try:
            end.settimeout(patience.seconds)
            send_frame(end, JOB, job_json)
            frame = receive_frame(end, LARGEST_ANSWER_BYTES, patience)
        except (TimeoutError, NobodyWaits):
            self._kill_orphan(worker_pid)
            raise
        except (FrameBroken, OSError):
            frame = None
        if frame is not None and frame.kind == ANSWER:
            return frame.content
        raise NobodyWaits if patience.has_called else _obituary(frame)

    def _kill_orphan(self, worker_pid: int) -> None:
        """Kills a worker whose parent is no more; a living parent does it itself, on seeing the socket closed."""
        if self._process is None or self._process.poll() is not None:
            with suppress(OSError):
                os.killpg(worker_pid, signal.SIGKILL)

    def _start(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        if self._process is not None and self._process.poll() is None and self._control is not None:
            return self._control, self._process
        self._stop()
        self._control, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "explorer.runner.warm_parent", str(theirs.fileno())]
            try:
                self._process = subprocess.Popen(  # noqa: S603  our own program
                    command,
                    pass_fds=[theirs.fileno()],
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
            except OSError as error:
                self._stop()
                raise WorkerUnavailable("runner.stopped_no_worker") from error
        return self._control, self._process

    def _stop(self) -> None:
        self.is_warm = False
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1)
            self._process.kill()
            self._process.wait()
            self._process = None


def environment() -> dict[str, str]:
    """The environment of a worker: one thread per library, the same hashes in every process, this package to import."""
    root = str(Path(__file__).resolve().parents[2])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | threads | {"PYTHONPATH": root, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def _obituary(frame: Frame | None) -> WorkerDied:
    if frame is None or frame.kind != DIED:
        return WorkerDied()
    try:
        exit_code, cpu_seconds = frame.content.split()
        return WorkerDied(int(exit_code), float(cpu_seconds))
    except ValueError:
        return WorkerDied()

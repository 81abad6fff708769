"""The warm parent: a process that has imported torch and forks one worker per job.

The server starts it with `python -m explorer.runner.warm_parent <fd>` and sends it, over that socket, one end of a
fresh socket per job. It stays single-threaded and never runs a backward pass: a child forked after one was seen to
hang. It ends when the server does.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from types import ModuleType
from typing import NamedTuple, NoReturn

from explorer.runner import worker
from explorer.runner.confinement import detach
from explorer.runner.frames import ANSWER, DIED, STARTED, receive_frame, send_frame
from explorer.runner.guards import import_allowed
from explorer.runner.jobs import LARGEST_ANSWER_BYTES

SPARE_WORKERS = 2
"""How many workers wait for a job: forking one takes about as long as a small program runs."""

HALF_CLOSED = getattr(select, "POLLRDHUP", 0)
"""That the server has no more to say, and waits for an answer; where poll does not tell, its hanging up comes later."""

FAILED = 70
"""What a worker exits with that ended by an exception of its own."""


class Spare(NamedTuple):
    """A worker that has no job yet.

    Args:
        pid: Its process.
        way: Where its job's socket is sent.
    """

    pid: int
    way: socket.socket


class WarmParent:
    """Forks workers, tells the server of their deaths, and stops and ends those that it does not want any more.

    Args:
        control: Where job sockets arrive.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self.modules: dict[str, ModuleType] = import_allowed()
        self._spares: list[Spare] = []
        self._ends: dict[int, socket.socket] = {}
        self._ended, self._wakeup = socket.socketpair()
        self._poll = select.poll()

    def serve(self) -> None:
        """Works until the server closes the control socket."""
        self._listen_for_deaths()
        self._poll.register(self._control, select.POLLIN)
        while True:
            ready = dict(self._poll.poll(0 if len(self._spares) < SPARE_WORKERS else None))
            if not ready:
                self._add_spare()
            # In this order: burying closes sockets, and a new job's may get the number of one that was hung up on.
            for fd in ready.keys() - {self._control.fileno(), self._ended.fileno()}:
                self._unwanted(fd, has_hung_up=bool(ready[fd] & ~HALF_CLOSED))
            if self._ended.fileno() in ready:
                self._bury()
            if self._control.fileno() in ready and not self._take_job():
                return self._end_all()

    def _listen_for_deaths(self) -> None:
        for end in (self._ended, self._wakeup):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        self._poll.register(self._ended, select.POLLIN)

    def _add_spare(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            pid = os.fork()
            if pid == 0:
                _live(theirs, self.modules)
            self._spares.append(Spare(pid, ours))

    def _take_job(self) -> bool:
        letter, fds, _, _ = socket.recv_fds(self._control, 1, 1)
        if letter and fds:
            end = socket.socket(fileno=fds[0])
            self._ends[self._hand_over(end)] = end
            # The worker reads from its copy of this socket: here only the other side's hanging up counts.
            self._poll.register(end, HALF_CLOSED)
        return bool(letter)

    def _hand_over(self, end: socket.socket) -> int:
        """Gives a job to a spare worker; its process."""
        while True:
            if not self._spares:
                self._add_spare()
            pid, way = self._spares.pop(0)
            with suppress(OSError), way:
                socket.send_fds(way, [b"j"], [end.fileno()])
                return pid

    def _bury(self) -> None:
        with suppress(BlockingIOError):
            self._ended.recv(4096)
        with suppress(ChildProcessError):
            while (buried := os.wait4(-1, os.WNOHANG))[0]:
                pid, status, used = buried
                self._tell(pid, status, used.ru_utime + used.ru_stime)

    def _tell(self, pid: int, status: int, cpu_seconds: float) -> None:
        self._spares = [spare for spare in self._spares if spare.pid != pid]
        if (end := self._ends.pop(pid, None)) is None:
            return
        self._poll.unregister(end)
        with suppress(OSError), end:
            end.setblocking(False)
            send_frame(end, DIED, f"{os.waitstatus_to_exitcode(status)} {cpu_seconds:.3f}".encode())

    def _unwanted(self, fd: int, *, has_hung_up: bool) -> None:
        """Stops the program that is not to go on; kills the worker that nobody waits for any more."""
        pid = next((pid for pid, end in self._ends.items() if end.fileno() == fd), None)
        if pid is None:
            return
        if not has_hung_up:
            self._poll.modify(fd, 0)
            os.kill(pid, signal.SIGUSR1)
            return
        self._poll.unregister(fd)
        self._ends.pop(pid).close()
        _kill(pid)

    def _end_all(self) -> None:
        signal.set_wakeup_fd(-1)
        for pid in self._ends:
            _kill(pid)


def _kill(pid: int) -> None:
    """Kills a worker and its group; it has not been waited for, so that the number is still its own."""
    for kill in (os.killpg, os.kill):
        with suppress(OSError):
            kill(pid, signal.SIGKILL)


def _live(way: socket.socket, modules: dict[str, ModuleType]) -> NoReturn:
    """A worker's whole life: it waits for its one job, does it, and ends."""
    exit_code = FAILED
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        detach(way.fileno())
        with way:
            _, fds, _, _ = socket.recv_fds(way, 1, 1)
        if fds:
            _work(socket.socket(fileno=fds[0]), modules)
        exit_code = 0
    finally:
        os._exit(exit_code)


def _work(end: socket.socket, modules: dict[str, ModuleType]) -> None:
    send_frame(end, STARTED, str(os.getpid()).encode())
    frame = receive_frame(end, LARGEST_ANSWER_BYTES)
    if frame is not None:
        send_frame(end, ANSWER, worker.perform(frame.content, modules))


def main() -> None:
    """Serves on the socket whose number is the first argument."""
    parent = WarmParent(socket.socket(fileno=int(sys.argv[1])))
    # An optimizer's first step would import it in every worker anew, which takes seconds.
    importlib.import_module("torch._dynamo")
    # From here on only C code speaks there, such as Fontconfig, which has nothing to tell a reader of the server's log.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    worker.rehearse(parent.modules)
    gc.collect()
    gc.freeze()
    parent.serve()


if __name__ == "__main__":
    main()

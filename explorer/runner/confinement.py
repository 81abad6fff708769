"""What a worker process gives up before a stranger's program runs in it.

The second line behind the language: limits that the kernel keeps, and a hook that refuses what no program of the
language can ask for. The third is `explorer.runner.kernel`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from explorer.runner.limits import Limits

try:
    import resource
except ImportError:  # Windows has no such limits; there the server's own clock is what ends a program.
    resource = None  # type: ignore[assignment]

RESERVE_BYTES = 256 * 2**20
"""What a worker may use beyond the program's limit, to tell how the program ended."""

ACTS = (
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "ctypes.",
    "pty.",
    "fcntl.",
    "mmap.",
    "tempfile.",
    "signal.",
    "pickle.",
    "code.",
    "gc.",
    "sqlite3.",
    "syslog.",
)
"""Beginnings of audit events that a program has no business with."""

LIBRARIES = ("/lib", "/lib64", "/usr/lib")
"""Where an extension module's libraries may be, besides the folders of packages."""

FREE_ACTS = frozenset({"os.listdir", "os.scandir"})
"""What importing a module does."""


def detach(kept: int) -> None:
    """Leaves a forked process with one open file, no environment and no terminal."""
    os.setsid()
    with suppress(OSError):  # where the machine is short of memory, a worker goes before the server
        Path("/proc/self/oom_score_adj").write_text("1000")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.closerange(3, kept)
    os.closerange(kept + 1, 65_536)
    os.chdir("/")
    os.environ.clear()


def restrict(limits: Limits, *, file_bytes: int = 0) -> None:
    """Sets the kernel's limits, where there are any: processor time, address space, size of files written."""
    if resource is None:
        return
    cpu = int(time.process_time()) + 1 + limits.cpu_seconds if time.process_time() > 1 else limits.cpu_seconds
    memory = _address_space_bytes()
    wanted = {
        resource.RLIMIT_CPU: (cpu, cpu + 2),
        resource.RLIMIT_FSIZE: (file_bytes, file_bytes),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (32, 32),
    }
    if memory is not None:
        wanted[resource.RLIMIT_AS] = (memory + limits.memory_bytes, memory + limits.memory_bytes + RESERVE_BYTES)
    for limit, values in wanted.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, values)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def open_reserve() -> None:
    """Lets the worker use the memory kept for telling the ending."""
    if resource is None:
        return
    with suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


@contextmanager
def watched_acts(refuse: Callable[[str], Any]) -> Iterator[None]:
    """Calls `refuse` with the name of any act that reaches out of the process, as long as the block lasts."""
    watching, readable = True, import_folders()

    def look(event: str, args: tuple[Any, ...]) -> None:
        if not watching:
            return
        if event == "open":
            if not _is_import(args, readable):
                refuse("open")
        elif event.startswith(ACTS) and event not in FREE_ACTS:
            refuse(event)

    sys.addaudithook(look)
    try:
        yield
    finally:
        watching = False


@cache
def import_folders() -> tuple[str, ...]:
    """The folders that modules are read from, as spelled and as they are; of this project the package alone."""
    root = Path(__file__).resolve().parents[2]
    folders = {folder for folder in sys.path if folder and Path(folder).resolve() != root}
    return (*{*folders, *(str(Path(folder).resolve()) for folder in folders)}, str(root / "explorer"), *LIBRARIES)


def _is_import(args: tuple[Any, ...], readable: tuple[str, ...]) -> bool:
    """Whether opening a file is reading a part of Python or of an installed package."""
    path, mode, flags = (*args, None, None, None)[:3]
    if not isinstance(path, str) or (isinstance(mode, str) and set(mode) & set("wax+")):
        return False
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return False
    return path.startswith(readable) and ".." not in path


def _address_space_bytes() -> int | None:
    """What this process has mapped; None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")

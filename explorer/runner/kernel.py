"""What the kernel itself refuses a worker on Linux, whatever code may run there: the third line of defence.

Landlock leaves the folders that modules are imported from, to be read; seccomp refuses every call that starts programs,
signals others, opens sockets or changes files. Both last until the process ends. Where a kernel or a machine does not
have them, the worker has the language, the audit hook and its limits.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any

Instruction = tuple[int, int, int, int]
"""Of Berkeley's packet filter: operation, steps to jump where true and where false, operand."""

LOAD, EQUAL, ANY_BIT, AT_LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
ALLOW, ERROR = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
X32 = 0x40000000
"""From here on x86 numbers the calls of another interface."""

CLONE_THREAD = 0x00010000
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Landlock's calls, the same on every machine."""

READ_FILE, READ_DIR = 1 << 2, 1 << 3
ACCESS_BITS = (0, 13, 14, 15, 15, 16)
"""How many kinds of access to files each version of Landlock knows."""


def close_off(readable: Iterable[str]) -> None:
    """Gives up everything but computing and reading some folders, as far as the kernel can keep to it.

    Args:
        readable: The folders.
    """
    libc, calls = _libc(), _calls()
    if libc is None or libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return
    _restrict_files(libc, readable)
    if calls is not None:
        _filter_calls(libc, list(filter_program(calls, os.getpid())))


def filter_program(calls: Mapping[str, Any], pid: int) -> Iterator[Instruction]:
    """The filter that refuses a machine's calls.

    Args:
        calls: The machine's part of `syscalls.toml`.
        pid: The process, which may signal itself.
    """
    yield (LOAD, 0, 0, ARCHITECTURE)
    yield (EQUAL, 1, 0, calls["arch"])
    yield _refusal(errno.EPERM)
    yield (LOAD, 0, 0, NUMBER)
    yield (AT_LEAST, 0, 1, X32)
    yield _refusal(errno.EPERM)
    for kind in ("programs", "signals", "network", "memory_of_others", "files", "kernel"):
        for number in calls[kind].values():
            yield from _refused(number, errno.EPERM)
    for number in calls["unknown"].values():  # libc then does without them
        yield from _refused(number, errno.ENOSYS)
    yield from _refused_unless(calls["clone"], 0, (ANY_BIT, 1, 0, CLONE_THREAD))
    for name in ("kill", "tgkill"):
        yield from _refused_unless(calls[name], 0, (EQUAL, 1, 0, pid))
    for name, flags in (("open", 1), ("openat", 2)):
        if name in calls:
            yield from _refused_unless(calls[name], flags, (ANY_BIT, 0, 1, WRITING))
    yield (RETURN, 0, 0, ALLOW)


def _refusal(error: int) -> Instruction:
    return (RETURN, 0, 0, ERROR | error)


def _refused(number: int, error: int) -> Iterator[Instruction]:
    yield (EQUAL, 0, 1, number)
    yield _refusal(error)


def _refused_unless(number: int, argument: int, test: Instruction) -> Iterator[Instruction]:
    """Refuses a call unless the low half of an argument passes a test, which then jumps over the refusal."""
    yield (EQUAL, 0, 4, number)
    yield (LOAD, 0, 0, FIRST_ARGUMENT + 8 * argument)
    yield test
    yield _refusal(errno.EPERM)
    yield (RETURN, 0, 0, ALLOW)


def _filter_calls(libc: ctypes.CDLL, program: list[Instruction]) -> None:
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code)
    described = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    libc.prctl(SET_SECCOMP, FILTER, ctypes.c_char_p(described), 0, 0)


def _restrict_files(libc: ctypes.CDLL, readable: Iterable[str]) -> None:
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return
    kinds = (1 << ACCESS_BITS[min(version, len(ACCESS_BITS) - 1)]) - 1
    ruleset = libc.syscall(CREATE_RULESET, struct.pack("=Q", kinds), ctypes.c_size_t(8), 0)
    for folder in readable:
        with suppress(OSError):
            end = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            libc.syscall(ADD_RULE, ruleset, 1, struct.pack("=Qi", READ_FILE | READ_DIR, end), 0)
            os.close(end)
    libc.syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def prepare() -> None:
    """Finds out once what every worker needs to know."""
    _libc(), _calls()


@cache
def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if platform.system() == "Linux" else None


@cache
def _calls() -> Mapping[str, Any] | None:
    """This machine's numbers; None where nobody has written them down."""
    table = tomllib.loads(resources.files("explorer.runner").joinpath("syscalls.toml").read_text("utf-8"))
    return table.get(platform.machine()) if struct.calcsize("P") == 8 else None

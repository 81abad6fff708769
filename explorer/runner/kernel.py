"""What the kernel itself refuses a worker on Linux, whatever code may run there: the third line of defence.

Landlock leaves the folders that modules are imported from, to be read; seccomp allows the calls that computing needs
(`syscalls.toml`) and refuses all others: none starts programs, signals others, changes what they may use, opens sockets
or writes files. Both last until the process ends. Where a kernel or a machine does not have them, the worker has the
language, the audit hook and its limits.
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

YOUNG = 435
"""From here on calls are younger than 2019: libc does without those that a kernel does not have."""

CLONE_THREAD = 0x00010000
KINDS = ("memory", "threads", "time", "signals", "files", "answers", "itself")
"""Of the calls in `syscalls.toml` that are free."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

FILE_COMMANDS = (0, 1, 2, 3, 4, 1030)
"""Of `fcntl`: copy a descriptor, read and set its flags. Others have a signal sent to whoever is named."""

DEVICE_COMMANDS = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451)
"""Of `ioctl`: whether it is a terminal, how much is there to read, blocking, inheriting."""

PROCESS_COMMANDS = (15, 16, 0x53564D41)
"""Of `prctl`: names of threads and of memory."""

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Landlock's calls, the same on every machine."""

READ_FILE, READ_DIR = 1 << 2, 1 << 3
NETWORK, SCOPES = 0b11, 0b11
"""To bind and to connect; abstract sockets of others, and signals to them."""

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
    """The filter that allows a machine's calls.

    Args:
        calls: The machine's part of `syscalls.toml`.
        pid: The process, which may signal and limit itself.
    """
    yield (LOAD, 0, 0, ARCHITECTURE)
    yield (EQUAL, 1, 0, calls["arch"])
    yield _refusal(errno.EPERM)
    yield (LOAD, 0, 0, NUMBER)
    yield (AT_LEAST, 0, 1, X32)
    yield _refusal(errno.EPERM)
    for number in (number for kind in KINDS for number in calls[kind].values()):
        yield (EQUAL, 0, 1, number)
        yield (RETURN, 0, 0, ALLOW)
    for name, number in calls["with_arguments"].items():
        yield from _allowed_if(number, *argument_tests(pid)[name])
    yield (AT_LEAST, 0, 1, YOUNG)
    yield _refusal(errno.ENOSYS)
    yield _refusal(errno.EPERM)


def argument_tests(pid: int) -> Mapping[str, tuple[int, tuple[Instruction, ...]]]:
    """For each call that is not free: which argument counts, and how to tell that it is allowed."""
    return {
        "clone": (0, ((ANY_BIT, 1, 0, CLONE_THREAD),)),
        "open": (1, ((ANY_BIT, 0, 1, WRITING),)),
        "openat": (2, ((ANY_BIT, 0, 1, WRITING),)),
        "kill": (0, _one_of(pid)),
        "tgkill": (0, _one_of(pid)),
        "prlimit64": (0, _one_of(0, pid)),
        "fcntl": (1, _one_of(*FILE_COMMANDS)),
        "ioctl": (1, _one_of(*DEVICE_COMMANDS)),
        "prctl": (0, _one_of(*PROCESS_COMMANDS)),
    }


def _one_of(*values: int) -> tuple[Instruction, ...]:
    """Tests that jump over the rest and the refusal behind them."""
    return tuple((EQUAL, len(values) - place, 0, value) for place, value in enumerate(values))


def _allowed_if(number: int, argument: int, tests: tuple[Instruction, ...]) -> Iterator[Instruction]:
    """Refuses a call unless the low half of an argument passes a test, which then jumps over the refusal."""
    yield (EQUAL, 0, len(tests) + 3, number)
    yield (LOAD, 0, 0, FIRST_ARGUMENT + 8 * argument)
    yield from tests
    yield _refusal(errno.EPERM)
    yield (RETURN, 0, 0, ALLOW)


def _refusal(error: int) -> Instruction:
    return (RETURN, 0, 0, ERROR | error)


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
    given_up = struct.pack("=QQQ", kinds, NETWORK, SCOPES)[: 8 * (1 + (version >= 4) + (version >= 6))]
    ruleset = libc.syscall(CREATE_RULESET, given_up, ctypes.c_size_t(len(given_up)), 0)
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

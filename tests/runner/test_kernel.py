"""What the kernel refuses once a worker has closed itself off, whatever code asks for it."""

from __future__ import annotations

import errno
import platform
import re
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest

import explorer
from explorer.runner import Limits, running
from explorer.runner.kernel import ERROR, KINDS, RETURN, argument_tests, filter_program

ROOT = Path(__file__).parents[2]

PRELUDE = """
import ctypes, fcntl, os, resource, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), "")
from explorer.runner import kernel
kernel.close_off({readable})
try:
    {act}
except OSError as error:
    print(error.errno)
else:
    print("done")
"""


LIBRARY = "[os.path.dirname(os.__file__)]"


def after_closing_off(act: str, readable: str = LIBRARY) -> str:
    """What a process prints that has closed itself off and then does something."""
    code = PRELUDE.format(act=act, readable=readable)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


closes_off = pytest.mark.skipif(
    platform.system() != "Linux" or after_closing_off("os.fork()") == "done", reason="this kernel does not filter calls"
)


@closes_off
@pytest.mark.parametrize(
    ("act", "error"),
    [
        ("os.fork()", errno.EPERM),
        ("os.execv('/bin/true', ['true'])", errno.EPERM),
        ("os.posix_spawn('/bin/true', ['true'], {})", errno.EPERM),
        ("socket.socket()", errno.EPERM),
        ("socket.socketpair()", errno.EPERM),
        ("os.kill(os.getppid(), 9)", errno.EPERM),
        ("os.kill(-1, 9)", errno.EPERM),
        ("open('/tmp/explorer-was-here', 'w')", errno.EPERM),
        ("os.unlink('/tmp/explorer-was-here')", errno.EPERM),
        ("os.mkdir('/tmp/explorer-was-here')", errno.EPERM),
        ("os.memfd_create('x')", errno.EPERM),
        ("resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))", errno.EPERM),
        ("fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid())", errno.EPERM),
        ("fcntl.fcntl(0, 10, 9)", errno.EPERM),  # the signal to send
        ("os.sched_setaffinity(os.getppid(), {0})", errno.EPERM),
        ("os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)", errno.EPERM),
        ("os.chmod('/tmp', 0o777)", errno.EPERM),
        ("call(452, -100, b'/tmp', 0o777, 0)", errno.ENOSYS),  # chmod by a call that is younger
        ("call(31, 0, 0, 0)", errno.EPERM),  # memory shared by others, removed
        ("call(9999)", errno.ENOSYS),
        ("open('/etc/passwd')", errno.EACCES),
        ("open('/proc/self/environ')", errno.EACCES),
        ("os.listdir('/home')", errno.EACCES),
    ],
)
def test_the_kernel_refuses(act: str, error: int) -> None:
    assert after_closing_off(act) == str(error)


@closes_off
@pytest.mark.parametrize(
    "act",
    [
        "open(os.__file__)",
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
        "os.isatty(0)",
        "threading.Thread(target=int).start()",
        "os.kill(os.getpid(), 0)",
        "os.write(1, b'')",
    ],
)
def test_the_kernel_allows(act: str) -> None:
    assert after_closing_off(act) == "done"


@closes_off
@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("open('/etc/passwd')", "done"),
        ("open('/tmp/explorer-was-here', 'w')", str(errno.EPERM)),
        ("os.fork()", str(errno.EPERM)),
        ("socket.socket()", str(errno.EPERM)),
        ("os.kill(os.getppid(), 9)", str(errno.EPERM)),
    ],
)
def test_a_process_that_draws_reads_files_and_no_more(act: str, told: str) -> None:
    assert after_closing_off(act, readable="['/']") == told


@closes_off
def test_a_program_runs_in_a_process_that_is_closed_off() -> None:
    explorer.run("x = 1")
    parent = running.workers().pid  # type: ignore[attr-defined]
    loop = threading.Thread(target=explorer.run, args=("while True: pass",), kwargs={"limits": Limits(wall_seconds=2)})
    loop.start()
    time.sleep(1)
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    modes = [Path(f"/proc/{child}/status").read_text().partition("Seccomp:")[2].split()[0] for child in children]
    loop.join()
    assert modes.count("2") == 1  # the others wait for a job


@pytest.mark.parametrize(
    ("machine", "header"), [("x86_64", "x86_64-linux-gnu/asm/unistd_64.h"), ("aarch64", "asm-generic/unistd.h")]
)
def test_calls_have_the_numbers_that_the_kernels_headers_give(machine: str, header: str) -> None:
    path = Path("/usr/include", header)
    if not path.exists():
        pytest.skip(f"no {path} here")
    given = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text()))
    given.setdefault("newfstatat", given.get("fstatat", ""))
    calls = tomllib.loads((ROOT / "explorer/runner/syscalls.toml").read_text("utf-8"))[machine]
    kinds = [kind for kind in calls.values() if isinstance(kind, dict)]
    assert len(kinds) == len(KINDS) + 1
    written = {name: number for kind in kinds for name, number in kind.items()}
    assert {name: int(given[name]) for name in written} == written


def test_every_jump_of_the_filter_lands_inside_it() -> None:
    limited = {name: number for number, name in enumerate(argument_tests(pid=9), start=3)}
    calls = {"arch": 1, **{kind: {"a": 2} for kind in KINDS}, "with_arguments": limited}
    program = list(filter_program(calls, pid=9))
    for place, (_, if_true, if_false, _) in enumerate(program):
        assert place + 1 + max(if_true, if_false) <= len(program)
    assert program[-1] == (RETURN, 0, 0, ERROR | errno.EPERM)

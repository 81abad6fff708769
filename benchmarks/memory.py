"""What the processes hold in memory."""

from __future__ import annotations

import threading
import time

import psutil

from benchmarks.programs import TUTORIAL
from benchmarks.rows import Row, at_most
from benchmarks.servers import OUR_PICTURE, browsing, serving, visiting
from explorer.runner import Limits, run

VISITS = 10
MEBIBYTE = 2**20
TARGET_MEBIBYTES = 200


def rows() -> list[Row]:
    """The server after ten visits, the warm parent, and the private part of one run's process."""
    return [*_server(), *_worker()]


def _server() -> list[Row]:
    with serving("app.py") as server, browsing() as browser:
        for _ in range(VISITS):
            with visiting(browser, server.url, OUR_PICTURE):
                pass
        process = psutil.Process(server.pid)
        resident, private = _resident(process), _private(process)
    detail = f" ({private:.0f} private)"
    return [at_most(f"server process, resident after {VISITS} visits", resident, TARGET_MEBIBYTES, "MiB", detail)]


def _worker() -> list[Row]:
    """Looks at a worker that has run the tutorial program and then loops."""
    run(TUTORIAL)
    (parent,) = (p for p in psutil.Process().children() if "explorer.runner.warm_parent" in p.cmdline())
    program = TUTORIAL + "\nwhile True:\n    pass\n"
    running = threading.Thread(target=run, args=(program,), kwargs={"limits": Limits(wall_seconds=2.0)})
    running.start()
    time.sleep(1.0)
    worker = max(parent.children(), key=lambda process: process.cpu_times().user)
    private, resident = _private(worker), _resident(worker)
    running.join()
    return [
        Row("warm parent, resident", f"{_resident(parent):.0f} MiB ({_private(parent):.0f} private)"),
        Row("one run's process, private", f"{private:.0f} MiB ({resident:.0f} resident, shared with the parent)"),
    ]


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / MEBIBYTE


def _private(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / MEBIBYTE

"""How much a process grows that records a chain: `python -m benchmarks.recorder_memory LENGTH` prints KiB."""

from __future__ import annotations

import gc
import sys

import psutil

from benchmarks.recorder_cost import record_once
from benchmarks.workloads import Workload, chain


def main() -> None:
    """Records a short chain first, so that what torch loads once is not counted."""
    record_once(Workload(chain(10)))
    process = psutil.Process()
    gc.collect()
    before = process.memory_full_info().uss
    session = record_once(Workload(chain(int(sys.argv[1]))))
    gc.collect()
    print((process.memory_full_info().uss - before) / 1024)
    assert session.recording


if __name__ == "__main__":
    main()

"""Runs the benchmarks named on the command line, all of them without names, and prints one table."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable

from benchmarks import growth, lab_pages, labs, memory, page_open, player_step, recorder_cost, run_time, torchlens_cost
from benchmarks.rows import Row

# The last two import torch into this process.
BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    module.__name__.rpartition(".")[2]: module.rows
    for module in (run_time, growth, labs, lab_pages, player_step, page_open, memory, recorder_cost, torchlens_cost)
}
MARKS = {True: "yes", False: "NO", None: ""}


def main() -> None:
    """Prints the table as Markdown; a missed target does not fail, it is there to be read."""
    chosen = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(chosen) - set(BENCHMARKS):
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    load = "" if not hasattr(os, "getloadavg") else f", load {os.getloadavg()[0]:.1f} before the start"
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}{load}\n", flush=True)
    made = [row for name in chosen for row in _reported(name)]
    header = Row("measured", "figure", "target")
    lines = [(*row[:3], MARKS[row.is_met]) for row in made]
    table = [(*header[:3], "met"), *lines]
    widths = [max(len(line[i]) for line in table) for i in range(4)]
    for number, line in enumerate(table):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def _reported(name: str) -> list[Row]:
    print(f"{name} …", file=sys.stderr, flush=True)
    return BENCHMARKS[name]()


if __name__ == "__main__":
    main()

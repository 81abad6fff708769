"""Prints what the sweeps have seen."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    from sweep import COUNTS, NOTES

    if COUNTS:
        terminalreporter.section("recorded and compared with plain torch")
        terminalreporter.line(", ".join(f"{count:,} {what}" for what, count in COUNTS.items()))
        for note in NOTES:
            terminalreporter.line(note)

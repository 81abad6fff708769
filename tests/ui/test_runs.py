"""Runs that all sessions share."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from explorer.runner import AnyEnding, Completed, run
from explorer.ui import runs
from explorer.ui.runs import ENDINGS, MOST_BYTES, Task, ending_of, forget, size_of

PROGRAM = Task("import torch\nx = torch.ones(3, requires_grad=True)\nx.sum().backward()\n")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that were really run, in order."""
    found: list[str] = []

    def slow_run(program: str, **more: Any) -> AnyEnding:
        found.append(program)
        time.sleep(0.2)
        return run(program, **more)

    monkeypatch.setattr(runs, "run", slow_run)
    ENDINGS.clear()
    ending_of(Task("import torch\n"))  # the first one of a server may be the picture that it comes with
    found.clear()
    return found


def test_thirty_who_ask_at_once_get_one_run(ran: list[str]) -> None:
    with ThreadPoolExecutor(30) as pool:
        endings = list(pool.map(ending_of, [PROGRAM] * 30))
    assert ran == [PROGRAM.program]
    assert all(ending is endings[0] for ending in endings)


def test_what_is_forgotten_is_run_anew(ran: list[str]) -> None:
    ending_of(PROGRAM)
    forget(PROGRAM)
    forget(PROGRAM)
    ending_of(PROGRAM)
    assert ran == [PROGRAM.program] * 2


def test_what_is_kept_is_counted_in_bytes(ran: list[str]) -> None:
    ending = ending_of(PROGRAM)
    assert isinstance(ending, Completed)
    assert size_of(ending) > len(ending.recording.to_json())
    assert ENDINGS.currsize == sum(map(size_of, ENDINGS.values())) < ENDINGS.maxsize == MOST_BYTES

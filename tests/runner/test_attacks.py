"""What a program must not get, it does not get, and the ending says why."""

from __future__ import annotations

import pytest
from catalogue import entries

import explorer
from explorer.runner import AnyEnding, Failed, Limits, Rejected, Stopped

BRIEF = Limits(wall_seconds=1.0, memory_bytes=128 * 2**20)
LONG = Limits(wall_seconds=20.0, cpu_seconds=20, memory_bytes=128 * 2**20)
"""For programs that must end for another reason than time, on a machine that may be busy."""


def described(ending: AnyEnding) -> str:
    """An ending and its reason, in one line."""
    match ending:
        case Rejected(violations=violations):
            return f"Rejected {violations[0].code}"
        case Stopped(reason=reason):
            return f"Stopped {reason}"
        case Failed(recording=recording):
            assert recording.error is not None
            return f"Failed {recording.error.type}"
    return "Completed"


@pytest.mark.parametrize("attack", entries("attacks.toml", "attack"))
def test_attacks_end_as_they_must(attack: dict[str, str]) -> None:
    ending = explorer.run(attack["code"], limits=BRIEF if attack["ending"] == "Stopped wall" else LONG)
    assert described(ending) == attack["ending"], ending


def test_after_all_of_them_the_next_program_runs() -> None:
    assert explorer.run("print(1)").recording.printed == "1\n"

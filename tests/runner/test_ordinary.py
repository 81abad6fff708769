"""What a tutorial writes, runs, and prints what it prints anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalogue import entries

import explorer
from explorer.runner import Completed

TUTORIAL = Path(__file__).parent.parent / "tutorial"


@pytest.mark.parametrize("program", entries("ordinary.toml", "program"))
def test_ordinary_programs_print_what_plain_torch_prints(program: dict[str, str]) -> None:
    ending = explorer.run(program["code"])
    assert isinstance(ending, Completed), ending
    assert ending.recording.printed == program["prints"]


@pytest.mark.parametrize("path", sorted(TUTORIAL.glob("*.py")), ids=lambda path: path.stem)
def test_the_tutorial_prints_its_listing(path: Path) -> None:
    ending = explorer.run(path.read_text("utf-8"))
    assert isinstance(ending, Completed)
    assert ending.recording.printed == path.with_suffix(".out").read_text("utf-8")

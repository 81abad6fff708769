"""What a tutorial writes, runs, and prints what it prints anywhere else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from catalogue import entries

import explorer
from explorer.runner import Completed, Limits

PATIENT = Limits(wall_seconds=30.0, cpu_seconds=30)
"""For a machine that is busy with other tests."""

HERE = Path(__file__).parent
TUTORIAL = Path(__file__).parent.parent / "tutorial"


@pytest.mark.parametrize("program", entries("ordinary.toml", "program"))
def test_ordinary_programs_print_what_plain_torch_prints(program: dict[str, str]) -> None:
    ending = explorer.run(program["code"], limits=PATIENT)
    assert isinstance(ending, Completed), ending
    assert ending.recording.printed == program["prints"]


def test_what_they_print_is_what_plain_python_prints() -> None:
    command = [sys.executable, str(HERE / "plain_python.py"), str(HERE / "ordinary.toml"), "program"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    programs = [entry.values[0] for entry in entries("ordinary.toml", "program")]
    assert len(programs) >= 120
    assert json.loads(done.stdout) == {program["name"]: program["prints"] for program in programs}


@pytest.mark.parametrize("path", sorted(TUTORIAL.glob("*.py")), ids=lambda path: path.stem)
def test_the_tutorial_prints_its_listing(path: Path) -> None:
    ending = explorer.run(path.read_text("utf-8"))
    assert isinstance(ending, Completed)
    assert ending.recording.printed == path.with_suffix(".out").read_text("utf-8")


def test_a_byte_order_mark_takes_no_column() -> None:
    code = "import torch; y = torch.ones(1, requires_grad=True) * 2\ny.backward()\n"
    assert explorer.run("\ufeff" + code) == explorer.run(code)

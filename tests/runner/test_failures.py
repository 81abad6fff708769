"""A failure points: at the expression, at the node, at the variable, and at the line that brought it about."""

from __future__ import annotations

from typing import Any

import pytest
from catalogue import entries

import explorer
from explorer.model import Raised, Recording, Warned
from explorer.model.source import piece_at
from explorer.runner import Failed


def failed(code: str) -> tuple[Recording, Raised]:
    """The recording of a program that fails, and its error."""
    ending = explorer.run(code)
    assert isinstance(ending, Failed), ending
    assert ending.recording.error is not None
    return ending.recording, ending.recording.error


@pytest.mark.parametrize("entry", entries("errors.toml", "error"))
def test_a_failure_points(entry: dict[str, Any]) -> None:
    recording, error = failed(entry["code"])
    assert error.span is not None
    assert recording.events[-1] == error
    pointed = {
        "type": error.type,
        "line": error.span.line,
        "at": piece_at(recording.source, error.span),
        "node": recording.node(error.node_id).name if error.node_id else None,
        "variable": error.variable,
        "cause": error.cause.line if error.cause else None,
        "calls": [span.line for span in error.calls],
    }
    assert pointed == {key: entry.get(key, [] if key == "calls" else None) for key in pointed}


def test_what_anomaly_detection_says_names_the_users_lines_alone() -> None:
    code = (
        "import torch\nx = torch.zeros(1, requires_grad=True)\n"
        "def root(x):\n    return x.sqrt()\n"
        "with torch.autograd.set_detect_anomaly(True):\n    (root(x) * 0).sum().backward()\n"
    )
    recording, _ = failed(code)
    (warning,) = (
        event for event in recording.events if isinstance(event, Warned) and "Error detected" in event.message
    )
    files = [line for line in warning.message.split("\n") if "File" in line]
    assert files == ['  File "<program>", line 6, in <module>', '  File "<program>", line 4, in root']
    assert "/" not in warning.message


def test_anomaly_detection_is_the_programs_own_choice() -> None:
    code = "import torch\nx = torch.zeros(1, requires_grad=True)\n(x.sqrt() * 0).sum().backward()\nprint(x.grad)"
    assert explorer.run(code).recording.printed == "tensor([nan])\n"


def test_a_deep_recursion_names_its_last_calls_only() -> None:
    _, error = failed("def f(n):\n    return f(n + 1)\nf(0)")
    assert 0 < len(error.calls) < 10
    assert {span.line for span in error.calls} == {2}


def test_an_error_that_was_caught_is_not_blamed_for_a_later_one() -> None:
    code = (
        "import torch\nx, y, z = torch.ones(2), torch.ones(3), torch.ones(4)\n"
        "try:\n    x + y\nexcept RuntimeError:\n    pass\ny + z"
    )
    _, error = failed(code)
    assert error.variable == "y, z"

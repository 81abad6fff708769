"""What toggles write, pasted into plain Python, prints what the page shows and leaves the same gradients."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

import explorer
from explorer.gallery import function, functions
from explorer.program import Toggles, apply_toggles
from explorer.program.flow import find_leaves
from explorer.program.source import read

COMBINATIONS = 3
STRAIGHT = [one for one in functions() if not one.is_loop]
PLAIN = """
import contextlib, io, json, sys, warnings, torch

def ran(code):
    torch.manual_seed(0)
    scope, printed, error = {"__name__": "__main__"}, io.StringIO(), None
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(code, "<program>", "exec"), scope)
        except Exception as raised:
            error = [type(raised).__name__, str(raised)]
    leaves = {name: value for name, value in scope.items() if isinstance(value, torch.Tensor) and value.is_leaf}
    grads = {name: str(leaf.grad.flatten().tolist()) for name, leaf in leaves.items() if leaf.grad is not None}
    return {"printed": printed.getvalue(), "error": error, "grads": grads}

json.dump([ran(code) for code in json.load(sys.stdin)], sys.stdout)
"""


def chosen(function_id: str) -> list[str]:
    """Programs of a few combinations of toggles, other ones for every function."""
    code = function(function_id).code
    chance = random.Random(function_id)
    leaf = next(iter(find_leaves(read(code)).tensors), "")
    seconds = ["", f"{leaf}.sum()", f"(3 * {leaf} * {leaf}).sum()"] if leaf else [""]
    return [
        apply_toggles(
            code,
            Toggles(
                passes=chance.choice([1, 2, 3, 10]),
                second=chance.choice(seconds),
                between=chance.choice(["keep", "zero_", "none"]),
                new_forward=chance.random() < 0.7,
                retain_graph=chance.random() < 0.4,
                create_graph=chance.random() < 0.2,
                seed=chance.choice(["program", "program", "implicit", "ones", "one-hot", "own"]),
                seed_index=chance.choice([0, 0, 1]),
                seed_values=chance.choice(["1", "1, 0, 2", "[[1, 0], [0, 1]]"]),
            ),
            chance.choice(["en", "zh"]),
        )
        for _ in range(COMBINATIONS)
    ]


@pytest.fixture(scope="module")
def plain() -> dict[str, dict[str, Any]]:
    """What plain Python makes of every program."""
    codes = [code for shown in STRAIGHT for code in chosen(shown.id)]
    done = subprocess.run([sys.executable, "-c", PLAIN], input=json.dumps(codes), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(zip(codes, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("function_id", [shown.id for shown in STRAIGHT])
def test_plain_python_does_the_same(function_id: str, plain: dict[str, dict[str, Any]]) -> None:
    for code in chosen(function_id):
        ending = explorer.run(code, seed=0)
        assert isinstance(ending, explorer.Completed | explorer.Failed), ending
        recording, expected = ending.recording, plain[code]
        error = recording.error and [recording.error.type, recording.error.message]
        assert (recording.printed, error) == (expected["printed"], expected["error"]), code
        for name, grad in expected["grads"].items():
            if recording.grads.get(name) is not None:
                assert str([float(number) for number in recording.grads[name].values]) == grad, code

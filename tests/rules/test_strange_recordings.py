"""A recording is untrusted: whatever it says, a step is explained in words, soon, and without an exception."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from operators import operator_recordings
from recorded import recorded

from explorer.model import Accumulated, NodeRan, Operation, Plain, Recording, SavedTensor, TensorValue
from explorer.rules import explain, functions, places, windows

STRANGE: tuple[Plain | None, ...] = (
    None,
    -1,
    0,
    3,
    2**62,
    -(2**40),
    0.5,
    1e300,
    "inf",
    "nan",
    "none",
    "1+2j",
    True,
    (),
    (2**40, 2**40),
    (-1,),
    (0, 0, 0),
    (1,) * 70,
)
MOST_SECONDS = 2.0
"""Far more than any step takes, far less than a loop over sizes such as 2**40 would."""


def strange(saved: SavedTensor, dice: random.Random) -> SavedTensor:
    """Something else in place of what a node saved."""
    if saved.value is None:
        return msgspec.structs.replace(saved, plain=dice.choice(STRANGE))
    return msgspec.structs.replace(saved, value=reshaped(saved.value, dice)) if dice.random() < 0.5 else saved


def reshaped(value: TensorValue, dice: random.Random) -> TensorValue:
    """The same elements, or none, in another shape, or as another type."""
    shape = dice.choice([(value.numel,), (1, value.numel, 1), tuple(reversed(value.shape))])
    dtype = dice.choice([value.dtype, "float64", "complex64"])
    elements = tuple("1+0j" for _ in value.values) if dtype == "complex64" else value.values
    if any(isinstance(element, str) for element in value.values) or dtype == value.dtype:
        return msgspec.structs.replace(value, shape=shape)
    return msgspec.structs.replace(value, shape=shape, dtype=dtype, values=elements)


def estranged(recording: Recording, dice: random.Random) -> Recording:
    nodes = tuple(
        msgspec.structs.replace(node, saved=tuple(strange(saved, dice) for saved in node.saved))
        for node in recording.nodes
    )
    return Recording.from_json(msgspec.structs.replace(recording, nodes=nodes).to_json())


def test_no_recording_breaks_an_explanation() -> None:
    dice = random.Random(0)
    for name, recording in operator_recordings(torch.float32, 1):
        for changed in (estranged(recording, dice) for _ in range(3)):
            for step, event in enumerate(changed.events, 1):
                if isinstance(event, NodeRan | Accumulated | Operation):
                    start = time.perf_counter()
                    assert explain(changed, step, "en").sentence
                    assert time.perf_counter() - start < MOST_SECONDS, name


def test_numbers_that_are_none_make_no_formula() -> None:
    recording = recorded("x = torch.ones(2, requires_grad=True)\n(x * x).sum().backward()\nx.sum().backward()")
    broken = msgspec.json.decode(recording.to_json())
    for event in broken["events"]:
        if event["kind"] == "Accumulated":
            event["incoming"]["values"] = ["1+1j", "2+2j"]
    changed = Recording.from_json(msgspec.json.encode(broken))
    steps = [step for step, event in enumerate(changed.events, 1) if isinstance(event, Accumulated)]
    assert [explain(changed, step, "en").formula for step in steps] == [None, None]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: places.one_hot(np.zeros(1_000), (1, 10**6), -100),
        lambda: places.index_select(np.ones(()), 0, np.zeros(1, int), (2**40,)),
        lambda: places.gather(np.ones(()), 0, np.zeros(1, int), (2**40,)),
        lambda: windows.windows_along(np.ones(()), 0, 2**40, 1),
        lambda: windows.windows_along(np.ones(8_000), 0, 4_000, 1),
        lambda: windows.im2col(np.ones((1, 10**5, 1)), (50_000, 1), (1, 1), (0, 0), (1, 1)),
        lambda: functions.FUNCTIONS["outer"].compute(np.ones(2_000), np.ones(2_000)),
    ],
)
def test_nothing_is_made_that_no_recording_holds(ask: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="sizes"):
        ask()


@pytest.mark.parametrize("sizes", [0, None])
def test_sizes_that_are_none_are_not_those_of_a_number(sizes: Any) -> None:
    with pytest.raises(TypeError):
        places.select_add(np.ones(()), sizes, 0, np.zeros(1, int))
    with pytest.raises(TypeError):
        places.scatter_add(np.ones(()), 0, np.zeros(1, int), sizes)

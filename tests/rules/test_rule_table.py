"""Every row: it is written in the rules' language, belongs to a node of torch, and gives torch's numbers."""

from __future__ import annotations

import math
from collections import Counter

import msgspec
import numpy as np
import pytest
import torch
from operators import kept_recordings
from recorded import recorded
from rule_programs import BINARY, EDGES, NOTHING_BUT_ROUNDING, ONLY_HERE, SHAPES, X

from explorer.model import NodeRan, Recording, from_float
from explorer.model.values import floats
from explorer.recorder.derivatives import arguments_of, torch_rules
from explorer.rules.expression import ExpressionInvalid, functions_in, names_in, parse
from explorer.rules.functions import CONSTANTS, FUNCTIONS
from explorer.rules.precision import rounded
from explorer.rules.table import LISTED, rules
from explorer.rules.verification import Verdict, verdict

BY_HAND = {"CopyBackwards": ("self", "src")}
"""Nodes that torch does not generate, with the arguments of their slots."""

OF_EVERY_STEP = {
    "g",
    "gs",
    "shape",
    "shapes",
    "slot",
    "dtype",
    "kept_g",
    *(f"g{index}" for index in range(4)),
    *CONSTANTS,
}

every_row = pytest.mark.parametrize("node", sorted(rules()))


@every_row
def test_a_row_has_one_rule_for_each_argument_that_torch_differentiates_by(node: str) -> None:
    arguments = [argument.removesuffix(LISTED) for argument, _ in rules()[node].vjps]
    if node in BY_HAND:
        assert tuple(arguments) == BY_HAND[node]
        return
    own = torch_rules()[node]
    differentiated = {name.strip() for names, _ in own.derivatives for name in names.split(",")}
    in_order = [argument for argument in arguments_of(own.operation) if argument in differentiated]
    assert arguments == in_order[: len(arguments)]
    assert len(arguments) == len(in_order) or node.endswith("BackwardBackward0")


@every_row
def test_a_row_uses_what_the_node_saved_and_nothing_else(node: str) -> None:
    row = rules()[node]
    sharing = [name for name, other in rules().items() if other.vjps == row.vjps]
    kept = {name.removeprefix("_saved_") for name in sharing for name in dir(getattr(torch._C._functions, name))}
    known = OF_EVERY_STEP | kept | set(row.definitions)
    for expression in filter(None, (*dict(row.vjps).values(), *row.definitions.values(), row.condition)):
        assert set(names_in(parse(expression))) <= known
        assert set(functions_in(parse(expression))) <= set(FUNCTIONS)


def test_at_least_150_kinds_of_nodes_have_a_row() -> None:
    assert len(rules()) >= 150


@pytest.mark.parametrize("text", ["(", "lambda: 0", "self.shape", "[1]", "f(x)(y)", "x := 1", "f'{g}'", "*g"])
def test_what_the_language_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(ExpressionInvalid):
        parse(text)


# Against torch


class Tally:
    """How the steps of recordings turned out, by kind of node."""

    def __init__(self) -> None:
        self.steps: dict[Verdict, Counter[str]] = {one: Counter() for one in Verdict}

    def add(self, recording: Recording) -> None:
        for event in recording.events:
            if isinstance(event, NodeRan) and (node := recording.node(event.node_id)).kind == "operation":
                self.steps[verdict(node, event)][node.name] += 1

    def __getitem__(self, one: Verdict) -> Counter[str]:
        return self.steps[one]

    def __str__(self) -> str:
        return ", ".join(
            f"{one.value}: {names.total()} steps of {len(names)} kinds" for one, names in self.steps.items()
        )


def tally(recording: Recording) -> Tally:
    found = Tally()
    found.add(recording)
    return found


MOST_ROUNDING = 1 / 250
"""So few of the steps may be such that rounding is all that their numbers hold."""


@pytest.mark.parametrize(
    ("dtype", "most_samples"),
    [
        (torch.float32, 2),
        (torch.float64, 1),
        (torch.float16, 1),
        (torch.bfloat16, 1),
        (torch.complex64, 1),
        (torch.complex128, 1),
    ],
    ids=lambda value: str(value).removeprefix("torch."),
)
def test_no_row_disagrees_on_torch_s_operator_database(
    dtype: torch.dtype, most_samples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Tally()
    own_rules: dict[str, bool] = {}
    for recording in kept_recordings(dtype, most_samples):
        found.add(recording)
        own_rules |= {node.name: node.name in recording.torch_rules for node in recording.nodes}
    with capsys.disabled():
        names = {name for kind in found.steps.values() for name in kind}
        by_hand = sorted(name for name, has_one in own_rules.items() if not has_one)
        print(
            f"\nop_db, {dtype}: {found}; {len(found[Verdict.AGREES])} of {len(names)} node names verified; "
            f"PyTorch's own rule for {sum(own_rules.values())} of {len(own_rules)}, not for {', '.join(by_hand)}"
        )
    assert not found[Verdict.DISAGREES]
    assert found[Verdict.ONLY_ROUNDING].total() <= MOST_ROUNDING * found[Verdict.AGREES].total()
    if dtype == torch.float32:
        assert set(rules()) - set(ONLY_HERE) <= set(found[Verdict.AGREES])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("node", ONLY_HERE)
def test_rows_that_the_database_does_not_reach(node: str, dtype: str) -> None:
    recording = recorded(ONLY_HERE[node].replace("DTYPE", f"torch.{dtype}"))
    assert recording.error is None, recording.error
    found = tally(recording)
    assert found[Verdict.AGREES][node], found
    assert not found[Verdict.DISAGREES]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "complex64", "complex128"])
@pytest.mark.parametrize("call", BINARY)
def test_broadcasting(call: str, dtype: str) -> None:
    for one, other in SHAPES:
        recording = recorded(
            f"a = (torch.rand({one}) + 0.5).to(torch.{dtype}).requires_grad_()\n"
            f"b = (torch.rand({other}) + 0.5).to(torch.{dtype}).requires_grad_()\n"
            f"y = {call}\ny.backward(torch.rand(y.shape).to(y.dtype))"
        )
        if recording.error is None:
            found = tally(recording)
            assert found[Verdict.AGREES]
            assert not found[Verdict.DISAGREES] | found[Verdict.NO_RULE]


@pytest.mark.parametrize("program", EDGES)
def test_at_the_edges_too(program: str) -> None:
    recording = recorded(program)
    assert recording.error is None, recording.error
    found = tally(recording)
    assert found[Verdict.AGREES].total() == sum(kind.total() for kind in found.steps.values()), found


def test_numbers_that_are_nothing_but_rounding_are_told_from_wrong_ones() -> None:
    recording = recorded(NOTHING_BUT_ROUNDING)
    found = tally(recording)
    assert found[Verdict.ONLY_ROUNDING] == {"LogcumsumexpBackward0": 1}
    assert not found[Verdict.DISAGREES]


@pytest.mark.parametrize("call", ["torch.layer_norm(x, (3,))", "x.softmax(1)", "x.exp()", "torch.linalg.inv(x @ x.T)"])
@pytest.mark.parametrize("factor", [1.01, -1.0, 0.0, math.nan, math.inf])
def test_a_number_that_torch_did_not_return_disagrees(call: str, factor: float) -> None:
    recording = recorded(X.replace("DTYPE", "torch.float32") + f"({call}).pow(3).sum().backward()")
    for ran in (event for event in recording.events if isinstance(event, NodeRan)):
        node = recording.node(ran.node_id)
        if node.kind == "operation":
            assert verdict(node, ran) is Verdict.AGREES
            assert verdict(node, forged(ran, factor)) is Verdict.DISAGREES


def forged(ran: NodeRan, factor: float) -> NodeRan:
    """The same with the largest element of what was sent multiplied."""
    value = next(sent for sent in ran.grad_inputs if sent is not None)
    largest = max(map(abs, floats(value.values)))
    changed = [from_float(x * factor) if abs(x) == largest else from_float(x) for x in floats(value.values)]
    other = msgspec.structs.replace(value, values=tuple(changed))
    return msgspec.structs.replace(ran, grad_inputs=(other, *ran.grad_inputs[1:]))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "complex64"])
def test_rounding_is_torch_s(dtype: str) -> None:
    kind, finer = getattr(torch, dtype), torch.complex128 if dtype == "complex64" else torch.float64
    numbers = torch.randn(200, dtype=finer) * torch.logspace(-9, 6, 200, dtype=torch.float64)
    numbers = torch.cat([numbers, torch.tensor([0.0, math.inf, -math.inf, math.nan, 1 + 2**-8, 1 + 3 * 2**-8])])
    expected = numbers.to(kind).to(finer)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(rounded(numbers.numpy(), dtype), expected.numpy())

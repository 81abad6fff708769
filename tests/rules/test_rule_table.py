"""Every row: it is written in the rules' language, belongs to a node of torch, and gives torch's numbers."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from operators import operator_recordings
from recorded import recorded
from rule_programs import BINARY, ONLY_HERE, SHAPES

from explorer.model import NodeRan, Recording
from explorer.recorder.derivatives import arguments_of, torch_rules
from explorer.rules.expression import ExpressionInvalid, functions_in, names_in, parse
from explorer.rules.functions import CONSTANTS, FUNCTIONS
from explorer.rules.table import LISTED, rule, rules
from explorer.rules.verification import checked

BY_HAND = {"CopyBackwards": ("self", "src")}
"""Nodes that torch does not generate, with the arguments of their slots."""

OF_EVERY_STEP = {"g", "gs", "shape", "shapes", "slot", *(f"g{index}" for index in range(4)), *CONSTANTS}

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
    for expression in (*dict(row.vjps).values(), *row.definitions.values()):
        assert set(names_in(parse(expression))) <= known
        assert set(functions_in(parse(expression))) <= set(FUNCTIONS)


def test_at_least_150_kinds_of_nodes_have_a_row() -> None:
    assert len(rules()) >= 150


@pytest.mark.parametrize("text", ["(", "lambda: 0", "self.shape", "[1]", "f(x)(y)", "x := 1", "f'{g}'", "*g"])
def test_what_the_language_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(ExpressionInvalid):
        parse(text)


# Against torch

NOT_BORNE_OUT = {
    "LogcumsumexpBackward0",  # infinite inputs: torch masks them
    "NativeLayerNormBackward0",  # one element: all that is left is rounding
    "HardsigmoidBackward0",  # torch's 1/6 is of single precision
    "CatBackward0",  # an empty tensor of one dimension, which torch lets pass for any shape
    "GatherBackward0",  # an index of more dimensions than the tensor
    "TanBackward0",  # half precision: the square of the result leaves its range
    "SoftMarginLossBackward0",  # half precision: the same
}
"""Rows that stay silent at the edges of what op_db tries."""


def verified_steps(recording: Recording) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """How often each kind of node ran: with a formula, without one in spite of a row, and without a row."""
    formula, disagreed, without = Counter[str](), Counter[str](), Counter[str]()
    for event in recording.events:
        if not isinstance(event, NodeRan) or recording.node(event.node_id).kind != "operation":
            continue
        node = recording.node(event.node_id)
        kept = (*event.grad_outputs, *event.grad_inputs, *(saved.value for saved in node.saved))
        if checked(node, event):
            formula[node.name] += 1
        elif rule(node.name) is None:
            without[node.name] += 1
        elif any(event.grad_inputs) and all(value is None or value.complete for value in kept):
            disagreed[node.name] += 1
    return formula, disagreed, without


@pytest.mark.parametrize(
    ("dtype", "most_samples"),
    [(torch.float32, 2), (torch.float64, 1), (torch.float16, 1), (torch.bfloat16, 1)],
    ids=["float32", "float64", "float16", "bfloat16"],
)
def test_no_row_disagrees_on_torch_s_operator_database(
    dtype: torch.dtype, most_samples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    formula, disagreed, without = Counter[str](), Counter[str](), Counter[str]()
    own_rules: dict[str, bool] = {}
    for _, recording in operator_recordings(dtype, most_samples):
        for total, found in zip((formula, disagreed, without), verified_steps(recording), strict=True):
            total += found
        own_rules |= {node.name: node.name in recording.torch_rules for node in recording.nodes}
    with capsys.disabled():
        names = set(formula) | set(disagreed) | set(without)
        by_hand = sorted(name for name, has_one in own_rules.items() if not has_one)
        print(
            f"\nop_db, {dtype}: {formula.total()} steps with a formula, {disagreed.total() + without.total()} without; "
            f"{len(formula)} of {len(names)} node names verified; PyTorch's own rule for "
            f"{sum(own_rules.values())} of {len(own_rules)}, not for {', '.join(by_hand)}"
        )
    assert set(disagreed) <= NOT_BORNE_OUT, disagreed
    if dtype == torch.float32:
        assert set(rules()) - set(ONLY_HERE) <= set(formula)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("node", ONLY_HERE)
def test_rows_that_the_database_does_not_reach(node: str, dtype: str) -> None:
    recording = recorded(ONLY_HERE[node].replace("DTYPE", f"torch.{dtype}"))
    assert recording.error is None, recording.error
    formula, disagreed, _ = verified_steps(recording)
    assert formula[node], (formula, disagreed)
    assert not disagreed


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "complex64"])
@pytest.mark.parametrize("call", BINARY)
def test_broadcasting(call: str, dtype: str) -> None:
    for one, other in SHAPES:
        recording = recorded(
            f"a = (torch.rand({one}) + 0.5).to(torch.{dtype}).requires_grad_()\n"
            f"b = (torch.rand({other}) + 0.5).to(torch.{dtype}).requires_grad_()\n"
            f"y = {call}\ny.backward(torch.rand(y.shape).to(y.dtype))"
        )
        if recording.error is None:
            formula, disagreed, without = verified_steps(recording)
            assert formula
            assert not disagreed | without
        else:
            assert dtype == "complex64", recording.error  # complex numbers have no order

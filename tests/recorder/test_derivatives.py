"""PyTorch's own formulas, matched to the nodes that torch generated from them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch

from explorer.recorder import record
from explorer.recorder.derivatives import arguments_of, torch_rules, torch_rules_of

GENERATED = [name for name in dir(torch._C._functions) if re.fullmatch(r"\w+Backward[A-Za-z]*\d+(_copy)?", name)]


def test_every_node_that_torch_generated_has_its_entry_and_no_entry_is_left_over() -> None:
    assert set(torch_rules_of(GENERATED)) == set(GENERATED)
    assert set(torch_rules()) <= set(GENERATED)


@pytest.mark.parametrize("node", sorted(torch_rules()))
def test_what_a_node_saves_is_named_in_its_entry(node: str) -> None:
    schema = torch_rules()[node].operation
    results = re.findall(r"(\w+)(?:,|\)$)", schema.rsplit(" -> ")[1])
    known = (*arguments_of(schema), *results, "result")
    kept = [name for name in dir(getattr(torch._C._functions, node)) if name.startswith("_saved_")]
    assert [name for name in kept if not name.removeprefix("_saved_").startswith(known)] == []


@pytest.mark.parametrize(
    ("compute", "node", "operation", "derivatives"),
    [
        (lambda x: x * x, "MulBackward0", "mul.Tensor(", [("self", "mul_tensor_backward(grad, other, self.scalar_type())")]),
        (lambda x: x**2, "PowBackward0", "pow.Tensor_Scalar(", [("self", "pow_backward(grad, self, exponent)")]),
        (lambda x: x**x, "PowBackward1", "pow.Tensor_Tensor(", [("self", "pow_backward_self(grad, self, exponent)")]),
        (lambda x: 2**x, "PowBackward2", "pow.Scalar(", []),
        (lambda x: x.max(), "MaxBackward1", "max(Tensor self) -> Tensor", []),
        (lambda x: x.max(0)[0], "MaxBackward0", "max.dim(", []),
        (lambda x: x.sum(0), "SumBackward1", "sum.dim_IntList(", []),
    ],
)  # fmt: skip
def test_overloads_are_told_apart(
    compute: Callable[[torch.Tensor], torch.Tensor], node: str, operation: str, derivatives: list[tuple[str, str]]
) -> None:
    with record() as session:
        compute(torch.ones(2, requires_grad=True))
    rule = session.recording.torch_rules[node]
    assert rule.operation.startswith(operation)
    assert set(derivatives) <= set(rule.derivatives)


def test_nodes_that_torch_does_not_generate_have_none() -> None:
    assert torch_rules_of(["AccumulateGrad", "CopySlices", "MyFunctionBackward"]) == {}

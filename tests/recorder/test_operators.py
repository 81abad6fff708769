"""Every operator of torch's own database that has a derivative on the CPU, recorded and compared with plain torch."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest
import torch
from sweep import COUNTS, NOTES, check_call
from torch.testing._internal.common_methods_invocations import op_db

SAMPLES = 3
TYPES = (torch.float32, torch.float64, torch.complex128)

DIFFERENTIABLE = {f"{op.name}.{op.variant_test_name}".rstrip("."): op for op in op_db if op.supports_autograd}
OPERATORS = {name: op for name, op in DIFFERENTIABLE.items() if op.supported_backward_dtypes("cpu") & set(TYPES)}

LEFT_OUT = {
    "torch.ops.aten._flash_attention_forward": "only on graphics cards",
    "torch.ops.aten._efficient_attention_forward": "only on graphics cards",
    "nn.functional.batch_norm.without_cudnn": "only on graphics cards; on the CPU it is nn.functional.batch_norm",
    "nn.functional.one_hot": "takes and returns integers",
}
"""The entries with autograd that have no gradient on the CPU, and why."""


def test_what_is_left_out_is_named() -> None:
    assert DIFFERENTIABLE.keys() - OPERATORS.keys() == LEFT_OUT.keys()
    COUNTS["entries without autograd"] = len(op_db) - len(DIFFERENTIABLE)
    NOTES.extend(f"left out: {name}, {reason}" for name, reason in LEFT_OUT.items())


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name: str) -> None:
    op = OPERATORS[name]
    for dtype in TYPES:
        if dtype in op.supported_backward_dtypes("cpu"):
            COUNTS["operators and types"] += 1
            torch.manual_seed(0)
            for sample in itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=True), SAMPLES):
                check_call(partial(called, op, sample), (sample.input, sample.args, sample.kwargs))
    COUNTS["operators"] += 1


def called(op: Any, sample: Any, given: Any) -> Any:
    """What the operator returns for a sample, or what of it has a derivative: an eigenvector is known up to a phase."""
    first, args, kwargs = given
    return sample.output_process_fn_grad(op(first, *args, **kwargs))

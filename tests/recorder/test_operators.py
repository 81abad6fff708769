"""Every operator of torch's own database that has a derivative on the CPU, recorded and compared with plain torch."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest
import torch
from sweep import COUNTS, check_call
from torch.testing._internal.common_methods_invocations import op_db

SAMPLES = 3
TYPES = (torch.float32, torch.float64, torch.complex128)

OPERATORS = {
    f"{op.name}.{op.variant_test_name}".rstrip("."): op
    for op in op_db
    if op.supports_autograd and op.supported_backward_dtypes("cpu") & set(TYPES)
}

EXCEPTIONS: dict[str, str] = {}
"""What is left out, and why."""


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name: str) -> None:
    if name in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[name])
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

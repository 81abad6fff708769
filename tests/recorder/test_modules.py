"""Every module of torch's own database, recorded and compared with plain torch."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest
import torch
from sweep import COUNTS, check_call
from torch.testing._internal.common_modules import module_db

SAMPLES = 3
TYPES = (torch.float32, torch.float64, torch.complex128)

MODULES = {info.name: info for info in module_db}


@pytest.mark.parametrize("name", MODULES)
def test_module(name: str) -> None:
    info = MODULES[name]
    types = [dtype for dtype in TYPES if dtype in info.dtypes]
    assert types
    for dtype in types:
        torch.manual_seed(0)
        made = info.module_inputs_func(info, "cpu", dtype, requires_grad=True, training=True)
        for sample in itertools.islice((one for one in made if one.forward_input is not None), SAMPLES):
            check_call(partial(applied, info, dtype, sample), arguments(sample))
        COUNTS["modules and types"] += 1
    COUNTS["modules"] += 1


def arguments(sample: Any) -> tuple[Any, Any, Any]:
    """What the module is called with, and a place to put the module itself, whose parameters are compared too."""
    return sample.forward_input.args, sample.forward_input.kwargs, []


def applied(info: Any, dtype: torch.dtype, sample: Any, given: Any) -> Any:
    """Makes the module as torch's tests do and calls it."""
    args, kwargs, made = given
    made.append(info.module_cls(*sample.constructor_input.args, **sample.constructor_input.kwargs).to(dtype))
    return made[0](*args, **kwargs)

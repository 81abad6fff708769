"""Recordings of torch's own operator database: each operator on some of its own sample inputs."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import torch
from recorded import quiet
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._pytree import tree_leaves

from explorer.model import Recording
from explorer.recorder import record

MOST_SAMPLES = 6


def operator_recordings(dtype: torch.dtype, most_samples: int = MOST_SAMPLES) -> Iterator[tuple[str, Recording]]:
    """(name of the operator, a recording of a backward pass through it), for every operator that has one."""
    for op in op_db:
        if not op.supports_autograd or dtype not in op.supported_backward_dtypes("cpu"):
            continue
        torch.manual_seed(0)
        with quiet():
            samples = list(itertools.islice(_samples(op, dtype), most_samples))
        for sample in samples:
            recording = _recorded(op, sample)
            if recording is not None:
                yield op.name, recording


@lru_cache(maxsize=2)
def kept_recordings(dtype: torch.dtype, most_samples: int) -> tuple[Recording, ...]:
    """The same, kept, since several tests look at them."""
    return tuple(recording for _, recording in operator_recordings(dtype, most_samples))


def _samples(op: Any, dtype: torch.dtype) -> Iterator[Any]:
    yield from op.sample_inputs("cpu", dtype, requires_grad=True)


def _recorded(op: Any, sample: Any) -> Recording | None:
    session = record(source="", filename="<program>")
    with contextlib.suppress(RuntimeError, ValueError, NotImplementedError), quiet(), session:
        results = tree_leaves(op(sample.input, *sample.args, **sample.kwargs))
        roots = [root for root in results if isinstance(root, torch.Tensor) and root.requires_grad]
        if not roots:
            return None
        torch.autograd.backward(roots, [torch.randn_like(root) for root in roots])
    return session.recording

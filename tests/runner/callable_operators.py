"""Calls every differentiable operator of torch's own database the way a program does: every name is read by the guards.

Prints as JSON which could be called and why the others could not. A process of its own: the database changes settings.
"""

from __future__ import annotations

import json
import sys
import types
import unittest
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch

from explorer.runner.guards import Guards, import_allowed
from explorer.runner.seals import seal
from explorer.runner.stops import Refused

# A test tool of torch's own, which the database imports and never calls.
sys.modules["expecttest"] = types.SimpleNamespace(TestCase=unittest.TestCase)  # type: ignore[assignment]


def read(guards: Guards, thing: Any, path: list[str]) -> Any:
    """What a program gets by reading attribute after attribute; None where a guard refuses."""
    try:
        for part in path:
            thing = guards.read(thing, part)
    except (AttributeError, Refused):
        return None
    return thing


def attempts(guards: Guards, name: str, sample: Any) -> Iterator[Callable[[], Any]]:
    """The ways in which a program may call an operator: torch's function, the tensor's method, its property."""
    subject = sample.input[0] if isinstance(sample.input, (list, tuple)) else sample.input
    function, method = read(guards, torch, name.split(".")), read(guards, subject, name.split(".")[-1:])
    if function is not None:
        yield lambda: function(sample.input, *sample.args, **sample.kwargs)
        yield lambda: function(sample.args[0], sample.input, *sample.args[1:], **sample.kwargs)
    if isinstance(method, torch.Tensor):
        yield lambda: method
    elif method is not None:
        yield lambda: method(*sample.args, **sample.kwargs)


def calls(guards: Guards, operator: Any) -> str | None:
    """Why an operator cannot be called; None if it can."""
    dtype = torch.float32 if torch.float32 in operator.supported_dtypes("cpu") else torch.complex64
    reason = "refused"
    for sample in islice(operator.sample_inputs("cpu", dtype, requires_grad=True), 4):
        for attempt in attempts(guards, operator.name, sample):
            try:
                attempt()
            except Exception as error:
                reason = f"{type(error).__name__}: {error}".split("\n")[0][:100]
            else:
                return None
    return reason


def main() -> None:
    """Calls all of them."""
    modules = import_allowed()
    from torch.testing._internal.common_methods_invocations import op_db

    seal(modules)
    guards = Guards("", modules)
    differentiable = {operator.name: operator for operator in reversed(op_db) if operator.supports_autograd}
    print(json.dumps({name: calls(guards, operator) for name, operator in sorted(differentiable.items())}))


if __name__ == "__main__":
    main()

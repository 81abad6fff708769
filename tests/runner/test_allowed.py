"""The allow list, held against the installed torch."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from types import ModuleType

import pytest
import torch

from explorer.runner.allowed import TENSOR, allowed_modules, allowed_names, refusal_of_member, refusal_of_tensor

DANGEROUS = """load save hub ops classes jit compile compiler library package serialization from_file frombuffer from_numpy
asarray from_dlpack to_dlpack storage UntypedStorage TypedStorage multiprocessing distributed os sys ctypes importlib
inspect builtins types threading overrides cond while_loop set_num_threads export fx profiler""".split()  # noqa: SIM905


@pytest.mark.parametrize("module", allowed_modules())
def test_what_is_allowed_exists(module: str) -> None:
    imported = importlib.import_module(module)
    assert [name for name in sorted(allowed_names()[module]) if not hasattr(imported, name)] == []


@pytest.mark.parametrize("module", allowed_modules())
def test_a_module_hands_out_no_module_that_has_no_list_of_its_own(module: str) -> None:
    imported = importlib.import_module(module)
    known = {id(importlib.import_module(name)) for name in allowed_modules()}
    handed_out = {name: getattr(imported, name) for name in allowed_names()[module]}
    assert [n for n, v in handed_out.items() if isinstance(v, ModuleType) and id(v) not in known] == []


def test_what_is_allowed_of_tensors_exists() -> None:
    assert [name for name in sorted(allowed_names()[TENSOR]) if not hasattr(torch.Tensor, name)] == []


def test_nothing_hidden_is_allowed_but_what_is_named_here() -> None:
    hidden = {(module, name) for module, names in allowed_names().items() for name in names if name[0] == "_"}
    assert hidden == {(TENSOR, "_version"), (TENSOR, "_base"), (TENSOR, "_is_view"), ("torch", "__version__")}


@pytest.mark.parametrize("name", DANGEROUS)
def test_dangerous_names_of_torch_are_not_allowed(name: str) -> None:
    assert name not in allowed_names()["torch"]


def test_well_known_names_are_refused_for_a_reason() -> None:
    reasonless = {"overrides", "profiler", "types", "builtins"}
    for name in set(DANGEROUS) - reasonless:
        assert refusal_of_member("torch", name) != "member_unknown", name


def test_most_public_tensor_methods_are_allowed() -> None:
    public = {name for name in dir(torch.Tensor) if name[0] != "_"}
    refused = public - allowed_names()[TENSOR]
    assert len(refused) < 0.07 * len(public), sorted(refused)
    assert refusal_of_tensor("numpy") == "tensor_numpy"


def test_most_operators_of_torchs_own_database_can_be_called() -> None:
    names = differentiable_operators()
    missing = sorted(name for name in names if not _can_be_called(name))
    assert len(names) > 400
    assert len(missing) <= 0.05 * len(names), missing


def differentiable_operators() -> list[str]:
    """Names in the operator database, read in a process of its own: importing it changes settings."""
    code = (
        "import json, sys, types, unittest\n"
        # A test tool of torch's own, which the database imports and never calls.
        "sys.modules['expecttest'] = types.SimpleNamespace(TestCase=unittest.TestCase)\n"
        "from torch.testing._internal.common_methods_invocations import op_db\n"
        "print(json.dumps(sorted({op.name for op in op_db if op.supports_autograd})))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def _can_be_called(name: str) -> bool:
    path, _, last = name.rpartition(".")
    module = f"torch.{path}".rstrip(".")
    return last in allowed_names().get(module, ()) or (not path and last in allowed_names()[TENSOR]) or _is_syntax(name)


def _is_syntax(name: str) -> bool:
    """Whether Python has an operator for it."""
    return name.startswith("__") and name.endswith("__")

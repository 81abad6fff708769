"""The allow list, held against the installed torch."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType

import pytest
import torch

from explorer.runner.allowed import TENSOR, allowed_modules, allowed_names, refusal_of_member, refusal_of_tensor

ROOT = str(Path(__file__).parents[2])

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
    tensors = {(TENSOR, "_version"), (TENSOR, "_base"), (TENSOR, "_is_view")}
    assert hidden == tensors | {("torch", "__version__"), ("torch.optim.lr_scheduler", "_LRScheduler")}


@pytest.mark.parametrize("name", DANGEROUS)
def test_dangerous_names_of_torch_are_not_allowed(name: str) -> None:
    assert name not in allowed_names()["torch"]


def test_well_known_names_are_refused_for_a_reason() -> None:
    reasonless = {"overrides", "profiler", "types", "builtins"}
    for name in set(DANGEROUS) - reasonless:
        assert refusal_of_member("torch", name) != "member_unknown", name


LEFT_OUT = {
    # in need of several devices or of memory that is not filled yet; old names; a helper of the module itself
    "torch.nn": """Container DataParallel NLLLoss2d SyncBatchNorm UninitializedBuffer UninitializedParameter
    factory_kwargs""",
    # how the module itself is written, and settings of low-precision products for graphics cards
    "torch.nn.functional": """ScalingType SwizzleType assert_int_or_pair has_torch_function has_torch_function_unary
    has_torch_function_variadic""",
    "torch.optim": "swap_in_optimizer_params_and_state",
}
"""Public functions and classes that programs do without."""

WHOLE = "nn nn.functional nn.init optim optim.lr_scheduler linalg special fft"


@pytest.mark.parametrize("module", [f"torch.{name}" for name in WHOLE.split()])
def test_all_that_a_module_is_for_is_allowed(module: str) -> None:
    missing = public(importlib.import_module(module)) - allowed_names()[module]
    assert missing == set(LEFT_OUT.get(module, "").split())


def public(module: ModuleType) -> set[str]:
    """The functions and classes that a module offers, of torch's own."""
    kinds = (FunctionType, BuiltinFunctionType, type)
    own = ("torch.nn", "torch.optim", "torch.functional", "torch._C")
    offered = {name: getattr(module, name) for name in getattr(module, "__all__", dir(module)) if name[0] != "_"}
    made = {name: value for name, value in offered.items() if isinstance(value, kinds)}
    return {name for name, value in made.items() if str(value.__module__ or own[0]).startswith(own)}


def test_most_public_tensor_methods_are_allowed() -> None:
    public = {name for name in dir(torch.Tensor) if name[0] != "_"}
    refused = public - allowed_names()[TENSOR]
    assert len(refused) < 0.07 * len(public), sorted(refused)
    assert refusal_of_tensor("numpy") == "tensor_numpy"


def test_most_operators_of_torchs_own_database_can_be_called() -> None:
    script = Path(__file__).with_name("callable_operators.py")
    command = [sys.executable, "-W", "ignore", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ROOT})
    reasons: dict[str, str | None] = json.loads(done.stdout.splitlines()[-1])
    missing = {name: reason for name, reason in reasons.items() if reason is not None}
    share = 1 - len(missing) / len(reasons)
    print(
        f"{len(reasons) - len(missing)} of {len(reasons)} differentiable operators called: {share:.1%}; not: {missing}"
    )
    assert len(reasons) > 400
    assert share >= 0.95, missing

"""A program as a function of its leaves: the text computes what the program did, and so does its gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from explorer.errors import ProgramInvalid
from explorer.gallery import GalleryFunction, functions
from explorer.program.functions import ProgramFunction, function_of

X = "import torch\nx = torch.tensor([1.0, 2.0], requires_grad=True)\n"


def ran(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(text, names)
    return names


def inputs_of(function: ProgramFunction, names: dict[str, Any]) -> list[torch.Tensor]:
    modules = [names[name] for name in function.modules]
    return [names[name] for name in function.leaves] + [one for module in modules for one in module.parameters()]


@pytest.mark.parametrize("entry", [one for one in functions() if not one.is_loop], ids=lambda entry: entry.id)
def test_its_gradient_is_what_the_last_pass_added(entry: GalleryFunction) -> None:
    function = function_of(entry.code)
    names = ran("\n".join([*function.setup, *function.definition]))
    inputs = inputs_of(function, names)
    gradients = torch.autograd.grad(names[function.name](*inputs), inputs, allow_unused=True)
    with pytest.MonkeyPatch.context() as patch:
        added: list[torch.Tensor | None] = []
        patch.setattr("builtins.print", lambda *args: None)
        names = ran(entry.code)
        added = [one.grad for one in inputs_of(function, names)]
    if entry.id == "both":  # its first pass is still in .grad
        added = [torch.ones(3)]
    if entry.id == "training-step":  # the leaf has moved since
        assert torch.equal(names["w"].grad, gradients[0])
    for found, wanted in zip(gradients, added, strict=True):
        assert found is not None
        torch.testing.assert_close(found, wanted, equal_nan=True)


def test_a_module_that_is_only_called_gives_its_parameters() -> None:
    function = function_of(X + "net = torch.nn.Linear(2, 3)\ny = net(net.weight.new_ones(2) * x).sum()\ny.backward()")
    assert function.modules == ()
    assert function.fixed_modules == ("net",)
    function = function_of(X + "a, b = 1, 2\nnet = torch.nn.Linear(2, 2)\ny = net(net(x)).sum()\ny.backward()")
    assert function.modules == ("net",)
    names = ran("\n".join([*function.setup, *function.definition]))
    inputs = inputs_of(function, names)
    net = names["net"]
    torch.testing.assert_close(names["f"](*inputs), net(net(inputs[0])).sum())
    moved = [one + 1 for one in inputs]
    assert not torch.equal(names["f"](*inputs[:1], *moved[1:]), names["f"](*inputs))


def test_what_fills_a_gradient_that_is_read_belongs_to_it() -> None:
    function = function_of(
        X + "(x * x).sum().backward()\nwith torch.no_grad():\n    x -= 0.1 * x.grad\nz = (x**3).sum()\nz.backward()"
    )
    names = ran("\n".join([*function.setup, *function.definition]))
    torch.testing.assert_close(names["x"].detach(), torch.tensor([0.8, 1.6]))


@pytest.mark.parametrize(
    "program",
    [
        "y = (torch.nn.functional.dropout(x, 0.5) * torch.randn(2)).sum()\ny.backward()",
        "def noisy(v):\n    return v * torch.randn(2)\nnoisy(x).sum().backward()",
        "torch.distributions.Normal(x, 1.0).rsample().sum().backward()",
        "drop = torch.nn.Dropout(0.5)\ndrop(x * torch.tensor([3.0, 5.0])).sum().backward()",
    ],
)
def test_random_numbers_are_the_same_in_every_call(program: str) -> None:
    function = function_of(X + program)
    names = ran("\n".join([*function.setup, *function.definition]))
    assert len({names["f"](*inputs_of(function, names)).item() for _ in range(20)}) == 1


def test_a_function_without_chance_sets_no_seed() -> None:
    function = function_of("import torch\nx = torch.randn(2, requires_grad=True)\nx.sum().backward()")
    assert not any("manual_seed" in line for line in function.definition)


def test_the_variable_of_a_comprehension_is_nothing_that_it_reads() -> None:
    function = function_of(X + "k = [i for i in range(3)]\n(x * k[2]).sum().backward()")
    assert function.others == ("k",)


def test_names_of_the_program_are_kept() -> None:
    function = function_of("import torch\nf = torch.tensor([1.0, 2.0], requires_grad=True)\n(f * f).sum().backward()")
    assert function.name == "g"
    assert function.leaves == ("f",)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("import torch\nx = torch.ones(3)\nprint(x)", "program.why_not.no_backward"),
        (X + "for _ in range(2):\n    x.sum().backward()", "program.why_not.inside_a_block"),
        ("import torch\nx = torch.ones(3)\nx.sum().backward()", "program.no_leaf"),
        (X + "z = torch.ones(2)\nz.sum().backward()", "program.no_leaf"),
        (X + "torch.autograd.backward([x.sum(), x.prod()])", "program.several_roots"),
        (
            "import torch\nz = torch.tensor([1.0], dtype=torch.complex64, requires_grad=True)\nz.abs().sum().backward()",
            "program.complex_leaf",
        ),
        ("x = (", "program.syntax_error"),
    ],
)
def test_what_is_no_function_says_why(text: str, key: str) -> None:
    with pytest.raises(ProgramInvalid) as caught:
        function_of(text)
    assert caught.value.key == key

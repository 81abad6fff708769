"""What is found in a text is what torch makes of it."""

import math

import pytest
import torch

from explorer.errors import ProgramInvalid
from explorer.program import find_inputs

EXPRESSIONS = """
torch.tensor(2.0)
torch.tensor([1, 2, 3])
torch.tensor([True, False])
torch.tensor([[1, 2.5], [-3, 4e-3]])
torch.tensor(((1.0,), (2.0,)), dtype=torch.float64)
torch.tensor([1.0, 2], dtype=torch.long)
torch.tensor([0.0, float("inf"), math.pi, 1 / 3])
torch.tensor([])
torch.tensor([1.0], requires_grad=True)
torch.tensor([1.0]).requires_grad_()
torch.tensor([1.0], requires_grad=True).requires_grad_(False)
torch.tensor([1, 2]).float()
torch.tensor([1, 2]).to(torch.double).requires_grad_(True)
torch.tensor([2.5], dtype=float)
torch.tensor([2, 3], dtype=int)
torch.tensor([0, 3]).to(bool)
torch.arange(3.0)
torch.arange(3)
torch.arange(1, 4)
torch.arange(0, 1, 0.1)
torch.arange(5.0, 0.0, -2)
torch.arange(end=3, start=1, dtype=torch.float64)
torch.arange(6.0).reshape(2, 3).requires_grad_(True)
torch.arange(6).view((3, -1)).double()
torch.linspace(0, 1, 5)
torch.linspace(-1.0, 1.0, steps=7)
torch.linspace(3, 4, 1)
torch.linspace(0, 1, 4, dtype=torch.float64)
torch.arange(0, 1, 1 / 3, dtype=torch.float64)
torch.ones(2, 3)
torch.ones((2, 3), requires_grad=True)
torch.zeros(size=(2,), dtype=torch.int32)
torch.zeros(0, 3)
torch.full((2, 2), 7)
torch.full((2,), fill_value=0.5)
torch.eye(3)
torch.eye(2, 3, dtype=torch.float64)
torch.ones(())
torch.nn.Parameter(torch.tensor([1.0, 2.0]))
torch.nn.Parameter(torch.ones(2), requires_grad=False)
torch.nn.Parameter(torch.ones(2), False)
"""


@pytest.mark.parametrize("expression", EXPRESSIONS.strip().splitlines())
def test_values_shape_and_type_are_torchs(expression):
    real = eval(expression, {"torch": torch, "math": math})
    (found,) = find_inputs(f"import torch, math\nx = {expression}\n")
    assert found.shape == tuple(real.shape)
    assert f"torch.{found.dtype}" == str(real.dtype)
    assert found.requires_grad == real.requires_grad
    assert torch.allclose(torch.tensor(found.values, dtype=real.dtype).reshape(real.shape), real.detach(), 1e-6, 1e-7)


@pytest.mark.parametrize("call", ["rand(2, 3)", "randn((2, 3))", "randint(0, 5, (2, 3))", "empty(2, 3)"])
def test_values_that_only_running_tells(call):
    (found,) = find_inputs(f"x = torch.{call}")
    assert (found.kind, found.values, found.shape) == ("constructor", None, (2, 3))
    assert f"torch.{found.dtype}" == str(eval(f"torch.{call}").dtype)


def test_what_is_said_in_a_way_of_its_own_is_not_guessed():
    (found,) = find_inputs("x = torch.eye(2, m=3)")
    assert (found.values, found.shape, found.dtype) == (None, None, "float32")


def test_large_constructors_are_not_spelled_out():
    assert [found.values for found in find_inputs("x = torch.ones(10**9)\ny = torch.arange(1e12)")] == [None, None]
    (found,) = find_inputs("x = torch.zeros(100, 100)")
    assert (found.values, found.shape) == (None, (100, 100))


def test_plain_numbers():
    rate, count = find_inputs("lr = 1e-3\nn = -3\nflag = True\nword = 'x'")
    assert (rate.kind, rate.constructor, rate.values, rate.dtype) == ("scalar", "float", (1e-3,), None)
    assert (count.constructor, count.values) == ("int", (-3,))


@pytest.mark.parametrize(
    "mark",
    ["x.requires_grad_(True)", "x.requires_grad_()", "z = x.requires_grad_(True)", "x.requires_grad = True"],
)
def test_marks_that_come_later(mark):
    assert find_inputs(f"x = torch.arange(3.0)\n{mark}\n")[0].requires_grad
    assert not find_inputs(f"x = torch.arange(3.0)\n{mark}\nx.requires_grad_(False)")[0].requires_grad


def test_marks_after_the_pass_come_too_late():
    text = "x = torch.ones(1, requires_grad=True)\nx.sum().backward()\nx.requires_grad_(False)"
    assert find_inputs(text)[0].requires_grad


def test_where_inputs_stand():
    text = "a, b = torch.ones(1), 2.0; c: float = 3.0\nfrom torch import tensor\nd = tensor([4.0])\na = torch.zeros(2)"
    assert [found.name for found in find_inputs(text)] == ["a", "b", "c", "d"]
    assert find_inputs(text)[0].shape == (1,)


@pytest.mark.parametrize(
    "text",
    [
        "y = x + 1",
        "x = torch.tensor([y, 1.0])",
        "x = torch.tensor([[1.0], [1.0, 2.0]])",
        "x = tensor([1.0])",
        "def f():\n    x = torch.ones(2)",
        "x = torch.ones(2, requires_grad=True).reshape(1, 2)",
        "x = other.reshape(2)",
        "x = torch.sin(torch.ones(2))",
        f"x = torch.tensor([1.0, {10**400}])",
        "",
    ],
)
def test_what_is_no_input(text):
    assert find_inputs(text) == ()


def test_a_text_that_is_too_long_is_not_read():
    with pytest.raises(ProgramInvalid) as error:
        find_inputs("x = 1\n" * 4_000)
    assert error.value.key == "program.too_long"


def test_the_default_type_is_not_guessed():
    found = find_inputs("torch.set_default_dtype(torch.float64)\nx = torch.ones(2)\ny = torch.tensor([1])")
    assert [one.dtype for one in found] == [None, "int64"]

"""Complex numbers are read as Python and torch read them, and written so that not a bit is lost."""

import cmath

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ProgramInvalid
from explorer.program import find_inputs, with_dtype, with_shape, with_values
from explorer.program.complex_numerals import complex_of, complex_text, read_typed, typed, write_complex
from explorer.program.toggles import seed_literal

EXPRESSIONS = """
torch.tensor(1 + 2j)
torch.tensor([1+2j, 3-1j])
torch.tensor([1.+2.j, -1j, -2.5e-3-1j, 3, True])
torch.tensor([[2j + 1, 0.5 - 1e-30j], [-0j, +1j]], requires_grad=True)
torch.tensor([1 + 2j], dtype=torch.complex128)
torch.tensor([complex("nan+infj"), complex("1-0j"), complex(0, -2), complex(-1, float("inf")), 1 / 3 + 2j])
torch.tensor([1.0, 2.0], dtype=torch.cfloat)
torch.tensor([1 + 2j]).float()
torch.tensor([1 + 2j, 0j]).bool()
torch.tensor([1.0, -2.0]).cdouble()
torch.tensor([1, 2]).to(torch.complex64)
torch.full((2,), 1j)
torch.eye(2, dtype=torch.cdouble)
"""


def torchs(text):
    return eval(text.split("x = ")[1], {"torch": torch})


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@pytest.mark.parametrize("expression", EXPRESSIONS.strip().splitlines())
def test_what_is_read_and_written_again_is_torchs(expression):
    text = f"import torch\nx = {expression}"
    (found,) = find_inputs(text)
    real, again = torchs(text), torchs(with_values(text, "x", found.values, found.shape))
    assert f"torch.{found.dtype}" == str(real.dtype) == str(again.dtype)
    assert found.shape == real.shape == again.shape
    assert repr(again.tolist()) == repr(real.tolist())


@given(st.complex_numbers() | st.builds(complex, *[st.sampled_from([0.0, -0.0, 2.0, -2.0, 1e16, cmath.nan])] * 2))
def test_no_bit_is_lost_on_the_way_to_a_program_or_a_field(number):
    as_text = complex_text(number)
    assert repr(complex_of(as_text)) == repr(number) == repr(complex(eval(write_complex(as_text))))
    shown = typed(as_text)
    assert typed(read_typed(shown)) == shown


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1+2j", 1 + 2j),
        (" 1.+2.j ", 1 + 2j),
        ("(1 - 2j)", 1 - 2j),
        ("-1j", -1j),
        ("3", 3 + 0j),
        ("1-j", 1 - 1j),
        ("１＋２ｊ", 1 + 2j),
        ("1.0000e-05-infj", complex(1e-5, -cmath.inf)),
        ("1/2+0.5j", 0.5 + 0.5j),
    ],
)
def test_what_a_user_types(written, number):
    assert repr(complex_of(read_typed(written))) == repr(number)


@pytest.mark.parametrize("written", ["", "1+2i", "one", "2j*2", "print()", "1+", "x"])
def test_what_is_no_complex_number(written):
    with pytest.raises(ProgramInvalid) as caught:
        read_typed(written)
    assert caught.value.key == "program.not_a_complex_number"


def test_what_python_cannot_hold_is_no_complex_number():
    with pytest.raises(ProgramInvalid):
        with_values("x = torch.tensor(1j)", "x", (10**400,), ())


def test_a_number_that_becomes_real_stays_complex():
    assert with_values("x = torch.tensor([1+2j])", "x", (3.0,), (1,)) == "x = torch.tensor([3+0j])"
    assert with_values("c = 1 + 2j", "c", (read_typed("3"),), ()) == "c = 3+0j"


def test_a_complex_number_does_not_fit_a_real_tensor():
    with pytest.raises(ProgramInvalid) as caught:
        with_values("x = torch.ones(1)", "x", ("1+2j",), (1,))
    assert caught.value.key == "program.not_a_number"


def test_other_shapes_and_types():
    text = "x = torch.tensor([1+2j, 3-1j])"
    assert with_shape(text, "x", (3,)) == "x = torch.tensor([1+2j, 3-1j, 4-1j])"
    assert with_dtype(text, "x", "complex128") == "x = torch.tensor([1+2j, 3-1j], dtype=torch.complex128)"
    assert find_inputs(f"torch.set_default_dtype(torch.float64)\n{text}")[0].dtype is None


def test_a_plain_complex_number_is_an_input():
    (found,) = find_inputs("c = -2j")
    assert (found.kind, found.constructor, found.values) == ("scalar", "complex", ("-0-2j",))


def test_a_seed_gradient_may_be_complex():
    assert seed_literal("1+2j, 3") == "torch.tensor([1+2j, 3+0j])"

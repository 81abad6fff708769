"""Edits change one expression, and torch reads the new one as asked."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ProgramInvalid
from explorer.program import find_inputs, with_dtype, with_requires_grad, with_shape, with_values

HEAD = "# 名 é\nimport torch, math\n"
CONSTRUCTIONS = [
    "torch.tensor([1.0, 2.0, 3.0])",
    "torch.tensor([1, 2, 3], dtype=torch.float64, requires_grad=True)",
    "torch.tensor([[1.0, 2.0],  # 一\n    [3.0, 4.0],\n])",
    "torch.tensor(\n    [1.0],  # trailing, comma\n)",
    "(torch.arange(6.0)).reshape(2, 3).requires_grad_()",
    "torch.arange(4, dtype=torch.float64)",
    "torch.arange(4).double()",
    "torch.ones(2, 3, requires_grad=True)",
    "torch.zeros((2, 3))",
    "torch.full((2,), 1.5)",
    "torch.eye(2)",
    "torch.linspace(0, 1, 3)",
    "torch.randn(2, 3, requires_grad=True)",
    "torch.randint(0, 5, (2, 3))",
    "torch.nn.Parameter(torch.tensor([1.0]))",
    "torch.tensor((2.0))",
]


def ran(text):
    scope = {}
    exec(text, scope)
    return scope["x"]


def the_input(text):
    return next(found for found in find_inputs(text) if found.name == "x")


floats = st.floats(width=32) | st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 1e-30, 2.0])
shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@given(st.sampled_from(CONSTRUCTIONS), shapes, st.data())
def test_values_are_written_and_nothing_else_changes(construction, shape, data):
    before, after = f"{HEAD}e = 'é'; x = ", " ; y = '中'  # rest\n\n"
    values = data.draw(st.lists(floats, min_size=math.prod(shape), max_size=math.prod(shape)))
    text = before + construction + after
    old = ran(text)
    if not old.dtype.is_floating_point:
        values = [float(i) for i in range(len(values))]
    new = with_values(text, "x", values, shape)
    assert new.startswith(before)
    assert new.endswith(after)
    tensor = ran(new)
    assert tensor.shape == shape
    assert (tensor.dtype, tensor.requires_grad) == (old.dtype, old.requires_grad)
    expected = torch.tensor(values, dtype=old.dtype).reshape(shape)
    torch.testing.assert_close(tensor.detach(), expected, equal_nan=True, rtol=0, atol=0)


@given(st.sampled_from(CONSTRUCTIONS), shapes)
def test_shape_is_changed_and_nothing_else(construction, shape):
    text = f"{HEAD}x = {construction}\nprint\n"
    old = ran(text)
    tensor = ran(with_shape(text, "x", shape, old.detach().flatten().tolist()))
    assert tensor.shape == shape
    assert (tensor.dtype, tensor.requires_grad) == (old.dtype, old.requires_grad)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("construction", CONSTRUCTIONS)
def test_dtype(construction, dtype):
    text = f"{HEAD}x = {construction}\n"
    new = with_dtype(text, "x", dtype)
    assert the_input(new).dtype == dtype
    if dtype == "int64" and the_input(text).requires_grad:
        with pytest.raises(RuntimeError, match=r"floating point|not implemented"):
            ran(new)
    else:
        assert str(ran(new).dtype) == f"torch.{dtype}"


@pytest.mark.parametrize("construction", CONSTRUCTIONS)
@pytest.mark.parametrize("wanted", [True, False])
def test_requires_grad(construction, wanted):
    text = f"{HEAD}x = {construction}\n"
    new = with_requires_grad(with_dtype(text, "x", "float32"), "x", wanted)
    assert the_input(new).requires_grad is wanted
    assert ran(new).requires_grad is wanted
    assert ran(new).is_leaf


@pytest.mark.parametrize(
    ("mark", "flipped"),
    [
        ("x.requires_grad_(True)", "x.requires_grad_(False)"),
        ("z = x.requires_grad_()", "z = x.requires_grad_(False)"),
        ("x.requires_grad = True", "x.requires_grad = False"),
        ("x.requires_grad_(requires_grad=True)", "x.requires_grad_(requires_grad=False)"),
    ],
)
def test_a_later_mark_is_flipped_in_place(mark, flipped):
    text = "import torch\r\nx = torch.ones(2)\r\n{}\r\n"
    assert with_requires_grad(text.format(mark), "x", False) == text.format(flipped)
    again = with_requires_grad(text.format(flipped), "x", True)
    assert ran(again).requires_grad


def test_what_is_so_already_stays_byte_for_byte():
    text = "import torch\nx = torch.tensor( [1 , 2.] )\n"
    assert with_dtype(text, "x", "float32") == with_requires_grad(text, "x", False) == text


@pytest.mark.parametrize(
    ("old", "shape", "new"),
    [
        ("torch.arange(3.0)", (5,), "torch.arange(5.0)"),
        ("torch.arange(3)", (2,), "torch.arange(2)"),
        ("torch.arange(3.0)", (2, 3), "torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])"),
        ("torch.tensor([1.0, 2.0])", (4,), "torch.tensor([1.0, 2.0, 3.0, 4.0])"),
        ("torch.tensor([[1, 2], [3, 4]])", (2, 3), "torch.tensor([[1, 2, 5], [3, 4, 6]])"),
        ("torch.tensor([[1, 2], [3, 4]])", (4,), "torch.tensor([1, 2, 3, 4])"),
        ("torch.tensor([1.0, 2.0, 3.0])", (2,), "torch.tensor([1.0, 2.0])"),
        ("torch.tensor([5.0, 1.0, 1.5])", (4,), "torch.tensor([5.0, 1.0, 1.5, 2.5])"),
        ("torch.tensor(2.0)", (3,), "torch.tensor([2.0, 3.0, 4.0])"),
        ("torch.tensor([0.1, 0.2])", (3,), "torch.tensor([0.1, 0.2, 0.3])"),
        ("torch.tensor([True])", (2,), "torch.tensor([True, False])"),
        ("torch.tensor([float('nan')])", (2,), 'torch.tensor([float("nan"), 1.0])'),
        ("torch.ones(2, 3, dtype=torch.float64)", (4,), "torch.ones(4, dtype=torch.float64)"),
        ("torch.zeros((2, 3))", (1, 1), "torch.zeros((1, 1))"),
        ("torch.randn(size=(2,))", (), "torch.randn(size=())"),
        ("torch.randint(0, 9, (3,))", (2, 2), "torch.randint(0, 9, (2, 2))"),
        ("torch.full((2,), 1.5)", (3, 1), "torch.full((3, 1), 1.5)"),
        ("torch.linspace(0, 1, steps=3)", (5,), "torch.linspace(0, 1, steps=5)"),
        ("torch.arange(6.0).reshape(2, 3)", (2, 2), "torch.tensor([[0.0, 1.0], [3.0, 4.0]])"),
        ("torch.ones(6).reshape(2, 3).double()", (2, 2), "torch.ones(2, 2).double()"),
    ],
)
def test_shapes_as_a_teacher_would_write_them(old, shape, new):
    assert with_shape(f"x = {old}  # x\n", "x", shape) == f"x = {new}  # x\n"


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [("0.1", 0.25, "0.25"), ("0.1", 2, "2.0"), ("3", 4.0, "4"), ("3", 0.5, "0.5"), ("-1.0", math.inf, 'float("inf")')],
)
def test_plain_numbers_keep_their_kind(old, value, new):
    assert with_values(f"lr = {old}; y = 1", "lr", (value,), ()) == f"lr = {new}; y = 1"


def test_integers_that_require_grad_are_for_torch_to_refuse():
    text = with_requires_grad("import torch\nx = torch.tensor([1, 2])", "x", True)
    assert text == "import torch\nx = torch.tensor([1, 2], requires_grad=True)"
    with pytest.raises(RuntimeError, match="Only Tensors of floating point and complex dtype can require gradients"):
        ran(text)


def test_fractions_turn_an_integer_literal_into_floats():
    assert with_values("x = torch.tensor([1, 2])", "x", (1, 2.5), (2,)) == "x = torch.tensor([1.0, 2.5])"


def test_numbers_as_recordings_spell_them():
    assert (
        with_values("x = torch.ones(2)", "x", ("nan", "-inf"), (2,))
        == 'x = torch.tensor([float("nan"), float("-inf")])'
    )


@given(st.sampled_from(["(2, 0)", "(0,)"]), st.sampled_from(["torch.float32", "torch.int64"]))
def test_empty_tensors_keep_shape_and_type(shape, dtype):
    text = f"import torch\nx = torch.zeros({shape}, dtype={dtype})"
    new = ran(with_values(text, "x", (), eval(shape)))
    assert (new.shape, new.dtype) == (ran(text).shape, ran(text).dtype)


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        (lambda t: with_values(t, "y", (1.0,), ()), "program.unknown_input"),
        (lambda t: with_values(t, "x", (1.0,), (2,)), "program.values_do_not_fit"),
        (lambda t: with_values(t, "x", ("one",), ()), "program.not_a_number"),
        (lambda t: with_values(t, "x", (10**400,), ()), "program.not_a_number"),
        (lambda t: with_values(t, "n", ("one",), ()), "program.not_a_number"),
        (lambda t: with_values(t, "n", ("1+2j",), ()), "program.not_a_number"),
        (lambda t: with_values(t, "n", (10**400,), ()), "program.not_a_number"),
        (lambda t: with_values(t, "lr", (1.0,), (1,)), "program.plain_number"),
        (lambda t: with_shape(t, "lr", (2,)), "program.plain_number"),
        (lambda t: with_shape(t, "x", (-1,)), "program.bad_shape"),
        (lambda t: with_dtype(t, "x", "float8"), "program.unknown_dtype"),
        (lambda t: with_dtype(t, "lr", "float64"), "program.plain_number"),
        (lambda t: with_requires_grad(t, "lr", True), "program.plain_number"),
        (lambda t: with_requires_grad(t + "(", "x", True), "program.syntax_error"),
    ],
)
def test_refusals(edit, key):
    with pytest.raises(ProgramInvalid) as caught:
        edit("x = torch.ones(2)\nlr = 0.1\nn = 3\n")
    assert caught.value.key == key


def test_new_places_count_on_in_halves():
    text = "torch.set_default_dtype(torch.float64)\nx = torch.tensor([0.5, 1])"
    assert with_shape(text, "x", (4,)).endswith("x = torch.tensor([0.5, 1.0, 1.5, 2.0])")


def test_no_digit_is_lost_in_a_cast():
    text = with_values("import torch\nx = torch.arange(2).double()", "x", (0.1, 2.0), (2,))
    assert text == "import torch\nx = torch.tensor([0.1, 2.0], dtype=torch.float64)"
    assert ran(text).tolist() == [0.1, 2.0]


def test_an_untouched_type_is_not_written_out():
    text = "x = torch.arange(3).float().requires_grad_()"
    assert with_values(text, "x", (5, 6), (2,)) == "x = torch.tensor([5.0, 6.0], dtype=torch.float32).requires_grad_()"
    assert with_shape("x = torch.ones(3).double()", "x", (2,)) == "x = torch.ones(2).double()"

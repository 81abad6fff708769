"""torch's own print is the oracle."""

from __future__ import annotations

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.model import Number, TensorValue, from_float, stats_of
from explorer.model.text import cells, number_text, shape_text, short_text, tensor_text

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)
MAGNITUDES = st.floats(-12, 12).map(lambda exponent: 10**exponent)
NUMBERS = st.one_of(
    st.floats(),
    st.integers(-1000, 1000).map(float),
    st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e-4, 9.9e-5, 1e8, 1.1e8, math.nan, math.inf, -math.inf]),
)


def value_of(tensor: torch.Tensor) -> TensorValue:
    return TensorValue(
        shape=tuple(tensor.shape),
        dtype=str(tensor.dtype).removeprefix("torch."),
        values=tuple(number_of(x) for x in tensor.reshape(-1).tolist()),
    )


def number_of(element: complex | float | int | bool) -> Number:
    if isinstance(element, complex):
        return str(element).strip("()")
    return from_float(element) if isinstance(element, float) else element


def printed(tensor: torch.Tensor) -> str:
    """What torch prints, on one line, without padding and suffixes."""
    line = re.sub(r"\s+", " ", repr(tensor)).replace("[ ", "[").removeprefix("tensor(").strip(" )")
    return re.sub(r", (dtype|size)=.*", "", line).strip()


@given(shape=SHAPES, dtype=st.sampled_from(FLOATS), scale=MAGNITUDES, seed=st.integers(0, 10**6))
def test_random_floats_read_as_torch_prints_them(
    shape: tuple[int, ...], dtype: torch.dtype, scale: float, seed: int
) -> None:
    tensor = (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale).to(dtype)
    assert tensor_text(value_of(tensor)) == printed(tensor)


@given(numbers=st.lists(NUMBERS, min_size=1, max_size=6), dtype=st.sampled_from(FLOATS))
def test_any_mix_of_floats_reads_as_torch_prints_it(numbers: list[float], dtype: torch.dtype) -> None:
    tensor = torch.tensor(numbers, dtype=torch.float64).to(dtype)
    assert tensor_text(value_of(tensor)) == printed(tensor)


@given(shape=SHAPES, dtype=st.sampled_from([*INTEGERS, torch.bool]), seed=st.integers(0, 10**6))
def test_integers_and_booleans_read_as_torch_prints_them(shape: tuple[int, ...], dtype: torch.dtype, seed: int) -> None:
    tensor = torch.randint(-1000, 1000, shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    assert tensor_text(value_of(tensor)) == printed(tensor)


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4), st.sampled_from([torch.complex64, torch.complex128])
)
def test_complex_numbers_read_as_torch_prints_them(pairs: list[tuple[float, float]], dtype: torch.dtype) -> None:
    tensor = torch.tensor([complex(*pair) for pair in pairs], dtype=torch.complex128).to(dtype)
    assert tensor_text(value_of(tensor)) == printed(tensor)


@pytest.mark.parametrize("shape", [(1001,), (300, 4), (4, 300), (7, 7, 30), (2, 3, 400)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.complex64])
def test_large_tensors_are_summarized_as_by_torch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    tensor = torch.arange(float(math.prod(shape))).reshape(shape).to(dtype)
    assert tensor_text(value_of(tensor)) == printed(tensor)


def test_style_of_a_summarized_tensor_is_decided_by_what_is_shown() -> None:
    tensor = torch.ones(2000)
    tensor[1000] = 1e-9
    assert tensor_text(value_of(tensor)) == printed(tensor) == "[1., 1., 1., ..., 1., 1., 1.]"


@settings(max_examples=50)
@given(shape=SHAPES, scale=MAGNITUDES, seed=st.integers(0, 10**6))
def test_cells_are_the_elements_of_the_print(shape: tuple[int, ...], scale: float, seed: int) -> None:
    tensor = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale
    elements = re.findall(r"[^\[\], ]+", printed(tensor))
    assert list(cells(value_of(tensor))) == elements


@given(NUMBERS)
def test_number_reads_as_a_float32_scalar_or_where_that_cannot_hold_it_as_float64(number: float) -> None:
    exact = torch.tensor(number, dtype=torch.float64)
    rounded = exact.float()
    assert number_text(number) == printed(rounded if rounded != 0 and rounded.isfinite() else exact)


@pytest.mark.parametrize("number", [1e40, -1e300, 1e-60, 2.5e-310])
def test_a_tensor_of_float64_is_known_by_numbers_that_only_float64_holds(number: float) -> None:
    tensor = torch.full((50,), number, dtype=torch.float64)
    assert short_text(value_of(tensor)) == f"(50,) ≡ {printed(tensor[0])}"


@given(SHAPES)
def test_shape_reads_as_a_tuple(shape: tuple[int, ...]) -> None:
    assert shape_text(shape) == str(tuple(torch.empty(shape).shape))


def sample(*numbers: float, shape: tuple[int, ...] = (100, 100)) -> TensorValue:
    return TensorValue(
        shape=shape,
        dtype="float32",
        values=tuple(from_float(x) for x in numbers),
        indices=tuple(range(len(numbers))),
        summary=stats_of(numbers),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (sample(3.0, 4.0), "(100, 100), min 3., max 4., mean 3.5000, ‖·‖ 5."),
        (sample(math.nan, 1.0), "(100, 100), min 1., max 1., mean 1., ‖·‖ 1., 1 nan"),
        (sample(math.nan, math.inf, math.inf), "(100, 100), ‖·‖ 0., 1 nan, 2 inf"),
    ],
)
def test_a_sample_reads_as_its_statistics(value: TensorValue, expected: str) -> None:
    assert tensor_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (value_of(torch.tensor([0.0, 4.0, 8.0])), "[0., 4., 8.]"),
        (value_of(torch.tensor(10.0)), "10."),
        (value_of(torch.ones(4, 3) / 3 * 2), "(4, 3) ≡ 0.6667"),
        (value_of(torch.arange(12.0).reshape(4, 3) / 8), "(4, 3) · ‖·‖ 2.8118"),
        (value_of(torch.full((20,), math.nan)), "(20,) · 20 nan"),
        (sample(3.0, 4.0), "(100, 100) · ‖·‖ 5."),
        (sample(1.5, 2.5, shape=(1000, 1000, 1000, 1000)), "(1000, 1000, 1000, 1000)"),
        (value_of(torch.tensor([])), "[]"),
    ],
)
def test_short_text(value: TensorValue, expected: str) -> None:
    assert short_text(value) == expected


@given(shape=SHAPES, scale=MAGNITUDES, limit=st.integers(16, 60))
def test_short_text_is_no_longer_than_asked(shape: tuple[int, ...], scale: float, limit: int) -> None:
    value = value_of(torch.full(shape, scale).cumsum(0) if shape else torch.tensor(scale))
    assert len(short_text(value, limit)) <= limit

from __future__ import annotations

import math
import sys

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.model import Stats, TensorValue, from_float, stats_of, to_float

FLOAT = st.floats(width=32)


@given(st.floats())
def test_every_float_survives_json(number: float) -> None:
    value = TensorValue(shape=(), dtype="float64", values=(from_float(number),))
    (back,) = msgspec.json.decode(msgspec.json.encode(value), type=TensorValue).values
    assert math.isnan(to_float(back)) if math.isnan(number) else to_float(back).hex() == number.hex()


@given(st.complex_numbers())
def test_every_complex_number_survives_json(number: complex) -> None:
    value = TensorValue(shape=(), dtype="complex128", values=(str(number).strip("()"),))
    assert msgspec.json.decode(msgspec.json.encode(value), type=TensorValue) == value
    assert to_float(value.values[0]) == math.hypot(number.real, number.imag) or number != number


@given(st.lists(FLOAT, min_size=1))
def test_stats_are_those_of_torch(numbers: list[float]) -> None:
    tensor = torch.tensor(numbers, dtype=torch.float64)
    stats, finite = stats_of(map(from_float, numbers)), tensor[tensor.isfinite()]
    assert (stats.nan, stats.inf) == (int(tensor.isnan().sum()), int(tensor.isinf().sum()))
    assert stats.zero == int((tensor == 0).sum())
    assert stats.norm == pytest.approx(float(finite.norm()))
    if finite.numel():
        assert (stats.min, stats.max) == (float(finite.min()), float(finite.max()))
        assert stats.mean == pytest.approx(math.fsum(finite.tolist()) / finite.numel())


def test_stats_of_nothing() -> None:
    assert stats_of(()) == Stats(min=None, max=None, mean=None, norm=0.0)


def test_stats_beyond_the_largest_float_stay_finite() -> None:
    most = sys.float_info.max
    assert stats_of([most, most]) == Stats(min=most, max=most, mean=most, norm=most)


@pytest.mark.parametrize(("number", "expected"), [(True, 1.0), (3, 3.0), ("-inf", -math.inf), ("3+4j", 5.0)])
def test_to_float(number: float | str, expected: float) -> None:
    assert to_float(number) == expected


def test_an_integer_beyond_every_float_is_infinite() -> None:
    assert to_float(-(10**400)) == -math.inf


@pytest.mark.parametrize("text", ["hello", "", "Infinity", "1_0", "j", "1e5", "(1+2j)", "1" * 5000 + "j", "__import__"])
def test_text_that_is_no_number_is_refused(text: str) -> None:
    encoded = msgspec.json.encode({"shape": [], "dtype": "float32", "values": [text]})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(encoded, type=TensorValue)


@pytest.mark.parametrize(
    "fields",
    [
        {"shape": (3,), "values": (1.0,)},
        {"shape": (-1,), "values": ()},
        {"shape": (3,), "values": (1.0,), "indices": (0, 1)},
        {"shape": (3,), "values": (1.0,), "indices": (3,)},
        {"shape": (3,), "values": (1.0,), "indices": (-1,)},
        {"shape": (10**30,), "values": (), "indices": ()},
        {"shape": (), "values": (None,)},
    ],
)
def test_a_tensor_that_contradicts_itself_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"dtype": "float32"} | fields, type=TensorValue)

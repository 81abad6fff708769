"""The arithmetic of elements, against torch's own numbers."""

from __future__ import annotations

import math

import msgspec
import pytest
from test_recorder import PROGRAMS

from checker import recorded
from explorer.model import NodeRan, Recording
from explorer.model.values import floats
from explorer.rules.arithmetic import fan_out, slot_sums
from explorer.rules.local_jacobian import came_in, multiplies_out

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"


def ran(recording: Recording, name: str) -> NodeRan:
    """The first run of a node of that name."""
    return next(
        event for event in recording.events if isinstance(event, NodeRan) and recording.node(event.node_id).name == name
    )


def terms(code: str, name: str, slot: int, element: int) -> list[tuple[int, str, tuple[str, int] | None]]:
    """(element of what came in, factor, where the factor was saved) for one element of what was sent on."""
    recording = recorded(code)
    sums = slot_sums(recording, ran(recording, name), slot)
    assert sums is not None
    found = sums.sums[element]
    assert found is not None
    return [(term.row, term.factor, term.saved) for term in found.terms]


def test_a_product_with_a_saved_tensor() -> None:
    assert terms(f"{X}(2 * torch.dot(x, x)).backward()", "DotBackward0", 0, 1) == [(0, "2.", ("tensor", 1))]


def test_elementwise_from_the_local_jacobian() -> None:
    assert terms(f"{X}(1 / x).sum().backward()", "ReciprocalBackward0", 0, 1) == [(1, "-0.2500", None)]


def test_a_matrix_product_is_row_times_column() -> None:
    code = (
        "a = torch.arange(12.).reshape(3, 4).requires_grad_()\nb = torch.arange(20.).reshape(4, 5).requires_grad_()\n"
        "y = a @ b\ny.backward(torch.ones_like(y))"
    )
    assert terms(code, "MmBackward0", 0, 5) == [(5 + k, f"{5.0 + k:.0f}.", ("mat2", 5 + k)) for k in range(5)]
    assert terms(code, "MmBackward0", 1, 7) == [
        (5 * k + 2, f"{1.0 + 4 * k:.0f}.", ("self", 1 + 4 * k)) for k in range(3)
    ]


def test_a_larger_node_is_explained_by_its_verified_formula() -> None:
    code = "x = torch.arange(1., 41.).requires_grad_()\ny = x.log()\ny.backward(torch.full((40,), 2.))"
    assert terms(code, "LogBackward0", 0, 3) == [(3, "0.2500", None)]


@pytest.mark.parametrize(
    ("call", "name"),
    [("mish(x)", "MishBackward0"), ("layer_norm(x, (40,))", "NativeLayerNormBackward0"), ("gelu(x)", "GeluBackward0")],
)
def test_a_formula_with_names_of_its_own_explains_every_element(call: str, name: str) -> None:
    code = f"x = torch.linspace(-2, 2, 40).requires_grad_()\ny = torch.nn.functional.{call}\ny.backward(torch.rand(40))"
    recording = recorded(code)
    run = ran(recording, name)
    sums, sent = slot_sums(recording, run, 0), run.grad_inputs[0]
    assert sums is not None
    assert sent is not None
    came = floats(came_in(run)[0].values)
    for found, number in zip(sums.sums, floats(sent.values), strict=True):
        assert found is not None
        total = sum(came[term.row] * float(term.factor) for term in found.terms)
        assert total == pytest.approx(number, abs=0.02)


def test_broadcasting_sums_over_dimensions() -> None:
    recording = recorded(f"{X}w = torch.ones(4, 3)\n(w + x).sum().backward()")
    sums = slot_sums(recording, ran(recording, "AddBackward0"), 1)
    assert sums is not None
    assert sums.summed_dimensions == (0,)
    assert [term.row for term in sums.sums[2].terms] == [2, 5, 8, 11]  # type: ignore[union-attr]


def test_a_reduction_is_no_broadcast() -> None:
    recording = recorded(f"{X}x.cumsum(0).sum().backward()")
    sums = slot_sums(recording, ran(recording, "CumsumBackward0"), 0)
    assert sums is not None
    assert sums.summed_dimensions == ()
    assert [len(one.terms) for one in sums.sums if one] == [3, 2, 1]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_sum_gives_the_number_that_torch_returned(name: str) -> None:
    recording = recorded(PROGRAMS[name])
    for event in recording.events:
        for slot, sent in enumerate(event.grad_inputs if isinstance(event, NodeRan) else ()):
            if sent is None or (sums := slot_sums(recording, event, slot)) is None:
                continue
            numbers = [number for value in came_in(event) for number in floats(value.values)]
            for one, expected in zip(sums.sums, floats(sent.values), strict=True):
                if one is not None and math.isfinite(expected):
                    total = sum(numbers[term.row] * float(term.factor) for term in one.terms)
                    assert total == pytest.approx(expected, rel=2e-2, abs=2e-3), "factors are rounded to four digits"


def test_numbers_that_do_not_add_up_are_not_explained() -> None:
    recording = recorded(f"{X}x.exp().sum().backward()")
    run = ran(recording, "ExpBackward0")
    assert multiplies_out(run, 0)
    (sent,) = run.grad_inputs
    other = msgspec.structs.replace(sent, values=(*sent.values[:2], 7.0))  # type: ignore[type-var, union-attr]
    changed = msgspec.structs.replace(run, grad_inputs=(other,))
    sums = slot_sums(recording, changed, 0)
    assert sums is not None
    assert [one is not None for one in sums.sums] == [True, True, False]
    assert not multiplies_out(changed, 0)


def test_infinity_times_zero_is_told_and_nan_is_not_made_up() -> None:
    recording = recorded("x = torch.tensor([0.], requires_grad=True)\n(x.sqrt() * 0).sum().backward()")
    sums = slot_sums(recording, ran(recording, "SqrtBackward0"), 0)
    assert sums is not None
    assert [(term.row, term.factor) for term in sums.sums[0].terms] == [(0, "inf")]  # type: ignore[union-attr]


def test_gradients_that_meet_are_named() -> None:
    recording = recorded(f"{X}a = x * 1\nb = 2 * a\nc = a.sum()\n(b.sum() + c).backward()")
    last = [event for event in recording.events if isinstance(event, NodeRan)]
    met = next(found for event in last if (found := fan_out(recording, event)))
    assert {name: value.values for name, value in met} == {"b": (2.0,) * 3, "c": (1.0,) * 3}

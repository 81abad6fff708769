"""Values of tensors: exact, whatever their kind; statistics of large ones as torch has them."""

from __future__ import annotations

import math

import pytest
import torch

from checker import to_tensor
from explorer.model import TensorValue
from explorer.recorder.limits import Budget, RecordingLimits
from explorer.recorder.snapshots import COPIED, Snapshots
from explorer.recorder.storages import Storages


def taken(tensor: torch.Tensor, most: int = 50) -> TensorValue:
    """A tensor's value, its numbers written down."""
    snapshots = Snapshots(Budget(RecordingLimits(values=most, sample=16)), Storages())
    value = snapshots.take(tensor)
    snapshots.fill()
    return value


TENSORS = {
    "float16": torch.randn(40).half(),
    "bfloat16": torch.randn(3).bfloat16(),
    "float8": torch.randn(40).to(torch.float8_e4m3fn),
    "complex": torch.randn(40, dtype=torch.complex64),
    "conjugate": torch.randn(40, dtype=torch.complex64).conj(),
    "negative view": torch.randn(40, dtype=torch.complex64).conj().imag,
    "int64 at its limits": torch.tensor([2**63 - 1, -(2**63)]),
    "bool": torch.ones(40, dtype=torch.bool),
    "transposed": torch.randn(5, 8).t(),
    "expanded": torch.randn(1, 8).expand(5, 8),
    "every second": torch.randn(80)[::2],
    "0-dim": torch.tensor(3.5),
    "empty": torch.empty(0, 3),
    "not finite": torch.tensor([math.nan, math.inf, -math.inf, -0.0] * 10),
    "subnormal": torch.full((40,), 1e-42),
    "sparse": torch.eye(6).to_sparse(),
    "parameter": torch.nn.Parameter(torch.randn(40)),
    "inference": torch.inference_mode()(torch.randn)(40),
}


@pytest.mark.parametrize("name", TENSORS)
def test_values_are_exact(name: str) -> None:
    tensor = TENSORS[name].detach()
    value = taken(tensor)
    read = to_tensor(value)
    assert value.complete
    assert (read.shape, read.dtype) == (tensor.shape, tensor.dtype)
    for one, other in zip(*(map(parts, (read, tensor.to_dense()))), strict=True):
        assert torch.equal(one.nan_to_num(7), other.nan_to_num(7))
        assert torch.equal(one.isnan() | ~one.signbit(), other.isnan() | ~other.signbit())


@pytest.mark.parametrize("shape", [(), (3,), (5, 8), (50, 50), (200, 200)])
def test_a_gradient_that_torch_knows_to_be_zero_is_read(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, requires_grad=True)
    (grad,) = torch.autograd.grad(x.sgn().sum(), x)
    value = taken(grad)
    assert value.shape == shape
    assert set(value.values) == {0.0}
    assert value.stats.zero == math.prod(shape)


def parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    """What can be compared element by element."""
    plain = tensor.resolve_conj().resolve_neg()
    if plain.is_complex():
        return list(torch.view_as_real(plain).unbind(-1))
    return [plain.float() if plain.is_floating_point() and plain.element_size() == 1 else plain]


LARGE = {
    "float32": lambda n: torch.randn(n),
    "float64": lambda n: torch.randn(n, dtype=torch.float64),
    "float16": lambda n: torch.randn(n).half(),
    "bfloat16": lambda n: torch.randn(n).bfloat16(),
    "negative view": lambda n: torch.randn(n, dtype=torch.complex64).conj().imag,
    "zeros among them": lambda n: torch.randn(n).relu(),
    "negative zeros among them": lambda n: torch.randn(n).relu().neg(),
    "all zero": lambda n: torch.zeros(n),
    "subnormal": lambda n: torch.randn(n) * 1e-42,
    "subnormal float64": lambda n: torch.randn(n, dtype=torch.float64) * 1e-310,
    "tiny": lambda n: torch.randn(n) * 1e-25,
    "tinier than float64's squares": lambda n: torch.randn(n, dtype=torch.float64) * 1e-200,
    "huge": lambda n: torch.randn(n) * 1e30,
    "huger than float64's squares": lambda n: torch.randn(n, dtype=torch.float64) * 1e200,
    "integers": lambda n: torch.arange(-n // 2, n // 2),
    "transposed": lambda n: torch.randn(n // 50, 50).t(),
    "permuted": lambda n: torch.randn(n // 50, 5, 10).permute(2, 0, 1),
    "expanded, not all finite": lambda n: torch.tensor([0.0, 1.0, math.nan, math.inf]).expand(n // 4, 4),
    "expanded": lambda n: torch.randn(1, 50).expand(n // 50, 50),
    "every second": lambda n: torch.randn(2 * n)[::2],
    "not finite": lambda n: torch.cat([torch.randn(n - 3), torch.tensor([math.nan, math.inf, -math.inf])]),
}


@pytest.mark.parametrize("count", [1000, COPIED, 2 * COPIED])
@pytest.mark.parametrize("name", LARGE)
def test_statistics_are_over_all_elements(name: str, count: int) -> None:
    tensor = LARGE[name](count)
    compare_statistics(taken(tensor), tensor)


def test_statistics_of_many_tensors_of_many_sizes() -> None:
    snapshots = Snapshots(Budget(RecordingLimits(values=50, sample=16)), Storages())
    tensors = [torch.randn(100 + index % 20) * 10.0 ** (index % 40 - 20) for index in range(2000)]
    values = [snapshots.take(tensor) for tensor in tensors]
    snapshots.fill()
    for value, tensor in zip(values, tensors, strict=True):
        compare_statistics(value, tensor)


def test_a_value_is_of_its_moment_though_it_is_looked_at_later() -> None:
    snapshots = Snapshots(Budget(RecordingLimits(values=50, sample=16)), Storages())
    for count in (40, 100, 2 * COPIED):
        tensor = torch.ones(count)
        value = snapshots.take(tensor)
        tensor.zero_()
        snapshots.fill()
        assert (set(value.values), value.stats.min) == ({1.0}, 1.0)


def compare_statistics(value: TensorValue, tensor: torch.Tensor) -> None:
    """Holds a sample of 16 and statistics against torch in float64."""
    assert len(value.values) == 16
    assert value.indices is not None
    wide = tensor.reshape(-1).double()
    sample = tensor.reshape(-1)[list(value.indices)].double()
    torch.testing.assert_close(to_tensor_of(value), sample, rtol=0, atol=0, equal_nan=True)
    finite = wide[wide.isfinite()]
    found, largest = value.stats, finite.abs().max().item()
    assert (found.min, found.max) == (finite.min().item(), finite.max().item())
    norm = finite.norm().item() if largest == 0 else (finite / largest).norm().item() * largest
    assert found.norm == pytest.approx(norm, rel=1e-5, abs=0)
    assert found.mean == pytest.approx(finite.mean().item(), rel=0, abs=1e-5 * largest)
    counts = int(wide.isnan().sum()), int(wide.isinf().sum()), int((finite == 0).sum())
    assert (found.nan, found.inf, found.zero) == counts


def to_tensor_of(value: TensorValue) -> torch.Tensor:
    """The elements of a sample, as float64."""
    return torch.tensor([float(number) for number in value.values], dtype=torch.float64)


@pytest.mark.parametrize("tensor", [torch.empty(3, 4, device="meta"), torch.empty(100, device="meta")])
def test_what_cannot_be_read_has_a_shape(tensor: torch.Tensor) -> None:
    value = taken(tensor)
    assert (value.shape, value.values, value.indices) == (tuple(tensor.shape), (), ())


def test_the_same_memory_is_one_value_until_it_changes() -> None:
    snapshots = Snapshots(Budget(RecordingLimits()), Storages())
    tensor = torch.randn(20_000)
    first = snapshots.take(tensor)
    assert snapshots.take(tensor.detach()) is first
    tensor.add_(1)
    second = snapshots.take(tensor)
    snapshots.forget()
    third = snapshots.take(tensor)
    assert second is not first
    assert third is not second
    snapshots.fill()
    assert (first == second, second == third) == (False, True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64, torch.complex128])
def test_large_memory_that_comes_again_is_looked_at_again(dtype: torch.dtype) -> None:
    """Also where no version counter tells that it was changed; nan equals nothing, and 0.0 equals -0.0."""
    snapshots = Snapshots(Budget(RecordingLimits()), Storages())
    tensor = torch.zeros(20_000, dtype=dtype)
    values, expected = [], []
    for number in (0.0, 0.0, 0.0, -0.0, float("nan"), float("nan"), float("nan"), 3.0):
        tensor.data[19_999] = number
        for view in (tensor, torch._neg_view(tensor), tensor.conj(), tensor.view(100, 200).T):
            values.append(snapshots.take(view))
            expected.append(Snapshots(Budget(RecordingLimits()), Storages()).take(view.clone()))
        snapshots.forget()
    snapshots.fill()
    assert [repr(value.summary) for value in values] == [repr(value.summary) for value in expected]


def test_memory_used_again_is_another_value() -> None:
    snapshots = Snapshots(Budget(RecordingLimits()), Storages())
    values = [snapshots.take(torch.full((100,), float(number))) for number in range(20)]
    snapshots.fill()
    assert [value.values[0] for value in values] == list(range(20))

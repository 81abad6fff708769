"""What all labs share: settings in a link, reading a recording, functions typed by a user."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import numpy as np
import pytest

from explorer.errors import LinkInvalid, ProgramInvalid
from explorer.labs.derivative import DerivativeSettings
from explorer.labs.descent import DescentSettings
from explorer.labs.function_text import function_source
from explorer.labs.gradient import GradientSettings
from explorer.labs.reading import LAB_LIMITS, array, grad, returned, tensor
from explorer.labs.settings import LabSettings, from_parameters, to_parameters
from explorer.model import Recording
from explorer.runner import Completed, run


class Sample(LabSettings, frozen=True, kw_only=True):
    f: Annotated[str, msgspec.Meta(max_length=20)] = "x**2"
    at: Annotated[float, msgspec.Meta(ge=-10, le=10)] = 1.0
    steps: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    second: bool = False
    by: Literal["sgd", "adam"] = "sgd"
    v: tuple[float, ...] = (1.0, 0.0)


def recorded(program: str) -> Recording:
    ending = run("import torch\n" + program, limits=LAB_LIMITS)
    assert isinstance(ending, Completed), ending
    return ending.recording


@pytest.mark.parametrize(
    "settings",
    [
        Sample(),
        Sample(f="inf", at=-0.1, steps=7, second=True, by="adam", v=(0.5, -2.0, 1e-7)),
        Sample(f="x + 1 & 2", v=()),
    ],
)
def test_a_link_opens_the_same_lab(settings: Sample) -> None:
    assert from_parameters(Sample, {**to_parameters(settings), "lang": "zh"}) == settings


def test_defaults_are_not_written() -> None:
    assert to_parameters(Sample()) == {}
    assert to_parameters(Sample(at=0.25)) == {"at": "0.25"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("at", "nan"),
        ("at", "1e400"),
        ("at", "11"),
        ("at", ""),
        ("steps", "1.5"),
        ("steps", "0"),
        ("second", "maybe"),
        ("by", "lion"),
        ("v", "1,inf"),
        ("v", "1,a"),
        ("f", "x" * 21),
    ],
)
def test_a_damaged_link_is_refused(name: str, value: str) -> None:
    with pytest.raises(LinkInvalid) as refused:
        from_parameters(Sample, {name: value})
    assert refused.value.values["name"] == name


@pytest.mark.parametrize("kind", [DerivativeSettings, GradientSettings, DescentSettings])
@pytest.mark.parametrize("reach", ["0", "1e-323", "1e-310", "1001"])
def test_a_range_without_room_for_points_is_refused(kind: type[LabSettings], reach: str) -> None:
    with pytest.raises(LinkInvalid):
        from_parameters(kind, {"reach": reach})


def test_too_long_for_a_link() -> None:
    class Long(LabSettings, frozen=True, kw_only=True):
        f: str = ""

    with pytest.raises(LinkInvalid):
        to_parameters(Long(f="x" * 5000))


def test_tensors_are_found_by_name() -> None:
    program = """
def f(x):
    return x * x
x = torch.linspace(0, 1, 3000, requires_grad=True)
y = f(x)
y.sum().backward()
with torch.no_grad():
    x -= 1
z = x.detach() + 1
(slope,) = torch.autograd.grad(f(x).sum(), x)
"""
    recording = recorded(program)
    x = np.linspace(0, 1, 3000)
    assert np.allclose(array(tensor(recording, "y")), x * x)
    assert np.allclose(array(tensor(recording, "x")), x - 1, atol=1e-6)
    assert np.allclose(array(tensor(recording, "z")), x, atol=1e-6)
    assert np.allclose(array(grad(recording, "x")), 2 * x)
    first, second = returned(recording)
    assert first == ()
    assert second[0] is not None
    assert np.allclose(array(second[0]), 2 * (x - 1), atol=1e-6)
    with pytest.raises(KeyError):
        tensor(recording, "w")
    with pytest.raises(KeyError):
        grad(recording, "w")


def test_a_sample_is_no_curve() -> None:
    with pytest.raises(ValueError, match="of 9000"):
        array(tensor(recorded("x = torch.ones(9000)"), "x"))


@pytest.mark.parametrize(
    ("typed", "body"),
    [
        ("x**2", "    return x**2\n"),
        ("  x**2  ", "    return x**2\n"),
        ("\ufeffx**2", "    return x**2\n"),
        ("u = 3 * x\nu * u", "    u = 3 * x\n    return u * u\n"),
        ("u = x; u * u", "    u = x; return u * u\n"),
        ("'π'; x", "    'π'; return x\n"),
        ("(x +\n 1)", "    return (x +\n     1)\n"),
        ("return x + 1", "    return x + 1\n"),
        (
            "if x > 0:\n    return x\nelse:\n    return -x",
            "    if x > 0:\n        return x\n    else:\n        return -x\n",
        ),
    ],
)
def test_a_typed_function_returns_its_last_line(typed: str, body: str) -> None:
    assert function_source(typed) == f"def f(x):\n{body}"


@pytest.mark.parametrize("typed", ["", "  \n", "x +", "x = 1", "# nothing", "x)\nimport os\n(", "x" * 2000, "(" * 900])
def test_what_is_no_function_says_so(typed: str) -> None:
    with pytest.raises(ProgramInvalid) as refused:
        function_source(typed)
    assert refused.value.key.startswith("labs.function.")

"""The derivative lab: what its programs say, against mathematics and plain torch."""

from __future__ import annotations

from collections.abc import Callable

import lab_samples as samples
import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from explorer.gallery import function
from explorer.i18n import LANGUAGES, Language
from explorer.labs.advice import advice_on_error
from explorer.labs.derivative import (
    HALF,
    POINTS,
    DerivativeSettings,
    advice_on,
    curves,
    point_program,
    program_text,
    shrinking_power,
    sum_program,
)
from explorer.labs.derivative_figures import curve_figure, gap_figure, special_text, view_of
from explorer.labs.reading import array, grad
from explorer.labs.settings import from_parameters, to_parameters
from explorer.labs.special_points import special_points
from explorer.render.palette import PALETTES, THEMES, Theme

Function = Callable[[np.ndarray], np.ndarray]


def sech2(x: np.ndarray) -> np.ndarray:
    return 1 / np.cosh(x) ** 2


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


ELEMENTARY: dict[str, tuple[Function, Function]] = {
    "x**2": (lambda x: 2 * x, lambda x: 2 + 0 * x),
    "x**3 - 3 * x": (lambda x: 3 * x**2 - 3, lambda x: 6 * x),
    "torch.sin(x)": (np.cos, lambda x: -np.sin(x)),
    "torch.exp(x)": (np.exp, np.exp),
    "torch.tanh(x)": (sech2, lambda x: -2 * np.tanh(x) * sech2(x)),
    "torch.sigmoid(x)": (
        lambda x: sigmoid(x) * (1 - sigmoid(x)),
        lambda x: sigmoid(x) * (1 - sigmoid(x)) * (1 - 2 * sigmoid(x)),
    ),
    "torch.sin(x * x)": (lambda x: 2 * x * np.cos(x * x), lambda x: 2 * np.cos(x * x) - 4 * x * x * np.sin(x * x)),
    "torch.log(1 + x**2)": (lambda x: 2 * x / (1 + x**2), lambda x: (2 - 2 * x**2) / (1 + x**2) ** 2),
    "u = 3 * x + 1; u**2": (lambda x: 6 * (3 * x + 1), lambda x: 18 + 0 * x),
    "x": (lambda x: 1 + 0 * x, lambda x: 0 * x),
    "2 * x + 1": (lambda x: 2 + 0 * x, lambda x: 0 * x),
}
HALF_LINE: dict[str, Function] = {
    "torch.log(x)": lambda x: 1 / x,
    "torch.sqrt(x)": lambda x: 0.5 / np.sqrt(x),
    "1 / x": lambda x: -1 / x**2,
}


@pytest.mark.parametrize("f", ELEMENTARY)
def test_the_curve_is_the_analytic_derivative_at_every_point(f: str) -> None:
    first, second = ELEMENTARY[f]
    curve = samples.curve(DerivativeSettings(f=f, second=True))
    assert len(curve.x) == POINTS
    assert curve.x[HALF] == 0
    assert np.allclose(curve.slope, first(curve.x), rtol=1e-9, atol=1e-12)
    assert curve.second is not None
    assert np.allclose(curve.second, second(curve.x), rtol=1e-7, atol=1e-9)
    assert special_points(curve) == ()


@pytest.mark.parametrize("f", HALF_LINE)
def test_it_is_where_the_function_is_defined(f: str) -> None:
    curve = samples.curve(DerivativeSettings(f=f, at=1.0))
    above = curve.x > 0
    assert np.allclose(curve.slope[above], HALF_LINE[f](curve.x[above]))


@pytest.mark.parametrize("settings", curves(), ids=lambda settings: settings.f)
def test_every_function_offered_runs_and_opens_on_its_points(settings: DerivativeSettings) -> None:
    snapped = settings.snapped()
    assert (snapped.at, snapped.dx) == pytest.approx((settings.at, settings.dx), abs=1e-12)
    recording = samples.recorded(program_text(settings))
    assert advice_on(recording) is None
    samples.recorded(point_program(settings))
    samples.recorded(sum_program(settings))
    assert from_parameters(DerivativeSettings, to_parameters(settings)) == settings


OF_THE_GALLERY = {
    "chain": "u = 3 * x + 1; u**2",
    "exp-chain": "torch.exp(-x)",
    "sin-chain": "torch.sin(x * x)",
    "log-chain": "torch.log(1 + x**2)",
    "sigmoid": "torch.sigmoid(x)",
    "tanh": "torch.tanh(x)",
    "relu-kink": "torch.relu(x)",
    "abs-kink": "torch.abs(x)",
    "where-nan": "torch.where(x > 0, torch.sqrt(x), torch.zeros_like(x))",
}


@pytest.mark.parametrize("function_id", OF_THE_GALLERY)
def test_the_gallerys_functions_of_one_number_are_offered_and_have_the_same_gradient(function_id: str) -> None:
    settings = next(one for one in curves() if one.f == OF_THE_GALLERY[function_id])
    recording = samples.recorded(function(function_id).code)
    (leaf,) = [leaf for leaf in recording.leaves if leaf.requires_grad]
    points, gradients = (array(value).reshape(-1) for value in (leaf.value, grad(recording, leaf.name)))
    for point, gradient in zip(points, gradients, strict=True):
        curve = samples.curve(DerivativeSettings(f=settings.f, reach=4.0, at=float(point)))
        assert curve.x[curve.place] == point
        assert curve.slope[curve.place] == pytest.approx(gradient, rel=1e-5, nan_ok=True)


def test_the_first_function_is_the_default() -> None:
    assert curves()[0] == DerivativeSettings()


@pytest.mark.parametrize("f", ["x**2", "torch.sin(x)", "torch.exp(x)", "torch.sigmoid(x)", "1 / (2 + x)"])
@pytest.mark.parametrize("at", [0.5, 1.0, -1.2])
@pytest.mark.parametrize("dx", [0.5, -0.5])
def test_the_gap_shrinks_with_the_square_of_dx(f: str, at: float, dx: float) -> None:
    power = shrinking_power(samples.curve(DerivativeSettings(f=f, at=at, dx=dx)))
    assert power == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("f", "at", "power"),
    [
        ("torch.abs(x)", 0.0, 1),
        ("torch.sin(x)", 0.0, 3),
        ("x**3", 0.0, 3),
        ("x**8", 0.0, 8),
        ("3 * x", 1.0, None),
        ("torch.relu(x)", -0.01, None),
    ],
)
def test_at_kinks_and_turning_points_it_shrinks_otherwise(f: str, at: float, power: float | None) -> None:
    found = shrinking_power(samples.curve(DerivativeSettings(f=f, at=at)))
    assert found is None if power is None else found == pytest.approx(power, abs=0.1)


def test_dy_and_rise_are_those_of_plain_torch() -> None:
    curve = samples.curve(DerivativeSettings(f="torch.sin(x)", at=0.5, dx=0.8))
    x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    torch.sin(x).backward()
    assert curve.dy == pytest.approx((x.grad * 0.8).item())
    assert curve.rise == pytest.approx((torch.sin(x + 0.8) - torch.sin(x)).item())
    assert curve.gap == pytest.approx(curve.rise - curve.dy)


def test_dx_needs_no_other_program() -> None:
    one, other = DerivativeSettings(dx=0.5), DerivativeSettings(dx=-1.0)
    assert program_text(one) == program_text(other)
    assert program_text(one) != program_text(DerivativeSettings(at=1.0))


@pytest.mark.parametrize(("at", "dx"), [(1e3, 1.0), (-1e3, -5.0), (2.0, 1.0), (0.0, 99.0), (0.123456, 0.001)])
def test_point_and_step_stay_on_the_curve(at: float, dx: float) -> None:
    curve = samples.curve(DerivativeSettings(at=at, dx=dx))
    assert 0 <= curve.place < POINTS
    assert 0 <= curve.place + curve.steps < POINTS


# ── points without a derivative ─────────────────────────────────────────────────


SPECIAL = {
    "torch.relu(x)": [("kink", 0.0, 0.0, 0.0)],
    "torch.abs(x)": [("kink", 0.0, 0.0, 0.0)],
    "torch.clamp(x, -1, 1)": [("kink", -1.0, -1.0, 1.0), ("kink", 1.0, 1.0, 1.0)],
    "torch.sign(x)": [("jump", 0.0, 0.0, 0.0)],
    "torch.sqrt(x)": [("undefined", -2.0, -0.01, np.nan), ("edge", 0.0, 0.0, np.inf)],
    "torch.log(x)": [("undefined", -2.0, -0.01, -0.5), ("undefined", 0.0, 0.0, np.inf)],
    "1 / x": [("undefined", 0.0, 0.0, -np.inf)],
    "torch.relu(x - 0.123)": [("between", 0.12, 0.13, np.nan)],
    "torch.floor(x + 0.123)": [("between", place - 0.13, place - 0.12, np.nan) for place in (-1, 0, 1, 2)],
    "x * x.detach()": [("differs", -2.0, -0.03, -2.0), ("differs", 0.03, 2.0, 0.03)],
    "torch.sin(x).float()": [],
    "torch.sin(20 * x)": [],
    "torch.nn.functional.gelu(x)": [],
}


@pytest.mark.parametrize("f", SPECIAL)
def test_points_without_a_derivative_are_found_with_what_torch_returns(f: str) -> None:
    curve = samples.curve(DerivativeSettings(f=f, at=1.0))
    found = [(one.kind, curve.x[one.first], curve.x[one.last], one.returned) for one in special_points(curve)]
    assert [kind for kind, *_ in found] == [kind for kind, *_ in SPECIAL[f]]
    numbers = [numbers for _, *numbers in found]
    assert np.allclose(numbers, [numbers for _, *numbers in SPECIAL[f]], atol=1e-9, equal_nan=True)


def test_a_nan_that_only_the_derivative_has_is_found() -> None:
    curve = samples.curve(DerivativeSettings(f="torch.where(x > 0, torch.sqrt(x), torch.zeros_like(x))"))
    first, *_ = special_points(curve)
    assert (first.kind, first.left, first.right) == ("differs", 0, 0)
    assert np.isnan(first.returned)
    assert np.isfinite(curve.y).all()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("f", SPECIAL)
def test_each_is_told_in_a_sentence(f: str, language: Language) -> None:
    curve = samples.curve(DerivativeSettings(f=f, at=1.0))
    for one in special_points(curve):
        assert "{" not in special_text(curve, one, language)


# ── figures, as data ────────────────────────────────────────────────────────────


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(one for one in figure.data if one.name == name)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_holds_curve_tangent_and_steps(theme: Theme, language: Language) -> None:
    curve = samples.curve(DerivativeSettings(f="torch.exp(x)", second=True))
    figure = curve_figure(curve, special_points(curve), theme, language)
    for name, numbers, axis in (("f(x)", curve.y, None), ("f′(x)", curve.slope, "y2"), ("f″(x)", curve.second, "y2")):
        drawn = trace(figure, name)
        assert np.array_equal(drawn.y, numbers)
        assert drawn.yaxis == axis
        assert drawn.hoverinfo is None
        assert "markers" in drawn.mode, "plotly lets only markers be clicked"
    tangent = trace(figure, "tangent")
    assert np.diff(tangent.y) / np.diff(tangent.x) == pytest.approx(np.exp(0.5))
    assert np.diff(trace(figure, "dy").y)[0] == pytest.approx(curve.dy)
    assert np.diff(trace(figure, "Δy").y)[0] == pytest.approx(curve.rise)
    assert [label.text for label in figure.layout.annotations] == ["dx", "dy", "Δy"]
    assert trace(figure, "f(x)").line.color == PALETTES[theme].sent
    figure.to_json()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_marks_and_shades_are_drawn(theme: Theme, language: Language) -> None:
    curve = samples.curve(DerivativeSettings(f="torch.sqrt(x)", at=1.0))
    figure = curve_figure(curve, special_points(curve), theme, language)
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1) == pytest.approx((-2.005, -0.005))
    (mark,) = [one for one in figure.data if one.mode == "markers" and one.text]
    assert (mark.x[0], mark.y[0]) == (0, 0)
    assert "inf" in mark.text[0]


def test_axes_do_not_move_with_point_and_step() -> None:
    def ranges(at: float, dx: float) -> list[tuple[float, float]]:
        curve = samples.curve(DerivativeSettings(f="torch.sin(x)", at=at, dx=dx))
        layout = curve_figure(curve, (), "light", "en").layout
        return [layout.xaxis.range, layout.yaxis.range, layout.yaxis2.range]

    assert ranges(0.5, 1.0) == ranges(-1.5, 0.1)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_gap_is_drawn_on_logarithmic_axes(theme: Theme, language: Language) -> None:
    curve = samples.curve(DerivativeSettings())
    figure = gap_figure(curve, theme, language)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert "2.00" in figure.layout.title.text
    gap = trace(figure, "|Δy − dy|")
    assert np.allclose(gap.y, gap.x**2, rtol=1e-6)
    assert (trace(figure, "dx").x[0], trace(figure, "dx").y[0]) == (1, pytest.approx(1))


@pytest.mark.parametrize(("f", "at"), [("3 * x", 0.5), ("torch.sqrt(x)", -1.0), ("torch.relu(x)", -0.04)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_where_there_is_no_gap_the_picture_says_so(f: str, at: float, language: Language) -> None:
    curve = samples.curve(DerivativeSettings(f=f, at=at))
    figure = gap_figure(curve, "light", language)
    assert len(figure.data) == 0
    assert figure.layout.title.text
    curve_figure(curve, special_points(curve), "light", language).to_json()


def test_a_gap_that_rounding_swallows_soon_is_drawn() -> None:
    figure = gap_figure(samples.curve(DerivativeSettings(f="1 + (x - 1)**9", at=1.0)), "light", "en")
    assert "9.0" in figure.layout.title.text
    assert np.nanmax(trace(figure, "slope 2").y) > 0


def test_a_pole_does_not_flatten_the_curve() -> None:
    x = np.linspace(-2, 2, 400)
    low, high = view_of(1 / x)
    assert -40 < low < high < 40
    assert view_of(x) == pytest.approx((-2.36, 2.36))
    assert view_of(np.full(5, np.nan)) == (-1, 1)
    assert view_of(np.full(5, 3.0)) == (1.5, 4.5)


# ── functions that give no picture ──────────────────────────────────────────────


@pytest.mark.parametrize(
    ("f", "advice"),
    [
        ("torch.ones_like(x)", "constant"),
        ("x.detach() * 2", "constant"),
        ("torch.stack([x, x])", "several_values"),
        ("x if x > 0 else -x", "branches"),
        ("torch.tensor(math.sin(x))", "numbers_only"),
        ("3.0", "no_tensor"),
        ("torch.sin", "no_tensor"),
        ("x * 1j", "complex"),
        ("0,5 * x", "comma"),
        ("0,5 + x", "comma"),
        ("(0,5) + x", "comma"),
        ("sin(x)", "unknown_name"),
    ],
)
def test_an_error_gets_advice(f: str, advice: str) -> None:
    ended = samples.ending(program_text(DerivativeSettings(f=f)))
    assert advice_on_error(ended.recording) == f"labs.advice.{advice}"


@pytest.mark.parametrize(
    ("f", "advice"),
    [
        ("x.sum()", "other_shape"),
        ("x.mean()", "other_shape"),
        ("x * float('nan')", "nowhere"),
        ("torch.sqrt(-1 - x * x)", "nowhere"),
        ("x - x.mean()", "mixes"),
        ("torch.cumsum(x.reshape(-1), 0).reshape(x.shape)", "mixes"),
    ],
)
def test_what_cannot_be_drawn_gets_advice(f: str, advice: str) -> None:
    recording = samples.recorded(program_text(DerivativeSettings(f=f)))
    assert advice_on(recording) == f"labs.advice.{advice}"


def test_the_programs_are_plain_pytorch() -> None:
    variables: dict[str, torch.Tensor] = {}
    exec(program_text(DerivativeSettings(f="torch.sin(x)", second=True)), variables)
    curve = samples.curve(DerivativeSettings(f="torch.sin(x)", second=True))
    assert np.array_equal(variables["first"].detach().numpy(), curve.slope)
    assert np.array_equal(variables["second"].numpy(), curve.second)

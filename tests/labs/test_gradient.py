"""The gradient lab: what its programs say, against mathematics and plain torch."""

from __future__ import annotations

import json

import lab_samples as samples
import numpy as np
import pytest
import torch

from explorer.i18n import LANGUAGES, Language
from explorer.labs.gradient import (
    GradientSettings,
    Surface,
    advice_on,
    map_program,
    point_program,
    program_text,
    read_map,
    read_surface,
    surfaces,
)
from explorer.labs.gradient_figures import contour_figure, slopes_figure, surface_figure
from explorer.labs.settings import from_parameters, to_parameters
from explorer.render.palette import PALETTES, THEMES, Theme


def surface(settings: GradientSettings) -> Surface:
    return read_surface(samples.recorded(program_text(settings)), settings)


def named(figure: object, name: str) -> list[object]:
    return [trace for trace in figure.data if trace.name == name]


@pytest.mark.parametrize("offered", surfaces(), ids=lambda offered: offered.gradient.f)
def test_every_function_offered_runs_and_opens_on_its_point(offered: object) -> None:
    settings = offered.gradient
    assert settings.snapped() == settings
    recording = samples.recorded(program_text(settings))
    assert advice_on(recording) is None
    found = read_surface(recording, settings)
    samples.recorded(point_program(settings))
    assert np.array_equal(read_map(samples.recorded(map_program(settings.f, settings.reach))).height, found.map.height)
    assert from_parameters(GradientSettings, to_parameters(settings)) == settings


def test_the_first_function_is_the_default() -> None:
    assert surfaces()[0].gradient == GradientSettings()


@pytest.mark.parametrize("offered", surfaces(), ids=lambda offered: offered.gradient.f)
def test_gradients_and_hessian_are_those_of_plain_torch(offered: object) -> None:
    settings = offered.gradient
    found = surface(settings)

    def f(at: torch.Tensor) -> torch.Tensor:
        return eval(settings.f, {"torch": torch, "x": at[0], "y": at[1]})

    at = torch.tensor(found.at)
    assert np.allclose(found.gradient, torch.autograd.functional.jacobian(f, at))
    assert np.allclose(found.hessian, torch.autograd.functional.hessian(f, at))
    assert np.allclose(found.curvatures, torch.linalg.eigvalsh(torch.autograd.functional.hessian(f, at)))
    for row, column in ((0, 0), (4, 9), (12, 3)):
        point = torch.tensor([found.arrows_x[row, column], found.arrows_y[row, column]])
        expected = torch.autograd.functional.jacobian(f, point)
        assert np.allclose([found.slope_x[row, column], found.slope_y[row, column]], expected)


@pytest.mark.parametrize("f", ["x**2 + 2 * y**2", "x * y", "torch.sin(x) * torch.cos(y)"])
def test_slopes_by_forward_mode_are_dot_products_with_the_gradient(f: str) -> None:
    found = surface(GradientSettings(f=f, at_x=0.7, at_y=-1.1))
    along = [found.along(degrees) for degrees in np.degrees(found.angles)]
    assert np.allclose(found.slopes, along, atol=1e-12)
    assert found.slopes.max() == pytest.approx(np.hypot(*found.gradient), rel=1e-2)


def test_at_a_kink_forward_mode_tells_what_the_dot_product_cannot() -> None:
    found = surface(GradientSettings(f="torch.hypot(x, y)", at_x=0.0, at_y=0.0))
    assert not np.isfinite(found.gradient).all()
    assert found.curvatures is None


def test_direction_and_view_need_no_other_program() -> None:
    assert program_text(GradientSettings(angle=45, view="surface")) == program_text(GradientSettings())


@pytest.mark.parametrize("f", ["x", "y", "x + 2 * y", "x**2", "y.sin()"])
def test_a_function_of_one_of_them_works(f: str) -> None:
    settings = GradientSettings(f=f)
    recording = samples.recorded(program_text(settings))
    assert advice_on(recording) is None
    found = read_surface(recording, settings)
    assert found.map.height.shape == (41, 41)
    assert np.isfinite(found.gradient).all()


@pytest.mark.parametrize(
    ("f", "advice"),
    [
        ("x.sum() + y.sum()", "other_shape"),
        ("x * y * float('nan')", "nowhere"),
        ("x - x.mean() + y", "mixes"),
    ],
)
def test_what_cannot_be_drawn_gets_advice(f: str, advice: str) -> None:
    recording = samples.recorded(program_text(GradientSettings(f=f)))
    assert advice_on(recording) == f"labs.advice.{advice}"


@pytest.mark.parametrize(
    ("f", "bend"),
    [
        ("x**2 + 2 * y**2", "bowl"),
        ("-(x**2) - y**2", "dome"),
        ("x * y", "saddle"),
        ("x**2 + y", "trough"),
        ("x - y", "flat"),
        ("torch.hypot(x - 1.0, y - 0.5)", "unknown"),
    ],
)
def test_how_it_bends_is_told(f: str, bend: str) -> None:
    found = surface(GradientSettings(f=f))
    assert found.bend == bend
    assert found.is_smooth == (bend != "unknown")


# ── figures, as data ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("theme", THEMES)
def test_the_map_holds_contours_arrows_and_the_ellipse(theme: Theme) -> None:
    settings = GradientSettings(angle=90)
    found = surface(settings)
    figure = contour_figure(found, settings, theme)
    (contour,) = named(figure, "f")
    assert np.allclose(contour.x, found.map.side)
    assert contour.z[20][20] == pytest.approx(0)
    shaft, head = named(figure, "∇f at the point")
    along = np.array([shaft.x[1] - shaft.x[0], shaft.y[1] - shaft.y[0]])
    assert along[0] * found.gradient[1] == pytest.approx(along[1] * found.gradient[0])
    assert head.marker.angle[0] == pytest.approx(45)
    assert shaft.line.color == PALETTES[theme].done
    (ellipse,) = named(figure, "curvature")
    axis_x, axis_y = np.nanmax(ellipse.x) - found.at[0], np.nanmax(ellipse.y) - found.at[1]
    assert axis_x / axis_y == pytest.approx(np.sqrt(4 / 2), rel=1e-2)
    assert len(figure.data[-1].x) == 41 * 41
    figure.to_json()


@pytest.mark.parametrize("theme", THEMES)
def test_a_saddle_curves_up_and_down(theme: Theme) -> None:
    settings = GradientSettings(f="x**2 - y**2")
    up, down = named(contour_figure(surface(settings), settings, theme), "curvature")
    assert (up.line.dash, down.line.dash) == ("solid", "dot")


def test_a_plane_does_not_curve() -> None:
    settings = GradientSettings(f="x + 2 * y")
    assert named(contour_figure(surface(settings), settings, "light"), "curvature") == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_surface_holds_its_tangent_plane(theme: Theme) -> None:
    settings = GradientSettings(view="surface")
    found = surface(settings)
    figure = surface_figure(found, settings, theme)
    (plane,) = named(figure, "tangent plane")
    z = np.asarray(plane.z)
    assert (z[0, 1] - z[0, 0]) / (plane.x[1] - plane.x[0]) == pytest.approx(found.gradient[0])
    assert (z[1, 0] - z[0, 0]) / (plane.y[1] - plane.y[0]) == pytest.approx(found.gradient[1])
    figure.to_json()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_slopes_are_drawn_along_every_direction(theme: Theme, language: Language) -> None:
    settings = GradientSettings(angle=45)
    found = surface(settings)
    figure = slopes_figure(found, settings, theme, language)
    (line,), (dots,), (chosen,) = (named(figure, name) for name in ("∇f · u", "Jv", "u"))
    assert np.allclose(np.asarray(line.y)[::3], dots.y)
    assert (chosen.x[0], chosen.y[0]) == (45, pytest.approx(np.hypot(2, 2)))
    assert figure.layout.title.text


@pytest.mark.parametrize("f", ["torch.hypot(x, y)", "torch.log(x * y)", "1 / (x * y)", "torch.exp(9 * x * y)"])
@pytest.mark.parametrize(("at_x", "at_y"), [(0.0, 0.0), (-1.0, 1.0)])
def test_nan_and_infinity_can_be_drawn(f: str, at_x: float, at_y: float) -> None:
    settings = GradientSettings(f=f, at_x=at_x, at_y=at_y)
    found = surface(settings)
    figures = (
        contour_figure(found, settings, "light"),
        surface_figure(found, settings, "dark"),
        slopes_figure(found, settings, "light", "zh"),
    )
    assert all(json.loads(figure.to_json())["data"] for figure in figures)


def test_the_program_is_plain_pytorch() -> None:
    variables: dict[str, torch.Tensor] = {}
    exec(program_text(GradientSettings()), variables)
    assert torch.equal(variables["gradient"].detach(), torch.tensor([2.0, 2.0], dtype=torch.float64))

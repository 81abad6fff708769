"""The Jacobian lab: rows, columns and products are those of plain torch."""

from __future__ import annotations

from typing import Any

import lab_samples as samples
import numpy as np
import pytest
import torch

from explorer.labs.advice import advice_on_error
from explorer.labs.jacobian import (
    Jacobian,
    JacobianSettings,
    advice_on,
    backward_program,
    functions_offered,
    program_text,
    read_jacobian,
)
from explorer.labs.jacobian_figures import jacobian_figure
from explorer.labs.reading import array, grad
from explorer.labs.settings import from_parameters, to_parameters
from explorer.render.chart_style import luminance, rgb
from explorer.render.palette import PALETTES, THEMES, Theme

OFFERED = pytest.mark.parametrize("settings", functions_offered(), ids=lambda settings: settings.f)


def jacobian(settings: JacobianSettings) -> Jacobian:
    return read_jacobian(samples.recorded(program_text(settings)), settings)


def weighted(settings: JacobianSettings) -> JacobianSettings:
    return JacobianSettings(f=settings.f, x=settings.x, v=(0.5, -1.25, 2.0, 1.0), u=(-0.75, 1.5, 0.25, -1.0))


@OFFERED
def test_the_matrix_is_that_of_plain_torch_by_rows_and_by_columns(settings: JacobianSettings) -> None:
    found = jacobian(settings)
    x = torch.tensor(settings.x, dtype=torch.float64)
    expected = torch.autograd.functional.jacobian(
        lambda x: eval(settings.f, {"torch": torch, "x": x}).reshape(-1), x
    ).numpy()
    assert np.allclose(found.matrix, expected)
    assert np.allclose(found.by_columns, expected)
    assert found.modes_agree
    assert from_parameters(JacobianSettings, to_parameters(settings)) == settings


@OFFERED
def test_the_products_are_what_backward_and_forward_mode_compute(settings: JacobianSettings) -> None:
    found = jacobian(weighted(settings))
    ran = samples.recorded(backward_program(settings, found.v.tolist()))
    assert np.allclose(found.backward, array(grad(ran, "x")), rtol=1e-5)
    _, expected = torch.func.jvp(
        lambda x: eval(settings.f, {"torch": torch, "x": x}).reshape(-1),
        (torch.tensor(settings.x, dtype=torch.float64),),
        (torch.tensor(found.u),),
    )
    assert np.allclose(found.forward, expected)


def test_v_and_u_need_no_other_program() -> None:
    settings = functions_offered()[0]
    assert settings == JacobianSettings()
    assert program_text(settings) == program_text(weighted(settings))


def test_missing_weights_are_zero_and_zero_times_nan_does_not_count() -> None:
    found = jacobian(JacobianSettings(f="torch.sqrt(x)", x=(-1.0, 4.0), v=(0.0, 1.0), u=()))
    assert found.backward.tolist()[1] == 0.25
    assert np.isfinite(found.backward[1])
    assert found.forward.tolist() == [0, 0]


@pytest.mark.parametrize("f", ["x.repeat(9)", "x[:0]"])
def test_too_many_or_no_results_get_advice(f: str) -> None:
    ended = samples.ending(program_text(JacobianSettings(f=f)))
    assert (advice_on_error(ended.recording) or advice_on(ended.recording)) == "labs.advice.many"


def test_a_number_gets_advice() -> None:
    ended = samples.ending(program_text(JacobianSettings(f="3.0")))
    assert advice_on_error(ended.recording) == "labs.advice.no_tensor"


def test_a_constant_gets_advice() -> None:
    ended = samples.ending(program_text(JacobianSettings(f="torch.ones(2)")))
    assert advice_on_error(ended.recording) == "labs.advice.constant"


@pytest.mark.parametrize("theme", THEMES)
@OFFERED
def test_the_picture_holds_all_five(settings: JacobianSettings, theme: Theme) -> None:
    found = jacobian(weighted(settings))
    figure = jacobian_figure(found, theme)
    drawn: dict[str, Any] = {
        trace.name: np.asarray(trace.z, dtype=float) for trace in figure.data if trace.type == "heatmap"
    }
    rows, columns = found.matrix.shape
    shapes = {"u": (1, columns), "v": (rows, 1), "J": (rows, columns), "J·u": (rows, 1), "vᵀ·J": (1, columns)}
    assert {name: z.shape for name, z in drawn.items()} == shapes
    assert np.allclose(drawn["v"].T @ drawn["J"], drawn["vᵀ·J"])
    assert np.allclose(drawn["J"] @ drawn["u"].T, drawn["J·u"])
    assert figure.data[0].colorscale[0][1] == PALETTES[theme].negative
    assert sorted(title.text for title in figure.layout.annotations) == sorted(f"<b>{name}</b>" for name in shapes)
    figure.to_json()


@pytest.mark.parametrize("theme", THEMES)
def test_every_number_can_be_read_on_its_cell(theme: Theme) -> None:
    one, shares = np.ones(1), np.linspace(-1, 1, 81)
    figure = jacobian_figure(Jacobian(shares, one, shares[None], shares[None], one, np.zeros(81)), theme)
    inks = figure.data[-1].textfont.color  # of vᵀ·J
    assert len(inks) == len(shares)
    zero, ends = PALETTES[theme].zero, (PALETTES[theme].negative, PALETTES[theme].positive)
    for share, ink in zip(shares, inks, strict=True):
        cell = np.array(rgb(zero)) * (1 - abs(share)) + np.array(rgb(ends[int(share > 0)])) * abs(share)
        dark, light = sorted((luminance(cell), luminance(rgb(ink))))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (share, ink)

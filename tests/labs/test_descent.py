"""The descent lab: its steps are those of a plain torch loop, and its mistakes do what they do in torch."""

from __future__ import annotations

from typing import Any

import lab_samples as samples
import msgspec
import numpy as np
import pytest
import torch
from playwright.sync_api import Browser

from explorer.i18n import LANGUAGES, Language
from explorer.labs.advice import advice_on_error
from explorer.labs.descent import Descent, DescentSettings, program_text, read_descent
from explorer.labs.descent_figures import BELOW, descent_figure
from explorer.labs.gradient import Map, map_program, read_map, surfaces
from explorer.labs.map_image import pixels
from explorer.labs.settings import from_parameters, to_parameters
from explorer.render.palette import PALETTES, THEMES, Theme
from explorer.runner import Failed

OPTIMIZERS = {
    "sgd": lambda point: torch.optim.SGD([point], lr=0.1),
    "momentum": lambda point: torch.optim.SGD([point], lr=0.1, momentum=0.9),
    "adam": lambda point: torch.optim.Adam([point], lr=0.1),
    "hand": lambda point: torch.optim.SGD([point], lr=0.1),
}


def descended(settings: DescentSettings) -> Descent:
    return read_descent(samples.recorded(program_text(settings)))


def ground(settings: DescentSettings) -> Map:
    return read_map(samples.recorded(map_program(settings.f, settings.reach)))


def plain_loop(optimizer: str, steps: int, *, forget: bool = False) -> tuple[np.ndarray, np.ndarray]:
    point = torch.tensor([-1.6, 1.2], dtype=torch.float64, requires_grad=True)
    made = OPTIMIZERS[optimizer](point)
    path, losses = [], []
    for _ in range(steps + 1):
        loss = point[0] ** 2 + 2 * point[1] ** 2
        path.append(point.detach().clone())
        losses.append(loss.detach())
        if not forget:
            made.zero_grad()
        loss.backward()
        made.step()
    return torch.stack(path).numpy(), torch.stack(losses).numpy()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("forget", [False, True])
def test_descent_is_a_plain_torch_loop(optimizer: Any, forget: bool) -> None:
    path, losses = plain_loop(optimizer, 30, forget=forget)
    found = descended(DescentSettings(optimizer=optimizer, forget_zero_grad=forget))
    assert np.allclose(found.path, path, rtol=1e-9)
    assert np.allclose(found.losses, losses, rtol=1e-9)


def test_forgetting_zero_grad_overshoots() -> None:
    right, wrong = descended(DescentSettings()), descended(DescentSettings(forget_zero_grad=True))
    assert right.losses[-1] < 1e-4 < wrong.losses[-1]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_stepping_first_never_moves(optimizer: Any) -> None:
    found = descended(DescentSettings(optimizer=optimizer, step_first=True))
    assert (found.path == found.path[0]).all()


def test_stepping_first_with_an_old_gradient_breaks_what_the_graph_saved() -> None:
    ended = samples.ending(program_text(DescentSettings(step_first=True, forget_zero_grad=True)))
    assert isinstance(ended, Failed)
    assert ended.recording.error is not None
    assert "modified by an inplace operation" in ended.recording.error.message


@pytest.mark.parametrize(
    ("mistake", "words"), [("forget_no_grad", "leaf Variable that requires grad"), ("step_first", "NoneType")]
)
def test_by_hand_torch_refuses(mistake: str, words: str) -> None:
    settings = DescentSettings(optimizer="hand", **{mistake: True})
    ended = samples.ending(program_text(settings))
    assert isinstance(ended, Failed)
    assert ended.recording.error is not None
    assert words in ended.recording.error.message


def test_no_grad_cannot_be_forgotten_where_the_optimizer_has_it() -> None:
    settings = DescentSettings(forget_no_grad=True)
    assert settings.mistakes == ()
    assert program_text(settings) == program_text(settings.without_mistakes())
    assert program_text(DescentSettings(optimizer="hand", forget_no_grad=True)) != program_text(
        DescentSettings(optimizer="hand")
    )


def test_a_learning_rate_that_is_too_large_ends_in_infinity() -> None:
    found = descended(DescentSettings(lr=50.0, steps=100, f="x**4 + y**4"))
    assert found.first_not_finite is not None
    assert np.isfinite(found.path[: found.first_not_finite]).all()
    assert descended(DescentSettings()).first_not_finite is None


@pytest.mark.parametrize("offered", surfaces(), ids=lambda offered: offered.gradient.f)
def test_every_function_offered_goes_down(offered: Any) -> None:
    settings = DescentSettings(
        f=offered.gradient.f,
        reach=offered.gradient.reach,
        start_x=offered.start_x,
        start_y=offered.start_y,
        lr=offered.lr,
    )
    found = descended(settings)
    assert found.losses[-1] < found.losses[0] - 0.05
    assert found.first_not_finite is None
    assert from_parameters(DescentSettings, to_parameters(settings)) == settings


@pytest.mark.parametrize(("f", "advice"), [("torch.stack([x, y])", "several_values"), ("3.0", "no_tensor")])
def test_a_function_with_another_result_gets_advice(f: str, advice: str) -> None:
    ended = samples.ending(program_text(DescentSettings(f=f)))
    assert advice_on_error(ended.recording) == f"labs.advice.{advice}"


def test_the_longest_path_is_recorded_whole() -> None:
    f = "(x**2 + y - 3)**2 / 5 + (x + y**2 - 3)**2 / 5"
    for optimizer in ("momentum", "adam"):
        assert len(descended(DescentSettings(f=f, lr=0.01, steps=100, optimizer=optimizer)).path) == 101


# ── figures, as data ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", ["contour", "surface"])
def test_the_picture_has_a_frame_for_every_step(theme: Theme, language: Language, view: Any) -> None:
    settings = DescentSettings(steps=5, forget_zero_grad=True, view=view)
    gone, right = descended(settings), descended(settings.without_mistakes())
    figure = descent_figure(ground(settings), gone, right, settings, theme, language)
    assert [frame.name for frame in figure.frames] == ["0", "1", "2", "3", "4", "5"]
    path, point, losses, loss = figure.frames[3].data[-4:]
    assert np.allclose(np.stack([path.x, path.y], axis=1), gone.path[:4])
    assert np.allclose([point.x[0], point.y[0]], gone.path[3])
    assert np.allclose(losses.y, gone.losses[:4])
    assert (loss.x[0], loss.y[0]) == (3, pytest.approx(gone.losses[3]))
    drawn = [figure.data[k] for k in figure.frames[3].traces]
    assert [trace.type for trace in drawn] == [trace.type for trace in figure.frames[3].data]
    assert len(drawn) == len(figure.data), "plotly.js loses what a frame leaves out"
    assert np.allclose(drawn[-4].x, gone.path[:, 0])
    assert drawn[-4].line.color == PALETTES[theme].running
    ghosts = [
        trace
        for trace in figure.data
        if "scatter" in trace.type and trace.name != "places" and trace.line.dash == "dot"
    ]
    assert np.allclose(ghosts[0].x, right.path[:, 0])
    assert len(figure.layout.sliders[0].steps) == 6
    assert {button.label for button in figure.layout.updatemenus[0].buttons} == {"▶", "❚❚"}
    figure.to_json()


@pytest.mark.parametrize("view", ["contour", "surface"])
def test_on_a_phone_the_loss_stands_below_the_map(view: Any) -> None:
    settings = DescentSettings(steps=3, view=view)
    layout = descent_figure(ground(settings), descended(settings), None, settings, "light", "en", BELOW).layout
    domains = layout.scene.domain if view == "surface" else {"x": layout.xaxis.domain, "y": layout.yaxis.domain}
    assert domains["x"] == (0, 1)
    assert layout.yaxis2.domain[1] < domains["y"][0]


def test_without_a_path_the_map_and_the_right_way_remain() -> None:
    settings = DescentSettings(optimizer="hand", forget_no_grad=True)
    right = descended(settings.without_mistakes())
    figure = descent_figure(ground(settings), None, right, settings, "light", "en")
    assert not figure.frames
    assert figure.layout.images[0].source.startswith("data:image/png;base64,")


@pytest.mark.parametrize("theme", THEMES)
def test_the_map_is_a_picture_whose_bands_follow_the_heights(theme: Theme) -> None:
    drawn = ground(DescentSettings(f="x + 0 * y"))
    rgba = pixels(drawn.height, theme)
    assert rgba.shape == (241, 241, 4)
    assert (rgba[0] == rgba[-1]).all()
    low, high = (rgba[120, column, 2].astype(int) for column in (5, 235))
    assert (low < high) == (theme == "dark")
    upright = pixels(ground(DescentSettings(f="y + 0 * x")).height, theme)
    assert (upright[235, 0] == rgba[0, 5]).all(), "low y is at the bottom"
    holes = pixels(ground(DescentSettings(f="torch.sqrt(x) + y")).height, theme)
    assert (holes[:, :114, 3] == 0).all()
    assert (holes[:, 126:, 3] == 255).all()


def test_the_picture_is_a_png(browser: Browser) -> None:
    page = browser.new_page()
    source = (
        descent_figure(ground(DescentSettings()), None, None, DescentSettings(), "light", "en").layout.images[0].source
    )
    page.set_content(f"<img src='{source}'>")
    assert page.locator("img").evaluate("img => img.decode().then(() => [img.naturalWidth, img.naturalHeight])") == [
        241,
        241,
    ]
    page.close()


@pytest.mark.parametrize("view", ["contour", "surface"])
def test_a_path_to_infinity_can_be_drawn(view: Any) -> None:
    settings = DescentSettings(lr=50.0, steps=40, f="x**4 + y**4", view=view)
    figure = descent_figure(ground(settings), descended(settings), None, settings, "dark", "zh")
    x = np.concatenate([np.asarray(trace.x, dtype=float) for trace in figure.data if trace.name == "路径"])
    assert np.nanmax(np.abs(x)) <= 2e6
    figure.to_json()


def test_the_program_is_plain_pytorch() -> None:
    settings = msgspec.structs.replace(DescentSettings(), optimizer="adam", steps=4)
    variables: dict[str, Any] = {}
    exec(program_text(settings), variables)
    assert np.array_equal(variables["path"].numpy(), descended(settings).path)

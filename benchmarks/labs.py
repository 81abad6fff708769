"""How fast the labs answer: sliders that need a run of the program, and those that do not."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from benchmarks.rows import Row, at_most, median, milliseconds, shown
from explorer.labs.derivative import DerivativeSettings, read_curve
from explorer.labs.derivative import program_text as derivative_program
from explorer.labs.derivative_figures import curve_figure, gap_figure
from explorer.labs.descent import DescentSettings, read_descent
from explorer.labs.descent import program_text as descent_program
from explorer.labs.descent_figures import descent_figure
from explorer.labs.gradient import GradientSettings, map_program, read_map, read_surface
from explorer.labs.gradient import program_text as gradient_program
from explorer.labs.gradient_figures import contour_figure, slopes_figure
from explorer.labs.jacobian import JacobianSettings, read_jacobian
from explorer.labs.jacobian import program_text as jacobian_program
from explorer.labs.jacobian_figures import jacobian_figure
from explorer.labs.reading import LAB_LIMITS
from explorer.labs.settings import LabSettings
from explorer.labs.special_points import special_points
from explorer.model import Recording
from explorer.runner import Completed, run

REPETITIONS = 25
MOST_WITH_A_RUN, MOST_WITHOUT = 150, 60
"""Milliseconds from the moved slider to the figures as the browser gets them."""

Answer = Callable[[LabSettings, Recording], list[str]]


def rows() -> list[Row]:
    """For each lab the median of an answer with a run, and of one from the last recording."""
    return [row for lab in (_derivative, _gradient, _jacobian, _descent) for row in lab()]


def _derivative() -> list[Row]:
    def answer(settings: LabSettings, recording: Recording) -> list[str]:
        assert isinstance(settings, DerivativeSettings)
        curve = read_curve(recording, settings)
        picture = curve_figure(curve, special_points(curve), "light", "en")
        return [picture.to_json(), gap_figure(curve, "light", "en").to_json()]

    settings = DerivativeSettings(f="torch.sin(x * x)", second=True)
    return _measured("derivative", settings, derivative_program, answer, "dx", "x")


def _gradient() -> list[Row]:
    def answer(settings: LabSettings, recording: Recording) -> list[str]:
        assert isinstance(settings, GradientSettings)
        surface = read_surface(recording, settings)
        slopes = slopes_figure(surface, settings, "light", "en")
        return [contour_figure(surface, settings, "light").to_json(), slopes.to_json()]

    return _measured("gradient", GradientSettings(), gradient_program, answer, "direction", "point")


def _jacobian() -> list[Row]:
    def answer(settings: LabSettings, recording: Recording) -> list[str]:
        assert isinstance(settings, JacobianSettings)
        return [jacobian_figure(read_jacobian(recording, settings), "light").to_json()]

    return _measured("Jacobian", JacobianSettings(), jacobian_program, answer, "v", "x")


def _descent() -> list[Row]:
    ground = read_map(_recorded(map_program(DescentSettings().f, DescentSettings().reach)))

    def answer(settings: LabSettings, recording: Recording) -> list[str]:
        assert isinstance(settings, DescentSettings)
        return [descent_figure(ground, read_descent(recording), None, settings, "light", "en").to_json()]

    return _measured("descent, 30 steps", DescentSettings(), descent_program, answer, "view", "learning rate")


def _measured(
    lab: str,
    settings: LabSettings,
    program: Callable[..., str],
    answer: Answer,
    without_run: str,
    with_run: str,
) -> list[Row]:
    text = program(settings)
    recording = _recorded(text)
    answer(settings, recording)
    cached, whole = [], []
    for _ in range(REPETITIONS):
        copied = msgspec.structs.replace(settings)
        cached.append(milliseconds(lambda copied=copied: answer(copied, recording)))
        whole.append(milliseconds(lambda copied=copied: answer(copied, _recorded(program(copied)))))
    return [
        at_most(
            f"lab {lab}: {with_run} moves (with a run), median", median(whole), MOST_WITH_A_RUN, "ms", _best(whole)
        ),
        at_most(f"  {without_run} moves (no run), median", median(cached), MOST_WITHOUT, "ms", _best(cached)),
    ]


def _best(milliseconds_taken: list[float]) -> str:
    """The fastest: least disturbed by other processes."""
    return f" (fastest {shown(min(milliseconds_taken), 'ms')})"


def _recorded(program: str) -> Recording:
    ending = run(program, limits=LAB_LIMITS)
    assert isinstance(ending, Completed), ending
    return ending.recording

"""Check: autograd, finite differences and forward mode on the whole gallery and on programs that go wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lab_runs import ended, ran, recorded

from explorer.errors import ProgramInvalid
from explorer.gallery import GalleryFunction, function, functions
from explorer.i18n import LANGUAGES, Language
from explorer.labs.check import STEPS, CheckSettings, Reading, error_chart, program_text, read, reasons, verdict
from explorer.labs.check.program import CHECK_LIMITS
from explorer.labs.check.reading import best_step, worst_errors
from explorer.labs.settings import from_parameters, to_parameters
from explorer.model import Recording
from explorer.render.palette import THEMES, Theme
from explorer.runner import Failed

X = "import torch\nx = torch.tensor([1.0, 2.0], requires_grad=True)\n"

DISAGREE = {
    "relu-kink": "kink",  # at 0, torch takes the left slope
    "where-nan": "nan",  # 0 times an infinite slope
    "detach": "cut",  # autograd is told that a factor is constant
    "no-grad": "cut",
}
"""Functions of the gallery on which gradcheck must fail, and why."""

KINKS = {"abs-kink", "max-tie"}
"""Where torch takes the mean of both slopes, so that gradcheck notices nothing."""


def recorded_check(check: str) -> Recording:
    return recorded(check, CHECK_LIMITS)


def reading_of(program: str) -> Reading:
    return read(recorded_check(program_text(program)))


def kinds_of(program: str) -> list[str]:
    recording = recorded_check(program_text(program))
    found = {language: reasons(read(recording), recording, program, language) for language in LANGUAGES}
    kinds = {language: [reason.kind for reason in of_language] for language, of_language in found.items()}
    assert kinds["en"] == kinds["zh"]
    return kinds["en"]


@pytest.mark.parametrize("entry", [one for one in functions() if not one.is_loop], ids=lambda entry: entry.id)
def test_gradcheck_agrees_on_the_gallery(entry: GalleryFunction) -> None:
    reading = reading_of(entry.code)
    said = {language: verdict(reading, language) for language in LANGUAGES}
    kind = DISAGREE.get(entry.id)
    assert {one.kind for one in said.values()} == {"agree" if kind is None else "disagree"}
    assert (reading.gradcheck == "") is (kind is None), reading.gradcheck
    assert set(kinds_of(entry.code)) == ({kind} if kind else {"hidden_kink"} if entry.id in KINKS else set())
    assert reading.double.dtype == "float64"
    assert reading.own.dtype == "float32"
    np.testing.assert_allclose(reading.own.reverse, reading.double.reverse, rtol=1e-4, atol=1e-5)
    if reading.forward is not None and kind is None:
        np.testing.assert_allclose(reading.forward, reading.double.reverse, rtol=1e-9, atol=1e-12)


def test_plain_python_computes_the_same() -> None:
    program = program_text(function("attention").code)
    names, reading = ran(program), read(recorded_check(program))
    inputs = names["inputs"]
    grads = torch.autograd.grad(names["f"](*inputs), inputs)
    np.testing.assert_array_equal(reading.double.reverse, torch.cat([grad.reshape(-1) for grad in grads]).numpy())
    assert reading.names[:5] == ("q[0, 0]", "q[0, 1]", "q[1, 0]", "q[1, 1]", "k[0, 0]")


def test_the_sweep_is_central_left_and_right() -> None:
    reading = reading_of("import torch\nx = torch.tensor(2.0, requires_grad=True)\ny = x**3\ny.backward()")
    for k, h in enumerate(STEPS[:9]):
        assert reading.double.central[k, 0] == pytest.approx(12 + h**2, rel=1e-6)
        assert reading.double.right[k, 0] == pytest.approx(12 + 6 * h + h**2, rel=1e-4)
        assert reading.double.left[k, 0] == pytest.approx(12 - 6 * h + h**2, rel=1e-4)


def test_the_error_falls_with_h_squared_and_rises_again() -> None:
    reading = reading_of(function("tanh").code)
    errors = worst_errors(reading.double, reading.agrees)
    slope = np.polyfit(np.log10(STEPS[:5]), np.log10(errors[:5]), 1)[0]
    assert slope == pytest.approx(2, abs=0.1)
    assert 1e-7 < STEPS[reading.best] < 1e-4
    assert errors[-1] > 100 * errors[reading.best]
    assert STEPS[best_step(reading.own, reading.agrees)] > 10 * STEPS[reading.best]


@pytest.mark.parametrize(
    ("rest", "kinds"),
    [
        ("y = x * 2\ny.data.mul_(10)\ny.sum().backward()", ["data"]),
        ("(x * x[0].item()).sum().backward()", ["cut"]),
        ("(x * 1.5).round().sum().backward()", ["steep"]),
        ("(x - 1).sqrt().sum().backward()", ["inf"]),
        ("((x - 1).relu() * x.detach()).sum().backward()", ["kink", "cut"]),
        ("calls = []\ny = x * len(calls)\ncalls.append(1)\ny.sum().backward()", []),
        ("(x.to(torch.float32) ** 2).sum().backward()", ["cast"]),
    ],
)
def test_a_disagreement_is_explained(rest: str, kinds: list[str]) -> None:
    assert kinds_of(X + rest) == kinds


def test_a_wrong_backward_of_ones_own_is_named() -> None:
    program = function("custom-function").code.replace("grad_output * 2 * x", "grad_output * 3 * x")
    recording = recorded_check(program_text(program))
    reading = read(recording)
    (reason,) = reasons(reading, recording, program, "en")
    assert (reason.kind, reason.line) == ("custom", 4)
    assert "Square" in reason.sentence
    assert reading.forward is None
    assert "jvp" in reading.forward_error
    assert verdict(reading, "en").kind == "disagree"


def test_forward_mode_goes_through_no_grad_and_reverse_mode_does_not() -> None:
    reading = reading_of(function("no-grad").code)
    assert reading.forward is not None
    assert (reading.forward[0], reading.double.reverse[0], round(reading.double.central[8, 0])) == (27, 9, 27)


def test_parameters_of_modules_are_checked_by_name() -> None:
    reading = reading_of(function("module").code)
    assert reading.names == ("x[0, 0]", "x[0, 1]", "layer.weight[0, 0]", "layer.weight[0, 1]", "layer.bias[0]")


def test_only_the_first_elements_of_many_are_checked() -> None:
    reading = reading_of("import torch\nx = torch.ones(50, requires_grad=True)\n(x * x).sum().backward()")
    assert (reading.total, len(reading.names)) == (50, 32)
    assert reading.agrees.all()


def test_a_long_program_with_many_inputs_is_still_checked() -> None:
    reading = reading_of(
        "import torch\nw = torch.eye(6)[:3].reshape(-1).requires_grad_()\nh = torch.ones(6)\nfor _ in range(12):\n"
        "    h = torch.tanh(h * 0.9 + 0.1 * (w * w).sum())\nh.sum().backward()"
    )
    assert reading.agrees.all()
    assert reading.forward is not None


def test_nan_everywhere_says_so() -> None:
    reading = reading_of(X + "(x - 5).log().sum().backward()")
    assert verdict(reading, "en").kind == "no_number"
    assert kinds_of(X + "(x - 5).log().sum().backward()") == []


def test_the_programs_own_names_stay_its_own() -> None:
    reading = reading_of(
        "import torch\ninputs = torch.tensor([1.0, 2.0], requires_grad=True)\nsteps, check = 3.0, [torch.ones(2)]\n"
        "y = (inputs * steps * check[0]).sum()\ny.backward()"
    )
    assert reading.names == ("inputs[0]", "inputs[1]")
    np.testing.assert_allclose(reading.double.reverse, [3, 3])


def test_a_result_that_is_no_scalar_fails_in_torchs_words() -> None:
    ending = ended(program_text(X + "y = x * 2\ny.backward()"))
    assert isinstance(ending, Failed)
    assert ending.recording.error is not None
    assert "only for scalar outputs" in ending.recording.error.message


def test_a_program_without_a_leaf_is_refused() -> None:
    with pytest.raises(ProgramInvalid):
        program_text("import torch\nx = torch.ones(2)\nx.sum().backward()")


def test_a_link_opens_the_same_lab() -> None:
    settings = CheckSettings(function="", code=X + "x.sum().backward()", step=4)
    assert from_parameters(CheckSettings, to_parameters(settings)) == settings


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_chart_shows_errors_of_both_types_and_of_what_disagrees(theme: Theme, language: Language) -> None:
    reading = reading_of(function("relu-kink").code)
    figure = error_chart(reading, 8, theme, language)
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [trace.name for trace in lines[:2]] == ["float64", "float32"]
    assert "x[1]" in lines[2].name
    assert list(lines[2].y) == pytest.approx([0.5] * len(STEPS), rel=1e-2)
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert figure.layout.shapes[0].x0 == STEPS[8]

"""Charts hold the numbers of the recording, in order, and say what they leave out."""

from __future__ import annotations

import json
from typing import Any

import pytest
import render_samples as samples
import torch

from explorer.i18n import LANGUAGES, Language
from explorer.model import TensorValue, from_float
from explorer.model.text import number_text
from explorer.render.contribution_chart import contribution_chart
from explorer.render.contribution_curves import contribution_curves, has_many_passes
from explorer.render.decades import scale_of
from explorer.render.heat_map import heat_map
from explorer.render.palette import THEMES, Theme


def value_of(tensor: torch.Tensor) -> TensorValue:
    dtype = str(tensor.dtype).removeprefix("torch.")
    numbers = [from_float(x) if isinstance(x, float) else x for x in tensor.flatten().tolist()]
    return TensorValue(shape=tuple(tensor.shape), dtype=dtype, values=tuple(numbers))


def heat(tensor: torch.Tensor) -> dict[str, Any]:
    return heat_map(value_of(tensor), "w", "light", "en").to_dict()


def subtitle(figure: dict[str, Any]) -> str:
    return str(figure["layout"]["title"].get("subtitle", {}).get("text", ""))


def bars(program: str, step: int | None = None) -> dict[str, list[float | None]]:
    figure = contribution_chart(samples.recorded(program), None, "light", "en", step)
    return {trace.name: list(trace.y) for trace in figure.data if trace.name is not None}


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 2, 3)])
def test_a_heat_map_holds_every_element_in_order(shape: tuple[int, ...]) -> None:
    tensor = torch.randn(shape)
    trace = heat(tensor)["data"][0]
    assert [z for row in trace["z"] for z in row] == tensor.flatten().tolist()
    assert trace["customdata"][-1][-1] == str([size - 1 for size in shape])


def test_hovering_shows_elements_as_torch_prints_them() -> None:
    tensor = torch.tensor([0.5, 2.0, 11.0])
    (shown,) = heat(tensor)["data"][0]["text"]
    printed = str(tensor).removeprefix("tensor([").removesuffix("])")
    assert shown == [number.strip() for number in printed.split(",")]


def test_zero_is_the_middle_of_the_scale() -> None:
    trace = heat(torch.tensor([1.0, -4.0]))["data"][0]
    assert (trace["zmin"], trace["zmax"]) == (-4.0, 4.0)
    assert heat(torch.zeros(2))["data"][0]["zmax"] == 1.0


def test_what_is_not_finite_has_words_but_no_place_on_the_scale() -> None:
    scaled, apart = heat(torch.tensor([1.0, float("nan"), float("inf")]))["data"]
    assert scaled["z"] == [[1.0, None, None]]
    assert apart["z"] == [[None, 0, 0]]
    assert apart["text"] == [["1.", "nan", "inf"]]
    assert not heat(torch.tensor([float("inf")]))["data"][0]["showscale"]


def test_more_than_two_dimensions_are_folded_and_told() -> None:
    figure = heat(torch.randn(2, 3, 4))
    assert len(figure["data"][0]["z"]) == 6
    assert "(2, 3, 4)" in subtitle(figure)


def test_a_large_tensor_is_cropped_and_told() -> None:
    figure = heat(torch.zeros(130, 200))
    assert (len(figure["data"][0]["z"]), len(figure["data"][0]["z"][0])) == (128, 128)
    assert "130 × 200" in subtitle(figure)


def test_a_sample_leaves_blanks_and_is_told() -> None:
    value = TensorValue(shape=(2, 2), dtype="float32", values=(1.0, 4.0), indices=(0, 3))
    figure = heat_map(value, "w", "light", "en").to_dict()
    assert figure["data"][0]["z"] == [[1.0, None], [None, 4.0]]
    assert "2 of 4" in subtitle(figure)


def test_an_empty_tensor_is_told() -> None:
    assert "no elements" in subtitle(heat(torch.zeros(0)))


def test_titles_are_never_markup() -> None:
    figure = heat_map(value_of(torch.zeros(1)), "<a href='x'>w</a>", "light", "en")
    assert "<" not in figure.layout.title.text


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("program", samples.ALL)
def test_every_chart_is_plain_json(program: str, theme: Theme, language: Language) -> None:
    recording = samples.recorded(program)
    figures = [contribution_chart(recording, None, theme, language)]
    figures += [heat_map(leaf.value, leaf.name, theme, language) for leaf in recording.leaves]
    for figure in figures:
        # Python also reads NaN and Infinity, a browser does not.
        assert json.loads(figure.to_json(), parse_constant=pytest.fail)["data"] is not None


def test_the_tutorials_stack() -> None:
    assert bars(samples.TWO_FUNCTIONS) == {
        "pass 1 (m)": [0.0, 4.0, 8.0],
        "pass 2 (h)": [1.0, 1.0, 1.0],
        ".grad": [1.0, 5.0, 9.0],
    }


def test_what_was_cleared_does_not_count() -> None:
    assert bars(samples.CLEARED_BETWEEN) == {
        "pass 1 (m), cleared": [0.0, 4.0, 8.0],
        "pass 2 (h)": [1.0, 1.0, 1.0],
        ".grad": [1.0, 1.0, 1.0],
    }


def test_a_chart_as_of_a_step_knows_nothing_of_later() -> None:
    recording = samples.recorded(samples.TWO_FUNCTIONS)
    second = recording.backward_passes[1].first
    assert bars(samples.TWO_FUNCTIONS, second)[".grad"] == [0.0, 4.0, 8.0]
    assert bars(samples.TWO_FUNCTIONS, 0) == {}


def test_negative_contributions_lower_the_sum() -> None:
    program = samples.TWO_FUNCTIONS.replace("h = x.sum()", "h = -x.sum()")
    assert bars(program)[".grad"] == [-1.0, 3.0, 7.0]
    figure = contribution_chart(samples.recorded(program), None, "light", "en")
    assert figure.layout.barmode == "relative"


def test_the_number_above_a_bar_that_hangs_down_has_room() -> None:
    program = samples.TWO_FUNCTIONS.replace("h = x.sum()", "h = -9 * x.sum()")
    figure = contribution_chart(samples.recorded(program), None, "light", "en")
    numbers = figure.data[-1]
    assert max(numbers.y) < figure.layout.yaxis.autorangeoptions.include


def test_cleared_bars_stand_in_a_group_of_their_own() -> None:
    figure = contribution_chart(samples.recorded(samples.CLEARED_BETWEEN), None, "light", "en")
    assert [trace.offsetgroup for trace in figure.data] == ["cleared", "kept", "kept", "kept"]


def test_bars_of_different_passes_differ_in_pattern() -> None:
    figure = contribution_chart(samples.recorded(samples.TWO_FUNCTIONS), None, "light", "en")
    first, second = (trace.marker.pattern.shape for trace in figure.data[:2])
    assert first != second


@pytest.mark.parametrize(
    ("clear", "names"),
    [
        ("w.grad = None", ["added to w.grad[0]", "added to w.grad[1]"]),
        ("pass", ["w.grad[0]", "added to w.grad[0]", "w.grad[1]", "added to w.grad[1]"]),
    ],
)
def test_many_passes_make_curves_of_torchs_numbers(clear: str, names: list[str]) -> None:
    program = f"    w = torch.tensor([1., 2.], requires_grad=True)\n    for k in range(1, 15):\n        (k * w).sum().backward()\n        {clear}\n"
    recording = samples.recorded(program)
    assert has_many_passes(recording, recording.leaves[0].id)
    figure = contribution_curves(recording, recording.leaves[0].id, "light", "en")
    assert [trace.name for trace in figure.data] == names
    curves = {trace.name: list(trace.y) for trace in figure.data}
    assert curves["added to w.grad[1]"] == [float(k) for k in range(1, 15)]
    if clear == "pass":
        assert curves["w.grad[1]"] == torch.arange(1.0, 15.0).cumsum(0).tolist()


def test_curves_over_many_powers_of_ten_have_an_axis_that_shows_them_all() -> None:
    program = "    w = torch.tensor(1., requires_grad=True)\n    for k in range(16):\n        ((-0.1) ** k * w).backward()\n        w.grad = None\n"
    recording = samples.recorded(program)
    figure = contribution_curves(recording, recording.leaves[0].id, "light", "en")
    (curve,) = figure.data
    grads = [torch.tensor(1.0).mul((-0.1) ** k).item() for k in range(16)]
    assert list(curve.customdata) == [number_text(grad) for grad in grads]
    assert [height > 0 for height in curve.y] == [grad > 0 for grad in grads]
    sizes = [abs(height) for height in curve.y]
    assert sizes == sorted(set(sizes), reverse=True)
    at, said = figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext
    assert list(at) == sorted(at)
    assert dict(zip(said, at, strict=True))[number_text(grads[0])] == curve.y[0]
    assert dict(zip(said, at, strict=True))["0."] == 0


def test_rounding_beside_one_large_number_makes_no_axis_of_its_own() -> None:
    assert scale_of([-2.0, 1e-8, -3e-9, 2e-8, 1e-12]) is None
    assert scale_of([]) is None


def test_many_passes_over_many_elements_are_known_by_the_norm() -> None:
    program = "    w = torch.ones(9, requires_grad=True)\n    for k in range(13):\n        (k * w).sum().backward()\n        w.grad = None\n"
    recording = samples.recorded(program)
    (curve,) = contribution_curves(recording, recording.leaves[0].id, "light", "en").data
    assert list(curve.y) == [(k * torch.ones(9)).norm().item() for k in range(13)]


def test_a_leaf_that_shrinks_has_gaps_in_the_curves_of_its_lost_elements() -> None:
    program = "    w = torch.ones(2, requires_grad=True)\n    for k in range(14):\n        w.sum().backward()\n        w.grad = None\n        if k == 12:\n            w.data = torch.ones(1)\n"
    recording = samples.recorded(program)
    first, second = contribution_curves(recording, recording.leaves[0].id, "light", "en").data
    assert list(first.y) == [1.0] * 14
    assert list(second.y) == [1.0] * 13 + [None]


def test_a_sum_that_is_not_finite_is_said() -> None:
    program = "x = torch.tensor([0., 1.], requires_grad=True)\nfor _ in range(2):\n    (x * (1 / x)).sum().backward()"
    figure = contribution_chart(samples.recorded(program), None, "light", "en")
    diamonds, numbers = figure.data[-2:]
    assert list(diamonds.y) == [None, 0.0]
    assert [said.removesuffix("<br> ") for said in numbers.text] == ["nan", "0."]


def test_without_a_pass_the_chart_says_so() -> None:
    figure = contribution_chart(samples.recorded(samples.NO_GRAPH), None, "light", "en").to_dict()
    assert "No backward pass" in subtitle(figure)


def test_too_many_elements_are_told() -> None:
    program = "x = torch.ones(10, 10, requires_grad=True)\nx.sum().backward()"
    figure = contribution_chart(samples.recorded(program), None, "light", "en").to_dict()
    assert len(figure["data"][0]["y"]) == 48
    assert "48 of 100" in subtitle(figure)

"""Gradient flow: norms, fates and first bad numbers against plain torch."""

from __future__ import annotations

import math

import pytest
import torch
from lab_runs import ran, recorded

from explorer.i18n import LANGUAGES, Language
from explorer.labs.flow import FlowSettings, Network, Reading, histogram_chart, norm_chart, program_text, read, verdict
from explorer.labs.flow.program import BINS, FLOW_LIMITS, LEAST_POWER, MOST_POWER
from explorer.labs.flow.verdict import mark_of, times_text
from explorer.labs.settings import from_parameters, to_parameters
from explorer.model import NodeRan
from explorer.render.palette import THEMES, Theme


def network(**fields: object) -> Network:
    return FlowSettings(**{f"{name}_a": value for name, value in fields.items()}).networks["a"]  # type: ignore[arg-type]


def reading_of(one: Network) -> Reading:
    return read(recorded(program_text(one), FLOW_LIMITS))


SIGMOID = network()
DEEP_RELU = network(activation="relu", initialisation="kaiming", gain=8.0, depth=40)
RNN = network(kind="rnn", activation="tanh", initialisation="orthogonal", depth=25, width=16)

NETWORKS = {
    "sigmoid": (SIGMOID, "vanishes"),
    "relu, kaiming": (network(activation="relu", initialisation="kaiming"), "steady"),
    "shortcuts": (network(aid="shortcut"), "steady"),
    "layer norm": (network(activation="relu", aid="layer_norm", width=32), "steady"),
    "large weights": (network(activation="none", gain=4.0, depth=20), "explodes"),
    "overflow": (DEEP_RELU, "broken"),
    "gelu": (network(activation="gelu", initialisation="default", depth=8), None),
    "normal": (network(activation="tanh", initialisation="normal", width=4), None),
    "rnn": (RNN, None),
    "rnn, small weights": (network(kind="rnn", gain=0.3, depth=30, aid="layer_norm"), "vanishes"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_norms_are_torchs(name: str) -> None:
    one, fate = NETWORKS[name]
    reading, names = reading_of(one), ran(program_text(one))
    assert len(reading.levels) == one.depth
    for level in reading.levels:
        if level.weight is not None:
            gradient = names["layers"][level.number - 1].weight.grad
            norm = gradient.double().norm().item() if gradient.isfinite().all() else math.nan
            assert level.weight == pytest.approx(norm, rel=1e-4, nan_ok=True)
    assert (reading.levels[0].weight is None) is (one.kind == "rnn")
    if fate is not None:
        assert {verdict(reading, one, language).fate for language in LANGUAGES} == {fate}


@pytest.mark.parametrize("one", [SIGMOID, RNN], ids=["mlp", "rnn"])
def test_levels_get_the_gradient_that_retain_grad_keeps(one: Network) -> None:
    program = program_text(one)
    names = ran("states = []\n" + program.replace("loss = ", "    h.retain_grad()\n    states.append(h)\nloss = ", 1))
    found = [level.norm for level in reading_of(one).levels]
    assert found == pytest.approx([h.grad.norm().item() for h in names["states"]], rel=1e-4)


def test_the_first_bad_number_is_found_where_it_came_up() -> None:
    recording = recorded(program_text(DEEP_RELU), FLOW_LIMITS)
    bad = read(recording).bad
    assert bad is not None
    assert (bad.what, bad.backward, bad.name) == ("inf", False, "PowBackward0")
    assert recording.source is not None
    assert bad.line is not None
    assert "h.pow(2)" in recording.source.splitlines()[bad.line - 1]
    assert "inf" in verdict(read(recording), DEEP_RELU, "en").sentence


def test_a_bad_number_of_the_backward_pass_is_told_apart() -> None:
    program = (
        "import torch\nlayers = torch.nn.ModuleList([torch.nn.Linear(2, 2)])\nh = layers[0](torch.zeros(1, 2)) * 0\n"
    )
    recording = recorded(program + "loss = h.sqrt().sum()\nloss.backward()\n", FLOW_LIMITS)
    bad = read(recording).bad
    assert bad is not None
    assert (bad.what, bad.backward, bad.name, bad.level) == ("inf", True, "SqrtBackward0", None)
    event = recording.events[bad.step - 1]
    assert isinstance(event, NodeRan)
    assert event.node_id == bad.node_id


def test_finite_networks_have_no_bad_number() -> None:
    assert reading_of(SIGMOID).bad is None


def test_histograms_count_every_element() -> None:
    one = network(activation="relu", initialisation="kaiming")
    reading, names = reading_of(one), ran(program_text(one))
    parameters = list(names["layers"].named_parameters())
    assert [spread.name for spread in reading.spreads] == [name for name, _ in parameters]
    for spread, (_, parameter) in zip(reading.spreads, parameters, strict=True):
        powers = parameter.grad.abs().log10()
        inside = ((powers >= LEAST_POWER) & (powers <= MOST_POWER)).sum().item()
        assert sum(spread.counts) == inside
        assert spread.zero == (parameter.grad == 0).sum().item()
        assert spread.numel == parameter.numel() == inside + spread.zero


@pytest.mark.parametrize(("times", "said"), [(4.66, "4.7"), (249.0, "250"), (12_345.0, "12,000"), (1.23e10, "1.2e+10")])
def test_factors_are_said_in_two_digits(times: float, said: str) -> None:
    assert times_text(times) == said


def test_levels_are_marked() -> None:
    reading = reading_of(SIGMOID)
    marks = [mark_of(level, reading.levels[-1]) for level in reading.levels]
    assert marks[0] == "vanishes"
    assert marks[-1] == "steady"
    assert marks == sorted(marks, reverse=True)


def test_a_dead_network_says_so() -> None:
    one = network(activation="relu", depth=30, width=4, initialisation="default")
    reading = reading_of(one)
    if reading.levels[0].norm == 0:
        assert verdict(reading, one, "en").fate == "dead"
    dead = type(reading)(
        levels=tuple(type(level)(number=level.number, norm=0.0) for level in reading.levels), spreads=()
    )
    assert verdict(dead, one, "zh").fate == "dead"


def test_a_link_opens_the_same_lab() -> None:
    settings = FlowSettings(compare=False, kind_a="rnn", depth_b=7, width_b=32, gain_a=1.3, aid_b="layer_norm")
    assert from_parameters(FlowSettings, to_parameters(settings)) == settings


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_charts_show_the_norms(theme: Theme, language: Language) -> None:
    sigmoid, broken = reading_of(SIGMOID), reading_of(DEEP_RELU)
    figure = norm_chart([("A", SIGMOID, sigmoid), ("B", DEEP_RELU, broken)], theme, language)
    lines = {trace.name: trace for trace in figure.data if trace.mode == "lines+markers"}
    assert list(lines["A"].y) == [level.norm for level in sigmoid.levels]
    assert set(lines["A"].marker.symbol) == {"circle", "circle-open"}
    (broken_marks,) = [trace for trace in figure.data if trace.showlegend is False]
    assert len(broken_marks.x) == sum(math.isnan(level.norm) for level in broken.levels) > 0
    assert min(broken_marks.y) > max(number for number in lines["B"].y if number is not None)
    assert figure.layout.yaxis.type == "log"
    histogram = histogram_chart("A", sigmoid, theme, language)
    (cells,) = histogram.data
    assert len(cells.z) == len(sigmoid.spreads)
    assert sum(share or 0 for share in cells.z[0]) == pytest.approx(1)


def test_torch_and_the_lab_bin_alike() -> None:
    assert torch.histc(torch.tensor([-16.0, 6.0]), bins=BINS, min=LEAST_POWER, max=MOST_POWER).sum() == 2

"""Accumulation: what the lab says against what plain torch computes."""

from __future__ import annotations

import pytest
import torch
from lab_runs import ended, ran, recorded

from explorer.i18n import LANGUAGES, Language
from explorer.labs.accumulation import (
    AccumulationSettings,
    Reading,
    gradient_chart,
    memory_chart,
    part_sizes,
    program_text,
    read,
    verdict,
)
from explorer.labs.settings import from_parameters, to_parameters
from explorer.render.palette import PALETTES, THEMES, Theme
from explorer.runner import Failed

Settings = AccumulationSettings


def reading_of(settings: Settings) -> Reading:
    return read(recorded(program_text(settings)))


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (Settings(), "equal"),
        (Settings(model="linear", samples=16, size=1), "equal"),
        (Settings(samples=10, size=4), "equal"),
        (Settings(samples=10, size=4, scaling="count"), "differs"),
        (Settings(samples=8, size=4, scaling="count"), "equal"),
        (Settings(scaling="nothing"), "times"),
        (Settings(scaling="size"), "times"),
        (Settings(loss="sum", scaling="nothing", samples=11, size=3), "equal"),
        (Settings(loss="sum"), "times"),
        (Settings(model="batch_norm"), "differs"),
        (Settings(model="batch_norm", size=8), "equal"),
        (Settings(between="none"), "equal"),
        (Settings(between="zeros"), "equal"),
        (Settings(between="keep"), "differs"),
    ],
    ids=lambda value: str(to_parameters(value)) if isinstance(value, Settings) else value,
)
def test_it_says_what_torch_computes(settings: Settings, kind: str) -> None:
    program = program_text(settings)
    names, reading = ran(program), read(recorded(program))
    for gradient in reading.gradients:
        full, micro = (names[model].get_parameter(gradient.name).grad for model in ("full", "micro"))
        assert torch.equal(torch.tensor(gradient.full).reshape(gradient.shape), full)
        assert torch.equal(torch.tensor(gradient.micro).reshape(gradient.shape), micro)
    assert len(reading.gradients) == len(list(names["full"].parameters()))
    equal = all(
        torch.allclose(a.grad, b.grad, rtol=1e-4, atol=1e-5)
        for a, b in zip(names["full"].parameters(), names["micro"].parameters(), strict=True)
    )
    assert equal is (kind == "equal")
    said = {language: verdict(reading, settings, language) for language in LANGUAGES}
    assert {one.kind for one in said.values()} == {kind}
    assert (kind == "equal") or all(one.reasons for one in said.values())


def test_parts_add_up_to_what_was_accumulated() -> None:
    for gradient in reading_of(Settings(samples=10, size=4)).gradients:
        added = [sum(numbers) for numbers in zip(*gradient.parts, strict=True)]
        assert added == pytest.approx(gradient.micro, abs=1e-6)


def test_what_was_not_cleared_is_left_over() -> None:
    kept, cleared = reading_of(Settings(between="keep")), reading_of(Settings(between="zeros"))
    assert all(gradient.left_over for gradient in kept.gradients)
    assert not any(gradient.left_over for gradient in cleared.gradients)
    assert (kept.cleared_to, cleared.cleared_to) == (None, "zeros")
    assert reading_of(Settings(between="none")).cleared_to == "none"


def test_the_factor_of_missing_scaling_is_the_number_of_micro_batches() -> None:
    settings = Settings(scaling="nothing", samples=12, size=3)
    said = verdict(reading_of(settings), settings, "en")
    assert "4 times" in said.sentence


def test_steps_of_float32_are_counted() -> None:
    (gradient,) = [one for one in reading_of(Settings()).gradients if one.name == "2.bias"]
    up = torch.nextafter(torch.tensor(gradient.full), torch.tensor(float("inf")))
    neighbour = type(gradient)(
        name="", shape=(1,), full=gradient.full, left_over=(), parts=(), micro=tuple(up.tolist())
    )
    assert neighbour.ulps == 1


def test_the_graph_of_a_micro_batch_is_freed_before_the_next() -> None:
    reading = reading_of(Settings(size=2))
    assert len(reading.full.graphs) == 1
    assert len(reading.micro.graphs) == 4
    assert reading.micro.peak < reading.full.peak
    assert reading.full.bytes[-1] == reading.micro.bytes[-1] == 0


def test_memory_is_what_the_nodes_saved() -> None:
    """A linear model keeps its inputs for the weight's gradient, its result and the targets for the loss's."""
    reading = reading_of(Settings(model="linear", samples=8, loss="sum", scaling="nothing", size=8))
    assert reading.full.peak == 4 * (8 * 3 + 8 + 8)


def test_batch_norm_refuses_a_single_sample() -> None:
    ending = ended(program_text(Settings(model="batch_norm", samples=9, size=2)))
    assert isinstance(ending, Failed)


def test_part_sizes() -> None:
    assert part_sizes(Settings(samples=10, size=4)) == (4, 4, 2)
    assert part_sizes(Settings(samples=3, size=16)) == (3,)


def test_a_link_opens_the_same_lab() -> None:
    settings = Settings(model="batch_norm", samples=9, size=3, loss="sum", scaling="size", between="keep")
    assert from_parameters(Settings, to_parameters(settings)) == settings


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_chart_stacks_parts_beside_the_full_batch(theme: Theme, language: Language) -> None:
    settings = Settings(samples=10, size=4, between="keep")
    reading = reading_of(settings)
    figure = gradient_chart(reading, settings, theme, language)
    full, left_over, *parts, sums = figure.data
    assert list(full.y) == [number for one in reading.gradients for number in one.full]
    assert list(sums.y) == [number for one in reading.gradients for number in one.micro]
    stacked = [sum(numbers) for numbers in zip(left_over.y, *(part.y for part in parts), strict=True)]
    assert stacked == pytest.approx(list(sums.y), abs=1e-5)
    assert len({*full.x}) == len(full.x) == 21
    assert len({trace.name for trace in figure.data}) == len(figure.data)
    assert figure.layout.font.color == PALETTES[theme].text
    memory = memory_chart(reading, theme, language)
    assert [max(trace.y) for trace in memory.data] == [reading.full.peak, reading.micro.peak]

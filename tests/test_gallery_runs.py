"""Every function of the gallery through the real runner: it completes, twice alike, within limits, told in words."""

from __future__ import annotations

from functools import cache

import pytest

import explorer
from explorer.gallery import function, functions
from explorer.i18n import LANGUAGES, Language
from explorer.model import NodeRan, Recording
from explorer.render.part import MOST_NODES, graph_of, suggested_scope
from explorer.render.tracks import tracks
from explorer.rules import error_hint, explain, notice_text, notices, sentences

MOST_STEPS, MOST_STEPS_OF_LOOPS = 150, 2_000
every_function = pytest.mark.parametrize("function_id", [shown.id for shown in functions()])


def run_anew(function_id: str) -> Recording:
    ending = explorer.run(function(function_id).code, seed=0)
    assert isinstance(ending, explorer.Completed), ending
    return ending.recording


run_once = cache(run_anew)


@every_function
def test_it_completes_with_a_gradient_and_something_printed(function_id: str) -> None:
    recording = run_once(function_id)
    assert any(grad is not None for grad in recording.grads.values())
    assert recording.printed.strip()
    assert recording.source == function(function_id).code


@every_function
def test_two_runs_are_equal(function_id: str) -> None:
    assert run_anew(function_id).to_json() == run_once(function_id).to_json()


@every_function
def test_it_is_small_enough_to_be_shown_whole_or_pass_by_pass(function_id: str) -> None:
    recording, is_loop = run_once(function_id), function(function_id).is_loop
    assert not recording.truncated
    assert suggested_scope(recording) == ("round" if is_loop else "all")
    for nr, one in enumerate(recording.rounds):
        assert 2 <= len(graph_of(recording, nr)) <= MOST_NODES
        assert len(one.passes) == 1 or not is_loop
    assert len(recording.events) <= (MOST_STEPS if not is_loop else MOST_STEPS_OF_LOOPS)
    assert all(leaf.value.complete for leaf in recording.leaves)


@every_function
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_is_told_in_words(function_id: str, language: Language) -> None:
    recording = run_once(function_id)
    told = sentences(recording, language)
    assert len(told) == len(recording.events) + 1
    assert all(sentence.strip() and "{" not in sentence for sentence in told)
    assert language == "en" or any("\u4e00" <= letter <= "\u9fff" for letter in "".join(told))
    assert all(notice_text(notice, language).strip() for notice in notices(recording))
    assert error_hint(recording, language) is None


@every_function
def test_the_languages_tell_different_words(function_id: str) -> None:
    recording = run_once(function_id)
    english, chinese = (sentences(recording, language) for language in LANGUAGES)
    assert all(one != other for one, other in zip(english, chinese, strict=True))


@every_function
def test_the_picture_follows_every_step(function_id: str) -> None:
    recording = run_once(function_id)
    for frames in tracks(recording).values():
        steps = [frame.step for frame in frames]
        assert steps == sorted(set(steps))
        assert all(0 <= step <= len(recording.events) for step in steps)


@pytest.mark.parametrize(
    ("function_id", "steps", "batches"), [("fit-line", 30, 1), ("micro-batches", 3, 4), ("xor", 60, 1)]
)
def test_a_training_loop_gets_where_it_should(function_id: str, steps: int, batches: int) -> None:
    recording = run_once(function_id)
    assert len(recording.backward_passes) == steps * batches
    losses = [one.started.roots[0].value.values[0] for one in recording.backward_passes]  # type: ignore[union-attr]
    assert losses[-1] < losses[batches - 1] / 10


WITHOUT_FORMULA = {"CopySlices", "SquareBackward"}
"""A slice that torch does not tell, and a function of the program's own."""


@every_function
def test_formulas_tick_or_are_absent(function_id: str) -> None:
    recording = run_once(function_id)
    for step, event in enumerate(recording.events, 1):
        explanation = explain(recording, step, "en")
        assert (explanation.formula is None) == (explanation.verified is None)
        if isinstance(event, NodeRan):
            name = recording.node(event.node_id).name
            is_undefined = not any(event.grad_outputs)
            assert explanation.verified or is_undefined or name in WITHOUT_FORMULA, name
            assert explanation.torch_rule or name in WITHOUT_FORMULA | {"AccumulateGrad"}

"""Every mistake through the real runner: it is made, detected and explained; its repair is clean and right."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

import explorer
from explorer.gallery import functions
from explorer.i18n import LANGUAGES, Language, catalog
from explorer.mistakes import (
    Mistake,
    MistakesInvalid,
    answer_to,
    categories,
    check_mistakes,
    mistake,
    mistakes,
    search,
)
from explorer.model import Recording
from explorer.rules import error_hint, error_topic, notice_text, notices

every_mistake = pytest.mark.parametrize("one", mistakes(), ids=lambda one: one.id)

GRADS = {
    "forgotten-zero-grad": {"w": [4]},
    "training-without-zero-grad": {"w": [5.12]},
    "summed-with-history": {"w": [5.12]},
    "grad-alias": {"x": [3, 12]},
    "same-graph-again": {"x": [1, 1]},
    "none-and-weight-decay": {"w": [0]},
    "nothing-marked": {"x": [0, 2, 4]},
    "item-in-the-loss": {"w": [4]},
    "marked-loss": {"w": [4]},
    "detached-loss": {"w": [4]},
    "loss-inside-no-grad": {"w": [4]},
    "argmax-loss": {"scores": [0.0900, 0.6652, -0.7553]},
    "detach-in-a-product": {"x": [6]},
    "no-grad-around-the-forward": {"w": [42], "b": [14]},
    "rebuilt-tensor": {"x": [5]},
    "rounded-prediction": {"w": [-16, -6]},
    "forgotten-parameter": {"w": [1, 2], "b": [1]},
    "gradient-that-never-came": {"w": [1, 2], "b": [1]},
    "backward-twice": {"x": [math.exp(k) + 2 * math.exp(2 * k) for k in (1, 2, 3)]},
    "in-place-on-a-saved-value": {"x": [math.exp(k) for k in (0, 1, 2)]},
    "in-place-sometimes-allowed": {"x": [10, 11, 11]},
    "step-between-passes": {"w": [16]},
    "update-in-place": {"w": [4]},
    "write-into-a-leaf": {"w": [0, 4, 6]},
    "one-of-several-views": {"x": [12, 16, 6, 10]},
    "view-made-in-no-grad": {"x": [2, 2, 2]},
    "data-write": {"x": [math.exp(2)]},
    "grad-of-a-result": {"x": [18, 36]},
    "leaf-replaced": {"w": [-3.2]},
    "zero-before-the-first-pass": {"w": [-4]},
    "forgotten-step": {"w": [5.12]},
    "converted-leaf": {"x": [2, 4, 6]},
    "flag-of-a-result": {"x": [3, 6]},
    "retain-grad-of-a-constant": {"x": [3, 3]},
    "integers-made": {"x": [2, 4, 6]},
    "integers-marked": {"x": [0, 2, 4]},
    "numpy-with-a-history": {"x": [2, 4, 6]},
    "vector-root": {"x": [2, 4, 6]},
    "seed-of-another-shape": {"x": [2, 4, 6]},
    "summed-over-the-batch": {"b": [1, 1, 1]},
    "column-against-row": {"w": [0]},
    "column-against-row-unsaid": {"w": [0]},
    "softmax-twice": {"scores": [-0.1332, 0.1173, 0.0159]},
    "where-and-nan": {"x": [0, 0.5, 0.25]},
    "root-at-zero": {"x": [500, 0.5, 0.25]},
    "anomaly-found": {"x": [0]},
    "hook-on-a-constant": {"w": [10, 20]},
    "accumulate-hook-on-a-result": {"x": [3, 3]},
    "one-gradient-too-few": {"a": [3], "b": [2]},
    "gradient-of-another-shape": {"x": [1, 1, 1]},
    "tensor-as-parameter": {"layer.weight": [3, 4], "layer.bias": [1]},
}
"""What the repaired programs leave in `.grad`, worked out by hand."""


@cache
def ran(code: str) -> Recording:
    ending = explorer.run(code, seed=0)
    assert isinstance(ending, explorer.Completed | explorer.Failed), ending
    return ending.recording


def signals(recording: Recording) -> set[str]:
    topic = error_topic(recording)
    return {notice.signal for notice in notices(recording)} | ({f"error.{topic}"} if topic else set())


def test_every_row_has_a_mistake() -> None:
    assert {one.row for one in mistakes()} == set(range(1, 38))


@every_mistake
def test_it_is_raised_or_detected(one: Mistake) -> None:
    recording = ran(one.wrong)
    assert one.signal in signals(recording)
    assert (recording.error is not None) == one.signal.startswith("error.")
    for language in LANGUAGES:
        assert all(notice_text(notice, language).strip() for notice in notices(recording))
        assert (error_hint(recording, language) is not None) == (recording.error is not None)


@every_mistake
def test_its_repair_is_clean(one: Mistake) -> None:
    recording = ran(one.right)
    assert recording.error is None
    assert not set(one.signals) & signals(recording)
    assert [notice.key for notice in notices(recording) if notice.severity == "warning"] == []


@pytest.mark.parametrize("mistake_id", GRADS)
def test_its_repair_gives_the_right_gradient(mistake_id: str) -> None:
    found = {name: grad.values for name, grad in ran(mistake(mistake_id).right).grads.items() if grad is not None}
    assert found.keys() == GRADS[mistake_id].keys()
    for name, expected in GRADS[mistake_id].items():
        assert found[name] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_silent_mistakes_give_other_gradients_than_their_repair() -> None:
    for one in mistakes():
        if one.is_silent:
            wrong, right = ran(one.wrong), ran(one.right)
            assert (wrong.grads, wrong.printed) != (right.grads, right.printed), one.id


@every_mistake
@pytest.mark.parametrize("language", LANGUAGES)
def test_words(one: Mistake, language: Language) -> None:
    stop = "。" if language == "zh" else "."
    assert one.happened[language].endswith(stop)
    assert one.repairs[language].endswith(stop)
    sentences = one.happened[language].count("。") if language == "zh" else one.happened[language].count(". ") + 1
    assert sentences == 2
    assert f"mistakes.category.{one.category}" in catalog(language)
    assert language == "en" or any("\u4e00" <= letter <= "\u9fff" for letter in one.happened[language])


@every_mistake
def test_its_signal_leads_to_a_mistake_with_that_signal(one: Mistake) -> None:
    answer = answer_to(one.signal)
    assert answer is not None
    assert one.signal in answer.signals
    assert answer_to("notice.nothing") is answer_to(None) is None


def test_signals_are_keys_of_sentences() -> None:
    for signal in {signal for one in mistakes() for signal in one.signals}:
        assert all(f"rules.{signal}" in catalog(language) for language in LANGUAGES)


MEANT_SO = {
    "both": {"notice.accumulated"},
    "micro-batches": {"notice.accumulated"},
    "where-nan": {"notice.nan_behind_where"},
    "detach": {"notice.constant_behind_cut"},
    "no-grad": {"notice.constant_in_no_grad"},
    "unused-leaf": {"notice.unreached"},
}


@pytest.mark.parametrize("shown", functions(), ids=lambda shown: shown.id)
def test_the_gallery_raises_no_false_alarm(shown: Any) -> None:
    assert signals(ran(shown.code)) == MEANT_SO.get(shown.id, set())


# The catalogue

WORDS = {"en": "One.", "zh": "一。"}
INDEX = {
    "mistake": [
        {
            "id": "one",
            "row": 1,
            "category": "cut",
            "culprit": "x = 1",
            "signals": ["notice.accumulated"],
            **dict.fromkeys(("title", "happened", "repair"), WORDS),
        }
    ]
}
WRONG, RIGHT = {"one": "import torch\nx = 1\n"}, {"one": "import torch\nx = 2\n"}


def test_a_small_catalogue_is_right() -> None:
    (one,) = check_mistakes(INDEX, WRONG, RIGHT)
    assert (one.id, one.culprit_lines, one.is_silent, one.is_answer) == ("one", (2,), True, True)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda index, wrong, right: wrong.clear(),
        lambda index, wrong, right: right.clear(),
        lambda index, wrong, right: wrong.update(two=wrong["one"]),
        lambda index, wrong, right: right.update(one=wrong["one"]),
        lambda index, wrong, right: wrong.update(one="import torch\nx = 1\nx = 1\n"),
        lambda index, wrong, right: wrong.update(one="import torch\ny = 1\n"),
        lambda index, wrong, right: right.update(one="import torch\nx = (\n"),
        lambda index, wrong, right: right.update(one="x = 2\n"),
        lambda index, wrong, right: index["mistake"].append(index["mistake"][0]),
        lambda index, wrong, right: index["mistake"][0].update(signals=[]),
        lambda index, wrong, right: index["mistake"][0].update(row=0),
        lambda index, wrong, right: index["mistake"][0].update(category="elsewhere"),
        lambda index, wrong, right: index["mistake"][0].update(title={"en": "One."}),
    ],
)
def test_a_wrong_catalogue_is_refused(spoil: Callable[..., Any]) -> None:
    parts = copy.deepcopy((INDEX, WRONG, RIGHT))
    spoil(*parts)
    with pytest.raises(MistakesInvalid):
        check_mistakes(*parts)


def test_search() -> None:
    assert search("", "en") == mistakes()
    assert [one.id for one in search("retain_grad() constant", "en")] == ["retain-grad-of-a-constant"]
    assert search("广播", "zh")[0].id == "summed-over-the-batch"
    assert {one.category for one in search("", "en", "numbers")} == {"numbers"}
    assert search("no such thing at all", "en") == ()
    assert sum(len(search("", "en", category)) for category in categories()) == len(mistakes())
    with pytest.raises(KeyError):
        mistake("nothing")

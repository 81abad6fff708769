"""Both languages say the same things."""

from __future__ import annotations

import string

import pytest

from explorer.i18n import LANGUAGES, catalog, text

KEYS = sorted(catalog("en").keys() | catalog("zh").keys())


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_the_languages_have_the_same_keys() -> None:
    assert catalog("en").keys() == catalog("zh").keys()


@pytest.mark.parametrize("key", KEYS)
def test_both_say_something_with_the_same_placeholders(key: str) -> None:
    english, chinese = (catalog(language)[key] for language in LANGUAGES)
    assert english.strip()
    assert chinese.strip()
    assert placeholders(english) == placeholders(chinese)


def test_a_sentence_is_filled_in() -> None:
    assert "format 7" in text("model.other_schema", "en", found=7, known=1)


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        text("model.no_such_key", "en")

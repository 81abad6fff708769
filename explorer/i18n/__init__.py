"""Every sentence a user reads, in English and Simplified Chinese.

One TOML file per part and language: the key `player.next` is `next` in `en/player.toml` and `zh/player.toml`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LANGUAGE_TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
"""What HTML calls them: by it a screen reader picks its voice, and a browser its Chinese characters."""


@cache
def catalog(language: Language) -> dict[str, str]:
    """All sentences of a language by key."""
    folder = resources.files(__name__) / language
    sentences: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            sentences |= _flat(tomllib.loads(file.read_text("utf-8")), file.name.removesuffix(".toml"))
    return sentences


def text(key: str, language: Language, /, **values: object) -> str:
    """The sentence for a key, its `{placeholders}` filled in.

    Raises:
        KeyError: No such key, or a placeholder without a value.
    """
    return catalog(language)[key].format(**values)


def _flat(table: dict[str, Any], prefix: str) -> dict[str, str]:
    sentences: dict[str, str] = {}
    for name, value in table.items():
        key = f"{prefix}.{name}"
        sentences |= _flat(value, key) if isinstance(value, dict) else {key: value}
    return sentences

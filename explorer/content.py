"""What the gallery and the mistakes are made of: programs, words in every language, and a search through both."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from importlib.resources.abc import Traversable
from typing import TypeVar

from explorer.i18n import LANGUAGES
from explorer.model.syntax import parsed

Shown = TypeVar("Shown")


def programs_in(folder: Traversable) -> dict[str, str]:
    """The texts of a folder's programs by their ids; what Python keeps beside them is none."""
    files = [file for file in folder.iterdir() if file.name.endswith(".py")]
    return {file.name.removesuffix(".py"): file.read_text("utf-8") for file in files}


def is_said(words: Mapping[str, str]) -> bool:
    """Whether words by language leave none out."""
    return set(words) == set(LANGUAGES) and all(word.strip() for word in words.values())


def flaw(code: str) -> str | None:
    """Why a text is no program that can be shown; None if it is one."""
    if not code.startswith("import torch\n"):
        return "does not start with import torch"
    try:
        parsed(code)
    except SyntaxError as error:
        return f"does not parse: {error}"
    return None


def searched(
    query: str, shown: Iterable[Shown], title: Callable[[Shown], str], all_of: Callable[[Shown], str]
) -> tuple[Shown, ...]:
    """Those that hold every word of a query; first those whose titles do.

    Args:
        query: Words in any case; "" finds everything.
        shown: What is searched.
        title: What a user reads of each.
        all_of: What is searched of each, as `folded` gives it.
    """
    words = folded(query).split()
    found = [one for one in shown if _holds(all_of(one), words)]
    return tuple(sorted(found, key=lambda one: not _holds(folded(title(one)), words)))


def folded(words: str) -> str:
    """Words as they are compared: small letters, full-width signs as narrow ones."""
    return unicodedata.normalize("NFKC", words).casefold()


def _holds(text: str, words: Iterable[str]) -> bool:
    return all(word in text for word in words)

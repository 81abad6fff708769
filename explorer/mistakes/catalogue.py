"""The mistakes: a program that makes one, the same program repaired, and two sentences on what happened."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec

from explorer.content import flaw, folded, is_said, programs_in, searched
from explorer.errors import ExplorerError
from explorer.i18n import LANGUAGES, Language, catalog, text
from explorer.model.values import Frozen


class MistakesInvalid(ExplorerError):
    """The content about mistakes contradicts itself; the values say where."""


class Mistake(Frozen, frozen=True, kw_only=True):
    """One mistake.

    Args:
        id: Short name, as links have it: "data-write".
        row: Which confusion it belongs to, from 1; several mistakes may show one.
        category: Key of its category: "in-place".
        culprit: The piece of the wrong program that does it.
        signals: What the error, the warning or the notice is about; the first is what the wrong program gives.
        is_answer: Whether others' programs with that signal are led here.
        titles, happened, repairs: Its title, two sentences on what happened, one on the repair, by language.
        wrong, right: The two programs.
    """

    id: str
    row: int
    category: str
    culprit: str
    signals: tuple[str, ...]
    is_answer: bool
    titles: dict[str, str]
    happened: dict[str, str]
    repairs: dict[str, str]
    wrong: str
    right: str

    @property
    def signal(self) -> str:
        """What the wrong program gives: "error.second_time"."""
        return self.signals[0]

    @property
    def is_silent(self) -> bool:
        """Whether torch says nothing about it, neither by an error nor by a warning."""
        return self.signal.startswith("notice.")

    @property
    def culprit_lines(self) -> tuple[int, ...]:
        """The lines of the wrong program that the culprit stands on, from 1."""
        first = self.wrong[: self.wrong.index(self.culprit)].count("\n") + 1
        return tuple(range(first, first + self.culprit.count("\n") + 1))


class _Entry(Frozen, frozen=True, kw_only=True):
    id: str
    row: Annotated[int, msgspec.Meta(ge=1)]
    category: str
    culprit: str
    signals: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    is_answer: bool = True
    title: dict[str, str]
    happened: dict[str, str]
    repair: dict[str, str]


class _Index(Frozen, frozen=True, kw_only=True):
    mistake: tuple[_Entry, ...]


@cache
def mistakes() -> tuple[Mistake, ...]:
    """All mistakes, in the order the page shows them.

    Raises:
        MistakesInvalid: See `check_mistakes`.
    """
    folder = resources.files(__package__)
    index = tomllib.loads(folder.joinpath("index.toml").read_text("utf-8"))
    wrong, right = (programs_in(folder.joinpath("programs", kind)) for kind in ("wrong", "right"))
    return check_mistakes(index, wrong, right)


@cache
def _by_id() -> dict[str, Mistake]:
    return {one.id: one for one in mistakes()}


@cache
def _by_signal() -> dict[str, Mistake]:
    found: dict[str, Mistake] = {}
    for one in mistakes():
        for signal in one.signals if one.is_answer else ():
            found.setdefault(signal, one)
    return found


def mistake(mistake_id: str) -> Mistake:
    """The mistake with that id; KeyError if there is none."""
    return _by_id()[mistake_id]


def answer_to(signal: str | None) -> Mistake | None:
    """The mistake that explains an error, a warning or a notice: "error.second_time"; None if there is none."""
    return None if signal is None else _by_signal().get(signal)


def categories() -> tuple[str, ...]:
    """The categories' keys, in order; `mistakes.category.<key>` is what a user reads."""
    return tuple(dict.fromkeys(one.category for one in mistakes()))


def search(query: str, language: Language, category: str | None = None) -> tuple[Mistake, ...]:
    """Mistakes whose words or programs, in any language, hold every word of the query.

    Args:
        query: Words in any case; "" finds everything.
        language: Mistakes whose title in this language matches come first.
        category: Only mistakes of this category; None for all.
    """
    of_category = [one for one in mistakes() if category in (None, one.category)]
    return searched(query, of_category, lambda one: one.titles[language], lambda one: _all_of(one.id))


def check_mistakes(index: dict[str, object], wrong: dict[str, str], right: dict[str, str]) -> tuple[Mistake, ...]:
    """The mistakes that an index and program texts (by id) make.

    Raises:
        MistakesInvalid: An entry is malformed, stands twice, lacks a program or a language, or has a category without a
            name; a program has no entry, does not parse, does not start with `import torch`, or is its own repair; a
            culprit is not found, or more than once.
    """
    try:
        entries = msgspec.convert(index, _Index).mistake
    except msgspec.ValidationError as error:
        raise MistakesInvalid("mistakes.invalid", id="index", problem=str(error)) from error
    ids = [entry.id for entry in entries]
    for one in {*ids, *wrong, *right}:
        if ids.count(one) != 1 or one not in wrong or one not in right:
            raise MistakesInvalid("mistakes.invalid", id=one, problem="needs exactly one entry and two programs")
    for entry in entries:
        if (problem := _problem(entry, wrong[entry.id], right[entry.id])) is not None:
            raise MistakesInvalid("mistakes.invalid", id=entry.id, problem=problem)
    return tuple(_made(entry, wrong[entry.id], right[entry.id]) for entry in entries)


def _made(entry: _Entry, wrong: str, right: str) -> Mistake:
    return Mistake(
        id=entry.id,
        row=entry.row,
        category=entry.category,
        culprit=entry.culprit,
        signals=entry.signals,
        is_answer=entry.is_answer,
        titles=entry.title,
        happened=entry.happened,
        repairs=entry.repair,
        wrong=wrong,
        right=right,
    )


def _problem(entry: _Entry, wrong: str, right: str) -> str | None:
    if not all(map(is_said, (entry.title, entry.happened, entry.repair))):
        return "needs title, happened and repair in every language"
    if f"mistakes.category.{entry.category}" not in catalog("en"):
        return f"category {entry.category} has no name"
    if wrong.count(entry.culprit) != 1:
        return "the culprit must stand in the wrong program once"
    if wrong == right:
        return "is its own repair"
    return flaw(wrong) or flaw(right)


@cache
def _all_of(mistake_id: str) -> str:
    one = mistake(mistake_id)
    names = [text(f"mistakes.category.{one.category}", language) for language in LANGUAGES]
    words = [*one.titles.values(), *one.happened.values(), *one.repairs.values()]
    return folded("\n".join([one.id, *words, *names, one.wrong, one.right]))

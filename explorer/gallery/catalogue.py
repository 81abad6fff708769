"""The gallery's functions: plain PyTorch programs with a title and a sentence on what to notice."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from importlib import resources

import msgspec

from explorer.content import flaw, folded, is_said, programs_in, searched
from explorer.errors import ExplorerError
from explorer.i18n import LANGUAGES, Language, catalog, text
from explorer.model.syntax import parsed
from explorer.model.values import Frozen


class GalleryInvalid(ExplorerError):
    """The gallery's own content contradicts itself; the values say where."""


class GalleryFunction(Frozen, frozen=True, kw_only=True):
    """One function.

    Args:
        id: Short name, as links have it: "two-dot".
        category: Key of its category: "tutorial".
        titles: Title by language.
        notices: One sentence on what to notice, by language.
        code: The program.
    """

    id: str
    category: str
    titles: dict[str, str]
    notices: dict[str, str]
    code: str

    @property
    def is_loop(self) -> bool:
        """Whether its backward passes run in a loop, which toggles leave alone."""
        return not any(_starts_pass(statement) for statement in parsed(self.code).body)

    def title(self, language: Language) -> str:
        """Its title in a language."""
        return self.titles[language]

    def notice(self, language: Language) -> str:
        """What to notice, in a language."""
        return self.notices[language]


class _Entry(Frozen, frozen=True, kw_only=True):
    id: str
    category: str
    title: dict[str, str]
    notice: dict[str, str]


class _Index(Frozen, frozen=True, kw_only=True):
    function: tuple[_Entry, ...]


@cache
def functions() -> tuple[GalleryFunction, ...]:
    """All functions, in the order the page shows them; the first is the one the page opens with.

    Raises:
        GalleryInvalid: See `check_gallery`.
    """
    folder = resources.files(__package__)
    index = tomllib.loads(folder.joinpath("index.toml").read_text("utf-8"))
    return check_gallery(index, programs_in(folder.joinpath("programs")))


@cache
def _by_id() -> dict[str, GalleryFunction]:
    return {found.id: found for found in functions()}


def function(function_id: str) -> GalleryFunction:
    """The function with that id; KeyError if there is none."""
    return _by_id()[function_id]


def categories() -> tuple[str, ...]:
    """The categories' keys, in order; `gallery.category.<key>` is what a user reads."""
    return tuple(dict.fromkeys(found.category for found in functions()))


def search(query: str, language: Language, category: str | None = None) -> tuple[GalleryFunction, ...]:
    """Functions whose titles, sentences, category or code, in any language, hold every word of the query.

    Args:
        query: Words in any case; "" finds everything.
        language: Functions whose title in this language matches come first.
        category: Only functions of this category; None for all.
    """
    of_category = [one for one in functions() if category in (None, one.category)]
    return searched(query, of_category, lambda one: one.title(language), lambda one: _all_of(one.id))


def check_gallery(index: dict[str, object], programs: dict[str, str]) -> tuple[GalleryFunction, ...]:
    """The functions that an index and program texts (by id) make.

    Raises:
        GalleryInvalid: An entry is malformed, stands twice, has no program, lacks a language or has a category without
            a name; a program has no entry, does not parse, does not start with `import torch`, or starts no backward
            pass.
    """
    try:
        entries = msgspec.convert(index, _Index).function
    except msgspec.ValidationError as error:
        raise GalleryInvalid("gallery.invalid", id="index", problem=str(error)) from error
    ids = [entry.id for entry in entries]
    for function_id in {*ids, *programs}:
        if ids.count(function_id) != 1 or function_id not in programs:
            raise GalleryInvalid("gallery.invalid", id=function_id, problem="needs exactly one entry and one program")
    for entry in entries:
        if (problem := _problem(entry, programs[entry.id])) is not None:
            raise GalleryInvalid("gallery.invalid", id=entry.id, problem=problem)
    return tuple(
        GalleryFunction(
            id=entry.id, category=entry.category, titles=entry.title, notices=entry.notice, code=programs[entry.id]
        )
        for entry in entries
    )


def _problem(entry: _Entry, code: str) -> str | None:
    if not (is_said(entry.title) and is_said(entry.notice)):
        return "needs a title and a notice in every language"
    if f"gallery.category.{entry.category}" not in catalog("en"):
        return f"category {entry.category} has no name"
    if (found := flaw(code)) is not None:
        return found
    return None if any(map(_starts_pass, ast.walk(parsed(code)))) else "starts no backward pass"


def _starts_pass(statement: ast.AST) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "backward"


@cache
def _all_of(function_id: str) -> str:
    found = function(function_id)
    names = [text(f"gallery.category.{found.category}", language) for language in LANGUAGES]
    return folded("\n".join([found.id, *found.titles.values(), *found.notices.values(), *names, found.code]))

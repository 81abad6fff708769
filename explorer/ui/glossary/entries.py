"""The words of autograd, explained in a few lines each, and the names that torch gave the nodes of a recording."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from explorer.i18n import Language, catalog, text
from explorer.model import Node, Operation, Recording

PREFIX = "glossary."
FIELDS = ("name", "match", "text")
"""What it is called, by which words it is found in running text, and what it is."""

REST_OF_NAME = re.compile(r"\W.*", re.DOTALL)
"""What follows the variable in "leaf.weight" or "leaves[0]"."""

Entry = dict[str, str]


def glossary(language: Language) -> list[Entry]:
    """Every entry, with its key and its line of code, in the order of the file."""
    words = catalog(language)
    keys = [
        key.removeprefix(PREFIX).removesuffix(".name")
        for key in words
        if key.startswith(PREFIX) and key.endswith(".name")
    ]
    return [
        {"key": key, "code": examples().get(key, "")} | {field: words[f"{PREFIX}{key}.{field}"] for field in FIELDS}
        for key in keys
    ]


def glossary_of(recording: Recording, language: Language) -> list[Entry]:
    """The entries of `glossary_beside`, and one for the name of each kind of node that a recording has."""
    known = glossary_beside(recording, language)
    explained = {word for entry in known for word in entry["match"].split("|")}
    nodes = {node.name: node for node in recording.nodes if node.name not in explained}
    return [*known, *(_node_name(recording, node, language) for node in nodes.values())]


def glossary_beside(recording: Recording, language: Language) -> list[Entry]:
    """Every entry; a word that the program gave to a tensor, `leaf` or `seed`, is that tensor's name and finds none."""
    made = (event.variable for event in recording.events if isinstance(event, Operation))
    named = {*(leaf.name for leaf in recording.leaves), *(node.variable for node in recording.nodes), *made}
    names = {REST_OF_NAME.sub("", name) for name in named if name}
    return [
        entry | {"match": "|".join(word for word in entry["match"].split("|") if word not in names)}
        for entry in glossary(language)
    ]


def terms_of(node: Node | None) -> list[str]:
    """The entries that belong to what is being looked at."""
    if node is None:
        return ["requires_grad", "leaf"]
    if node.kind == "accumulate":
        return ["leaf", "accumulate_grad", "accumulates", "fan_out"]
    first = ["custom"] if node.kind == "custom" else ["name_zero"] if node.name[-1:].isdigit() else []
    higher = ["create_graph"] if node.order > 1 else []
    return ["grad_fn", *first, "vjp", *higher]


@cache
def examples() -> dict[str, str]:
    """A line of code, and what torch answers, for entries that one helps; the same in every language."""
    return tomllib.loads(resources.files(__package__).joinpath("examples.toml").read_text("utf-8"))


def _node_name(recording: Recording, node: Node, language: Language) -> Entry:
    """Why a node is called what it is called, with the formula that torch generated it from."""
    rule = recording.torch_rules.get(node.name)
    if rule is not None:
        operation = rule.operation.partition("(")[0]
        said = text(f"{PREFIX}node_name.generated", language, operation=operation)
    else:
        kind = "custom" if node.kind == "custom" else "numbered" if node.name[-1:].isdigit() else "plain"
        said = text(f"{PREFIX}node_name.{kind}", language)
    formulas = rule.derivatives if rule is not None else ()
    code = "\n".join(f"{arguments}: {formula}" for arguments, formula in formulas)
    return {"key": node.name, "code": code, "name": node.name, "match": node.name, "text": said}

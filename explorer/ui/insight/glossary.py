"""The words of autograd, explained in a few lines each."""

from __future__ import annotations

from explorer.i18n import Language, catalog
from explorer.model import Node

PREFIX = "glossary."
FIELDS = ("name", "match", "text")
"""What it is called, by which words it is found in running text, and what it is."""


def glossary(language: Language) -> list[dict[str, str]]:
    """Every entry, with its key, in the order of the file."""
    words = catalog(language)
    keys = [
        key.removeprefix(PREFIX).removesuffix(".name")
        for key in words
        if key.startswith(PREFIX) and key.endswith(".name")
    ]
    return [{"key": key} | {field: words[f"{PREFIX}{key}.{field}"] for field in FIELDS} for key in keys]


def terms_of(node: Node | None) -> list[str]:
    """The entries that belong to what is being looked at."""
    if node is None:
        return ["requires_grad", "leaf"]
    if node.kind == "accumulate":
        return ["leaf", "accumulate_grad", "accumulates", "fan_out"]
    first = ["custom"] if node.kind == "custom" else ["name_zero"] if node.name[-1:].isdigit() else []
    higher = ["create_graph"] if node.order > 1 else []
    return ["grad_fn", *first, "vjp", *higher]

"""The words of autograd, explained in a few lines each."""

from __future__ import annotations

from explorer.i18n import Language, catalog
from explorer.model import Node

PREFIX = "glossary."


def glossary(language: Language) -> list[dict[str, str]]:
    """Every entry: key, name and text, in the order of the file."""
    words = catalog(language)
    keys = [key.removeprefix(PREFIX).removesuffix(".name") for key in words if key.startswith(PREFIX)]
    return [
        {"key": key, "name": words[f"{PREFIX}{key}.name"], "text": words[f"{PREFIX}{key}.text"]}
        for key in dict.fromkeys(key for key in keys if not key.endswith(".text"))
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

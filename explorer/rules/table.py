"""The rules: what a backward node of torch computes, one row per kind of node, read from `rows/*.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from explorer.model.values import Frozen

FORWARD, WHERE, FOR = "forward", "where", "for"
"""Keys of a row that are no arguments."""
LISTED = "[]"
"""Marks an argument that is a list of tensors: one slot for each of them."""


class Rule(Frozen, frozen=True, kw_only=True):
    """What one kind of backward node computes.

    Args:
        node: torch's name for it: "MulBackward0".
        forward: The operation itself, an expression in its arguments; None where it says no more than the name.
        vjps: (argument, expression) for every tensor the operation differentiates by, in the order of the slots.
            In an expression stand `g`, the gradient that came in (`g0`, `g1`, … where an operation has several
            results); the names of what the node saved; `shape`, the shape of that slot's input; for an argument that
            is a list also `slot`, its position in it, and `shapes`, the shapes of all slots' inputs; and the names that
            the rule defines.
        condition: Where the row applies, an expression in what the node saved; None where it always does.
        definitions: Names for parts of the expressions that occur again and again, and what they stand for.
    """

    node: str
    forward: str | None = None
    vjps: tuple[tuple[str, str], ...]
    condition: str | None = None
    definitions: dict[str, str] = msgspec.field(default_factory=dict)

    def vjp(self, slot: int) -> tuple[str, str] | None:
        """(argument, expression) for a slot; None where the operation has none there."""
        if self.vjps and self.vjps[-1][0].endswith(LISTED) and slot >= len(self.vjps) - 1:
            return self.vjps[-1]
        return self.vjps[slot] if slot < len(self.vjps) else None


@cache
def rules() -> dict[str, Rule]:
    """Every rule, by the node's name."""
    folder = resources.files(__package__) / "rows"
    found: dict[str, Rule] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            for nodes, row in tomllib.loads(file.read_text("utf-8")).items():
                found |= {node: _rule(node, dict(row)) for node in nodes.split()}
    return found


def rule(node: str) -> Rule | None:
    """The rule for a kind of node, where there is one; the copying twin of a view has the view's."""
    return rules().get(node.removesuffix("_copy"))


def _rule(node: str, row: dict[str, Any]) -> Rule:
    forward, condition, definitions = row.pop(FORWARD, None), row.pop(FOR, None), row.pop(WHERE, {})
    return Rule(node=node, forward=forward, vjps=tuple(row.items()), condition=condition, definitions=definitions)

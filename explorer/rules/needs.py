"""What a node keeps from the forward pass because its backward will need it, in words."""

from __future__ import annotations

from typing import NamedTuple

from explorer.model import Node, SavedTensor
from explorer.model.text import shape_text
from explorer.rules.expression import names_used
from explorer.rules.story import Story
from explorer.rules.table import Rule, rule

MOST_KEPT = 3
"""More than that are counted, not named."""
NEUTRAL = {"alpha": 1, "beta": 1}
"""Factors that are kept also where they change nothing."""
TELLING = {"exponent", "other", "value"}
"""Numbers that are said beside the tensors; dimensions, strides and the like are not."""
SIZES = "sizes"


class Needs(NamedTuple):
    """What a node keeps.

    Args:
        phrases: A name, a number or a short description for each thing.
        complete: Whether that is all.
    """

    phrases: tuple[str, ...]
    complete: bool


def needs(story: Story, node: Node) -> Needs:
    """The tensors and numbers that a node's backward will use, each once; only their number where there are many."""
    row = rule(node.name)
    used = _used(row)
    order = {name: place for place, name in enumerate(used)}
    kept = sorted(node.saved, key=lambda saved: order.get(saved.name, len(order)))
    tensors = [_tensor(story, node, saved) for saved in kept if saved.value is not None]
    plain = [saved for saved in kept if saved.value is None and (row is None or _is_used(saved, used))]
    said = [saved for saved in plain if row and _says_something(saved) and (not tensors or saved.name in TELLING)]
    phrases = tuple(dict.fromkeys(tensors + [_plain(story, saved) for saved in said]))
    if len(phrases) > MOST_KEPT:
        phrases = (story.say("phrase.several_kept", count=story.count(len(phrases))),)
    return Needs(phrases, complete=len(said) == len(plain) and not node.packed)


def _used(row: Rule | None) -> tuple[str, ...]:
    """The arguments of an operation, then the other names that stand in its rule."""
    if row is None:
        return ()
    expressions = (*dict(row.vjps).values(), *row.definitions.values())
    names = [name for expression in expressions for name in names_used(expression)]
    return tuple(dict.fromkeys([*dict(row.vjps), *names]))


def _is_used(saved: SavedTensor, used: tuple[str, ...]) -> bool:
    """Whether a rule uses it and it is not a factor that changes nothing, or a count that a shape says already."""
    return saved.name in used and not (
        ("_sym_" in saved.name and not saved.name.endswith(SIZES))
        or (saved.name in NEUTRAL and NEUTRAL[saved.name] == saved.plain)
    )


def _says_something(saved: SavedTensor) -> bool:
    return isinstance(saved.plain, int | float | tuple) and not isinstance(saved.plain, bool)


def _plain(story: Story, saved: SavedTensor) -> str:
    if isinstance(saved.plain, tuple) and saved.name.endswith(SIZES):
        return story.say("phrase.shape", shape=shape_text([size for size in saved.plain if isinstance(size, int)]))
    return story.say("phrase.plain_number", name=saved.name, number=saved.plain)


def _tensor(story: Story, node: Node, saved: SavedTensor) -> str:
    assert saved.value is not None
    if saved.node_id == node.id:
        return story.say("phrase.own_result")
    if saved.leaf_id is not None:
        return story.leaf(saved.leaf_id)
    if saved.node_id is not None:
        return story.result(saved.node_id, saved.output_nr)
    if not saved.value.shape:
        return story.say("phrase.number", number=story.tensor(saved.value).removesuffix("."))
    return story.say("phrase.tensor_of_shape", shape=shape_text(saved.value.shape))

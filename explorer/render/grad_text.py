"""What stands in a leaf's `.grad` line: the same words in every language."""

from __future__ import annotations

from explorer.model import Accumulated, Recording, TensorValue, grad_change
from explorer.model.text import short_text

NONE = "None"
ABBREVIATED = "[…]"
SUMMAND_CHARACTERS = 18
"""A longer text inside `old + incoming = new` is abbreviated."""


def value_text(value: TensorValue | None) -> str:
    """A tensor's short text; torch's None where there is none."""
    return NONE if value is None else short_text(value)


def sum_text(event: Accumulated) -> str:
    """ "old + incoming = new"; what is too long for that as "[…]", the new value alone in its usual short form."""
    before, incoming = (_summand(value) for value in (event.before, event.incoming))
    after = short_text(event.after)
    if ABBREVIATED not in (before, incoming) and len(after) > SUMMAND_CHARACTERS + 6:
        after = ABBREVIATED
    return f"{before} + {incoming} = {after}"


def _summand(value: TensorValue | None) -> str:
    text = value_text(value)
    return text if len(text) <= SUMMAND_CHARACTERS and not text.startswith("(") else ABBREVIATED


def grad_texts(recording: Recording) -> dict[str, list[tuple[int, str]]]:
    """What each leaf's `.grad` line says, by leaf id."""
    texts: dict[str, list[tuple[int, str]]] = {}
    for step, event in enumerate(recording.events, 1):
        if (change := grad_change(event)) is None:
            continue
        leaf_id, before, after = change
        line = texts.setdefault(leaf_id, [(0, value_text(before))])
        if isinstance(event, Accumulated):
            line += [(step, sum_text(event)), (step + 1, value_text(after))]
        else:
            line.append((step, value_text(after)))
    return texts

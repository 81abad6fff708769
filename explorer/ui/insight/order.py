"""The engine's ready queue in words and chips."""

from __future__ import annotations

from explorer.i18n import Language, text
from explorer.model import Recording
from explorer.rules.ready_queue import Queue, queue_at
from explorer.ui.insight.grids import Shown

MOST_CHIPS = 12


def order(recording: Recording, step: int, language: Language) -> Shown:
    """What is ready, what waits for how many gradients, and why the next one comes next."""
    queue = queue_at(recording, step)
    if queue is None:
        inside = any(one.first <= step < one.last for one in recording.backward_passes)
        return {"ready": [], "waiting": [], "said": text(f"insight.queue_{'unknown' if inside else 'none'}", language)}
    return {
        "ready": [_chip(recording, node_id, language) for node_id in queue.ready[:MOST_CHIPS]],
        "waiting": [
            {**_chip(recording, node_id, language), "remaining": text("insight.remaining", language, count=count)}
            for node_id, count in queue.waiting[:MOST_CHIPS]
        ],
        "said": _why(recording, queue, language),
    }


def _chip(recording: Recording, node_id: str, language: Language) -> Shown:
    node = recording.node(node_id)
    if node.kind == "accumulate":
        return {"name": node.name, "variable": node.variable or "", "number": text("insight.highest", language)}
    return {
        "name": node.name,
        "variable": node.variable or "",
        "number": text("insight.number", language, number=node.sequence_nr),
    }


def _why(recording: Recording, queue: Queue, language: Language) -> str:
    if not queue.ready:
        return text("insight.queue_empty", language)
    first = recording.node(queue.ready[0])
    if first.kind == "accumulate":
        return text("insight.next_accumulate", language, leaf=first.variable or "")
    if len(queue.ready) == 1:
        return text("insight.next_only", language, node=first.name)
    return text("insight.next_highest", language, node=first.name, number=first.sequence_nr)

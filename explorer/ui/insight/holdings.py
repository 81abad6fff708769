"""What a node saved, and the memory that the graph holds."""

from __future__ import annotations

from explorer.i18n import Language, text
from explorer.model import Leaf, Node, Recording
from explorer.model.text import shape_text, short_text
from explorer.render.memory import Box, Held, bars, boxes, bytes_text, held, largest, second_pass
from explorer.ui.insight.grids import Shown
from explorer.ui.insight.symbols import origin_of

MOST_BOXES = 12


def holdings(recording: Recording, node: Node | None, leaf: Leaf | None, step: int, language: Language) -> Shown:
    """Boxes of the tensors that a node saved, or in which a leaf was saved, and the bar of memory."""
    found = boxes(recording, node, step) if node is not None and leaf is None else ()
    status = ""
    if leaf is not None:
        status = _saved_by(recording, leaf, language)
    elif node is not None:
        status = text(f"insight.second_pass_{second_pass(recording, node, step)}", language)
    settings = [f"{kept.name} = {kept.text}" for kept in node.saved if kept.value is None and kept.text] if node else []
    return {
        "boxes": [_box(recording, box, language) for box in found[:MOST_BOXES]],
        "more": text("insight.more", language, count=len(found) - MOST_BOXES) if len(found) > MOST_BOXES else "",
        "status": status,
        "settings": settings,
        "memory": memory(recording, step, language),
    }


def memory(recording: Recording, step: int, language: Language) -> Shown:
    """Bytes held at each step, as the steps at which they change: [step, of leaves, of results]."""
    at_steps = held(recording)
    now, peak = at_steps[min(step, len(at_steps) - 1)], largest(at_steps)
    return {
        "changes": [[at, one.leaf_bytes, one.result_bytes] for at, one in bars(recording)],
        "steps": len(recording.events),
        "step": step,
        "most": peak.total_bytes,
        "text": _memory_text(now, peak, language),
    }


def _memory_text(now: Held, peak: Held, language: Language) -> str:
    if not peak.total_bytes:
        return text("insight.memory_none", language)
    return text(
        "insight.memory",
        language,
        now=bytes_text(now.total_bytes),
        leaves=bytes_text(now.leaf_bytes),
        peak=bytes_text(peak.total_bytes),
    )


def _box(recording: Recording, box: Box, language: Language) -> Shown:
    saved, value = box.saved, box.saved.value
    assert value is not None
    origin = origin_of(recording, saved)
    return {
        "name": saved.name,
        "origin": origin or "",
        "state": box.state,
        "shape": shape_text(value.shape),
        "dtype": value.dtype,
        "bytes": bytes_text(saved.storage_bytes) if saved.storage is not None else "",
        "text": short_text(value),
        "version": _version_text(box, language),
        "freed": text("insight.freed_at", language, step=box.freed_at) if box.freed_at is not None else "",
    }


def _version_text(box: Box, language: Language) -> str:
    if box.saved.version is None:
        return ""
    return text("insight.version", language, saved=box.saved.version, now=box.version_now)


def _saved_by(recording: Recording, leaf: Leaf, language: Language) -> str:
    by = [node for node in recording.nodes if any(saved.leaf_id == leaf.id for saved in node.saved)]
    if not by:
        return text("insight.saved_by_none", language, leaf=leaf.name)
    names = ", ".join(dict.fromkeys(node.name for node in by))
    return text("insight.saved_by", language, leaf=leaf.name, nodes=names)

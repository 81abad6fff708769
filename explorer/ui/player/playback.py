"""What the player plays, ready for JSON."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Container, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from explorer.i18n import LANGUAGE_TAGS, Language, catalog, text
from explorer.model import (
    Accumulated,
    BackwardEnded,
    BackwardStarted,
    Event,
    GradCleared,
    Modified,
    NodeRan,
    Operation,
    Printed,
    Raised,
    Recording,
    Span,
)
from explorer.model.derived import derived
from explorer.render.leaf_values import box_of, value_line_texts
from explorer.render.ledger import Cell, Clearing, Column, Ledger, ledger
from explorer.render.legend import legend
from explorer.render.memory import bars, bytes_text, largest
from explorer.render.options import GraphOptions
from explorer.render.tracks import tracks
from explorer.rules.sentences import sentences
from explorer.ui.glossary.entries import glossary_of

_PREFIX = "player."

GROUP_ID = re.compile(r'<g id="([^"]+)"')
"""Ids as Graphviz writes them."""


class Playback(NamedTuple):
    """What a player plays: strings, integers, None, lists and dictionaries of them.

    Args:
        run: What is the same in every picture of a run, as JSON; it is sent once.
        picture: What belongs to one picture, with the `id` and the `language` of the run that it is of.
    """

    run: bytes
    picture: dict[str, Any]


def playback(
    recording: Recording,
    svg: str,
    language: Language,
    *,
    options: GraphOptions | None = None,
    initial_step: int = 0,
    notice: str | None = None,
) -> Playback:
    """Puts together what the player's module reads.

    Args:
        recording: What happened.
        svg: Its graph as Graphviz drew it, groups with ids.
        language: Of all words.
        options: How the graph was drawn.
        initial_step: Where the player starts, from 0 to the number of events.
        notice: A sentence above the graph.
    """
    options = options or GraphOptions()
    picture = {
        "id": run_id(recording),
        "language": LANGUAGE_TAGS[language],
        "svg": svg,
        "arrows": options.arrows,
        "tracks": _tracks(recording, drawn_in(svg) - _leaf_boxes(recording)),
        "values": value_line_texts(recording, options),
        "legend": [{"sign": entry.sign, "text": text(entry.key, language)} for entry in legend(recording, options)],
        "initial_step": max(0, min(initial_step, len(recording.events))),
        "notice": notice,
    }
    return Playback(_run(recording, language), picture)


@derived
def _run(recording: Recording, language: Language) -> bytes:
    start_sentence, *told = sentences(recording, language)
    run = {
        "id": run_id(recording),
        "language": LANGUAGE_TAGS[language],
        "source": recording.source or "",
        "steps": _steps(recording, told),
        "rounds": [one.first for one in recording.rounds],
        "tracks": _tracks(recording, _leaf_boxes(recording)),
        "start_sentence": start_sentence,
        "ledger": _ledger(recording, ledger(recording)),
        "memory": _memory(recording),
        "words": words(language),
        "glossary": glossary_of(recording, language),
    }
    return msgspec.json.encode(run)


def drawn_in(svg: str) -> set[str]:
    """The ids of what a picture shows."""
    return set(map(html.unescape, GROUP_ID.findall(svg)))


def words(language: Language) -> dict[str, str]:
    """The player's own labels; the browser fills in their placeholders."""
    return {key.removeprefix(_PREFIX): text for key, text in catalog(language).items() if key.startswith(_PREFIX)}


def passes_of(events: Sequence[Event]) -> list[int | None]:
    """For each event the backward pass it belongs to, from 0; None for those of the forward pass."""
    passes: list[int | None] = []
    open_passes: list[int] = []
    for event in events:
        if isinstance(event, BackwardStarted):
            open_passes.append(event.backward_pass)
        passes.append(open_passes[-1] if open_passes else None)
        if isinstance(event, BackwardEnded) and open_passes:
            open_passes.pop()
    return passes


def target_of(recording: Recording, event: Event) -> str | None:
    """The id of the picture's part that an event is about; None if it is about none."""
    match event:
        case Operation(node_ids=(*_, node_id)) | Modified(node_ids=(*_, node_id)):
            return node_id
        case Operation(cut_id=str(cut_id)):
            return cut_id
        case BackwardStarted():
            return next((root.node_id for root in event.roots if root.node_id), None)
        case NodeRan() | Raised():
            return event.node_id
        case BackwardEnded(failed_node=str(node_id)):
            return node_id
        case Operation(leaf_id=str(leaf_id)) | Modified(leaf_id=str(leaf_id)):
            return recording.leaf(leaf_id).node_id or leaf_id
        case Accumulated(leaf_id=leaf_id) | GradCleared(leaf_id=leaf_id):
            return recording.leaf(leaf_id).node_id or leaf_id
    return None


def _leaf_boxes(recording: Recording) -> set[str]:
    """The boxes that every picture shows, and whose tracks are as long as the run."""
    return {box_of(leaf) for leaf in recording.leaves}


def _tracks(recording: Recording, drawn: Container[str]) -> dict[str, list[list[object]]]:
    """Those of what is drawn: of a large graph that is a part."""
    found = tracks(recording)
    return {part: [[frame.step, frame.state, frame.text] for frame in found[part]] for part in found if part in drawn}


def _steps(recording: Recording, sentences: Sequence[str]) -> list[dict[str, object]]:
    return [
        {"sentence": sentence, **_step(recording, event), **_phase(backward_pass)}
        for event, sentence, backward_pass in zip(recording.events, sentences, passes_of(recording.events), strict=True)
    ]


def _step(recording: Recording, event: Event) -> dict[str, object]:
    return {
        "span": _corners(event.span),
        "target": target_of(recording, event),
        "kind": type(event).__name__,
        "printed": event.text if isinstance(event, Printed) else None,
    }


def _phase(backward_pass: int | None) -> dict[str, object]:
    phase: Literal["forward", "backward"] = "forward" if backward_pass is None else "backward"
    return {"phase": phase, "pass": None if backward_pass is None else backward_pass + 1}


def _corners(span: Span | None) -> list[int] | None:
    return None if span is None else [span.line, span.column, span.end_line, span.end_column]


def _memory(recording: Recording) -> dict[str, object]:
    found = bars(recording)
    changes = [[at, one.leaf_bytes, one.result_bytes, bytes_text(one.total_bytes)] for at, one in found]
    return {"changes": changes, "most": largest([one for _, one in found]).total_bytes}


def _ledger(recording: Recording, ledger: Ledger) -> dict[str, object]:
    rows = [
        {
            "leaf": row.name,
            "leaf_id": row.leaf_id,
            "node_id": recording.leaf(row.leaf_id).node_id,
            "cells": [_cell(cell) for cell in row.cells],
            "cleared": [_clearing(clearing) for clearing in row.clearings],
        }
        for row in ledger.rows
    ]
    return {"columns": [_column(column) for column in ledger.columns], "rows": rows}


def _column(column: Column) -> dict[str, object]:
    title = f"{column.roots}.backward()" if column.by == "backward" else f"grad({column.roots})"
    return {"pass": column.backward_pass + 1, "title": title, "step": column.step}


def _cell(cell: Cell | None) -> dict[str, object] | None:
    if cell is None:
        return None
    return {"step": cell.step, "before": cell.before, "incoming": cell.incoming, "after": cell.after}


def _clearing(clearing: Clearing) -> dict[str, object]:
    return {
        "column": clearing.columns_before,
        "step": clearing.step,
        "to": clearing.to,
        "after": clearing.after,
    }


@derived
def run_id(recording: Recording) -> str:
    """Equal for the same run of the same program: by it the browser knows that only words or the picture changed.

    Nodes stay out: torch counts their sequence numbers on from one run to the next.
    """
    run = msgspec.json.encode([recording.source, recording.leaves, recording.edges, recording.events])
    return hashlib.blake2b(run, digest_size=12).hexdigest()

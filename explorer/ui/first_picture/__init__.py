"""The first visitor's picture, recorded and laid out beforehand: nobody waits for torch to be imported.

`python -m explorer.ui.first_picture` makes the two files anew; a test compares them with a fresh run.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from explorer.model import Recording
from explorer.runner import Completed

FOLDER = Path(__file__).parent


class Drawing(msgspec.Struct, frozen=True):
    """An SVG and the digest of the DOT text it was made from."""

    dot_digest: str
    svg: str


def first_ending(program: str) -> Completed | None:
    """The ending of the first visitor's program, if it is that program."""
    recording = _recording()
    return Completed(recording=recording) if recording is not None and recording.source == program else None


def first_svg(dot: str) -> str | None:
    """The first visitor's drawing, if it is that graph."""
    drawing = _drawing()
    return drawing.svg if drawing is not None and drawing.dot_digest == digest(dot) else None


def digest(dot: str) -> str:
    """What two equal DOT texts have in common."""
    return hashlib.sha256(dot.encode()).hexdigest()


@cache
def _recording() -> Recording | None:
    file = FOLDER / "recording.json"
    return Recording.from_json(file.read_bytes()) if file.exists() else None


@cache
def _drawing() -> Drawing | None:
    file = FOLDER / "drawing.json"
    return msgspec.json.decode(file.read_bytes(), type=Drawing) if file.exists() else None

"""What stands in the place of graphs until they are there: the programs, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from explorer.model.source import lines_of
from explorer.ui.runs import Task
from explorer.ui.words import say


def draw_curtain(task: Task) -> None:
    """Draws the text that runs, where the player will have it; the player comes to stand on top, and so hides it."""
    player = f"<div class='player-to-come'>{_lines(task.program)}{_status(say('curtain'))}</div>"
    st.html(f"<div class='curtain'>{player}<div></div></div>")


def draw_pair_curtain(titles: Sequence[str], signs: Sequence[str], programs: Sequence[str]) -> None:
    """Draws two texts that run, where the pair of players will have them; the pair comes to stand on top."""
    sides = "".join(
        f"<div><p aria-hidden='true'><i>{sign}</i>{escape(title)}</p><div>{_lines(program)}</div></div>"
        for title, sign, program in zip(titles, signs, programs, strict=True)
    )
    st.html(f"<div class='pair-curtain'>{sides}</div>")


def _lines(program: str) -> str:
    lines = "".join([f"<span>{escape(line)}\n</span>" for line in lines_of(program.rstrip("\n"))])
    return f"<pre aria-hidden='true'>{lines}</pre>"


def _status(words: str) -> str:
    return f"<p role='status'><i aria-hidden='true'></i>{words}</p>"

"""What stands in the stage's place until a session's first graph is there: the program, and what becomes of it."""

from __future__ import annotations

from html import escape

import streamlit as st

from explorer.model.source import lines_of
from explorer.ui.runs import Task
from explorer.ui.words import say


def draw_curtain(task: Task) -> None:
    """Draws the text that runs, where the player will have it; the player comes to stand on top, and so hides it."""
    lines = "".join([f"<span>{escape(line)}\n</span>" for line in lines_of(task.program.rstrip("\n"))])
    words = f"<p role='status'><i aria-hidden='true'></i>{say('curtain')}</p>"
    player = f"<div class='player-to-come'><pre aria-hidden='true'>{lines}</pre>{words}</div>"
    st.html(f"<div class='curtain'>{player}<div></div></div>")

"""What stands in the stage's place until a session's first graph is there: the program, and what becomes of it."""

from __future__ import annotations

from html import escape

from streamlit.delta_generator import DeltaGenerator

from explorer.model.source import lines_of
from explorer.ui.words import say


def draw_curtain(place: DeltaGenerator, program: str) -> None:
    """Draws the program's text where the player will have it. The player comes to stand on top, and so hides it.

    Args:
        place: Where; to be emptied if no player comes.
        program: What is being run.
    """
    lines = "".join([f"<span>{escape(line)}\n</span>" for line in lines_of(program.rstrip("\n"))])
    words = f"<p role='status'><i aria-hidden='true'></i>{say('curtain')}</p>"
    player = f"<div class='player-to-come'><pre aria-hidden='true'>{lines}</pre>{words}</div>"
    place.html(f"<div class='curtain'>{player}<div></div></div>")

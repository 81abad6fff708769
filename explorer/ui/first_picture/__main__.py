"""Records and draws the first visitor's picture."""

import msgspec

from explorer.gallery import functions
from explorer.render.dot import to_dot
from explorer.render.options import GraphOptions
from explorer.runner import Completed, lay_out, run
from explorer.ui.first_picture import FOLDER, Drawing, digest


def main() -> None:
    """Writes both files."""
    ending = run(functions()[0].code, seed=0)
    assert isinstance(ending, Completed)
    dot = to_dot(ending.recording, GraphOptions())
    (FOLDER / "recording.json").write_bytes(ending.recording.to_json())
    (FOLDER / "drawing.json").write_bytes(msgspec.json.encode(Drawing(dot_digest=digest(dot), svg=lay_out(dot))))


if __name__ == "__main__":
    main()

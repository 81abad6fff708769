"""What is shipped for the first visitor is what a fresh run and a fresh layout give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from explorer.gallery import functions
from explorer.model import Recording
from explorer.render.dot import to_dot
from explorer.render.options import GraphOptions
from explorer.runner import Completed, lay_out, run
from explorer.ui.first_picture import FOLDER, Drawing, digest, first_ending, first_svg
from explorer.ui.runs import SEED


@pytest.fixture(scope="module")
def fresh() -> Recording:
    ending = run(functions()[0].code, seed=SEED)
    assert isinstance(ending, Completed)
    return ending.recording


def without_versions(recording: Recording) -> dict[str, object]:
    plain = msgspec.to_builtins(recording)
    assert plain.pop("versions")
    return plain


def test_the_recording_is_that_of_a_fresh_run(fresh: Recording) -> None:
    shipped = Recording.from_json((FOLDER / "recording.json").read_bytes())
    assert without_versions(shipped) == without_versions(fresh)


def test_the_drawing_is_that_of_a_fresh_layout(fresh: Recording) -> None:
    shipped = msgspec.json.decode((FOLDER / "drawing.json").read_bytes(), type=Drawing)
    dot = to_dot(fresh, GraphOptions())
    assert shipped == Drawing(dot_digest=digest(dot), svg=lay_out(dot))


def test_they_serve_the_first_visitor_and_nobody_else(fresh: Recording) -> None:
    assert first_ending(functions()[0].code) is not None
    assert first_ending(functions()[1].code) is None
    assert first_svg(to_dot(fresh, GraphOptions())) is not None
    assert first_svg(to_dot(fresh, GraphOptions(arrows="forward"))) is None


def test_the_first_visitor_waits_for_no_pandas() -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; page = AppTest.from_file(sys.argv[1], default_timeout=60)"
        "; print(len(page.run().get('bidi_component')), 'pandas' in sys.modules)"
    )
    app = Path(__file__).parents[2] / "app.py"
    done = subprocess.run([sys.executable, "-c", code, app], capture_output=True, text=True, cwd=app.parent, check=True)
    assert done.stdout.split() == ["4", "False"]  # language, focus, run and player

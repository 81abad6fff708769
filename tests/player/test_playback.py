"""What is sent to the browser."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from player_samples import CLEARED, TWO_PASSES, played, recorded, sample

from explorer.ui.player import PlayerState, player_state, run_id
from explorer.ui.player.assets import module_text


def test_it_is_plain_json() -> None:
    played = sample(
        "import torch\nx = torch.tensor([float('nan'), float('inf')], requires_grad=True)\nx.sum().backward()\n"
    )
    assert json.loads(json.dumps(played, allow_nan=False)) == played


def test_one_step_per_event_with_its_kind_and_span() -> None:
    recording, played = recorded(TWO_PASSES), sample()
    assert [step["kind"] for step in played["steps"]] == [type(event).__name__ for event in recording.events]
    assert played["steps"][2]["span"] == [5, 8, 5, 23]


def test_passes_are_counted_from_one_and_end() -> None:
    recording, played = recorded(TWO_PASSES), sample()
    for backward_pass in recording.backward_passes:
        of_pass = played["steps"][backward_pass.first - 1 : backward_pass.last]
        assert {step["pass"] for step in of_pass} == {backward_pass.index + 1}
    assert [step["phase"] for step in played["steps"]][-1] == "forward"


def test_every_target_is_in_the_picture() -> None:
    for code in (TWO_PASSES, CLEARED):
        played = sample(code)
        targets = {step["target"] for step in played["steps"]} - {None}
        assert targets
        assert all(f'id="{target}"' in played["svg"] for target in targets)


def test_what_all_pictures_of_a_run_share_stays_out_of_them() -> None:
    whole, part = played(), played(only=("n1",))
    assert part.run == whole.run
    assert {"n1", "n2"} <= whole.picture["tracks"].keys()
    assert {"n1-s0", "n1-s0-link"} < part.picture["tracks"].keys() < whole.picture["tracks"].keys()
    assert "n2" not in part.picture["tracks"]
    shared = json.loads(whole.run)
    assert shared["tracks"].keys() == {leaf.node_id for leaf in recorded(TWO_PASSES).leaves}
    assert shared.keys() & whole.picture.keys() == {"id", "language", "tracks"}


def test_the_ledger_holds_the_passes_and_the_clearings() -> None:
    played = sample(CLEARED)
    x, w = played["ledger"]["rows"]
    assert [column["pass"] for column in played["ledger"]["columns"]] == [1, 2]
    assert x["cells"][1]["before"] == "[0., 0.]"
    assert (x["cleared"][0]["to"], w["cleared"][0]["to"]) == ("zeros", "none")
    assert w["cells"][1] is None


def test_the_same_recording_keeps_its_id_in_another_language() -> None:
    assert sample()["id"] == sample(language="zh")["id"] != sample(CLEARED)["id"]


@pytest.mark.parametrize(
    ("at", "step", "selected"),
    [
        (None, 0, None),
        ({"id": "older", "step": 7, "selected": "n9"}, 0, None),
        ({"step": 7, "selected": "n1"}, 7, "n1"),
        ({"step": 7, "selected": 3}, 7, None),
        ({"step": 700}, 0, None),
        ({"step": -1}, 0, None),
        ({"step": "7"}, 0, None),
        ("7", 0, None),
    ],
)
def test_what_the_browser_says_is_checked(at: object, step: int, selected: str | None) -> None:
    recording = recorded(TWO_PASSES)
    said = {"id": run_id(recording), **at} if isinstance(at, dict) else at
    assert player_state({"at": said}, recording, 0) == PlayerState(step, selected)


def test_the_module_stands_alone() -> None:
    text = module_text()
    assert "import " not in text.split("/**")[0]
    assert 'from "./' not in text
    assert (
        text.count("export default function") == text.count("export function mount") == text.count("export ") // 2 == 1
    )


def test_playback_and_files_need_no_streamlit() -> None:
    code = "import sys, explorer.ui.player.playback, explorer.ui.player.assets; print({'streamlit', 'torch'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"

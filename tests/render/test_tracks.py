"""Every element of the picture changes when the event happens that it stands for."""

from __future__ import annotations

from itertools import pairwise

import pytest
import render_samples as samples

from explorer.model import Accumulated, BackwardStarted, GradCleared, NodeRan, Operation, Raised, Recording
from explorer.render.grad_text import value_text
from explorer.render.schedule import schedule_of
from explorer.render.tracks import Keyframe, keyframe_at, tracks


def shown(program: str, element: str, step: int) -> Keyframe:
    return keyframe_at(tracks(samples.recorded(program))[element], step)


def step_of(recording: Recording, kind: type, nth: int = 0) -> int:
    return [step for step, event in enumerate(recording.events, 1) if isinstance(event, kind)][nth]


def node_id(recording: Recording, name: str) -> str:
    return next(node.id for node in recording.nodes if node.name == name)


@pytest.mark.parametrize("program", samples.ALL)
def test_tracks_start_at_0_rise_and_hold_no_repetition(program: str) -> None:
    for frames in tracks(samples.recorded(program)).values():
        assert frames[0].step == 0
        for earlier, later in pairwise(frames):
            assert earlier.step < later.step
            assert (earlier.state, earlier.text) != (later.state, later.text)


@pytest.mark.parametrize("program", samples.ALL)
def test_a_node_runs_at_exactly_the_steps_of_its_events(program: str) -> None:
    recording = samples.recorded(program)
    accumulators = {leaf.id: leaf.node_id for leaf in recording.leaves}
    busy: dict[str, set[int]] = {node.id: set() for node in recording.nodes}
    for step, event in enumerate(recording.events, 1):
        if isinstance(event, NodeRan):
            busy[event.node_id].add(step)
        if isinstance(event, Accumulated):
            busy[accumulators[event.leaf_id]].add(step)
    for node in recording.nodes:
        frames = tracks(recording)[node.id]
        steps = range(len(recording.events) + 1)
        assert {step for step in steps if keyframe_at(frames, step).state == "running"} == busy[node.id]


@pytest.mark.parametrize("program", samples.ALL)
def test_the_grad_line_says_what_grads_says_in_the_end(program: str) -> None:
    recording = samples.recorded(program)
    for leaf in recording.leaves:
        if leaf.node_id is not None and leaf.requires_grad:
            last = tracks(recording)[leaf.node_id][-1]
            assert last.text is not None
            assert last.text.rsplit("= ", 1)[-1] == value_text(recording.grads[leaf.name])


@pytest.mark.parametrize("program", samples.ALL)
def test_an_edge_says_what_its_source_sent_along_its_slot(program: str) -> None:
    recording = samples.recorded(program)
    found = tracks(recording)
    for step, event in enumerate(recording.events, 1):
        if isinstance(event, NodeRan):
            for edge in recording.edges_from(event.node_id):
                frame = keyframe_at(found[edge.id], step)
                sent = event.grad_inputs[edge.slot]
                assert (frame.state, frame.text) == ("undefined" if sent is None else "sent", value_text(sent))


def test_the_sum_at_the_leaf_is_the_tutorials() -> None:
    recording = samples.recorded(samples.TWO_FUNCTIONS)
    first, second = (step_of(recording, Accumulated, nth) for nth in (0, 1))
    leaf = recording.leaves[0].node_id
    assert leaf is not None
    said = [shown(samples.TWO_FUNCTIONS, leaf, step).text for step in (first - 1, first, first + 1, second)]
    assert said == [
        "None",
        "None + [0., 4., 8.] = [0., 4., 8.]",
        "[0., 4., 8.]",
        "[0., 4., 8.] + [1., 1., 1.] = [1., 5., 9.]",
    ]


def test_clearing_empties_the_grad_line() -> None:
    recording = samples.recorded(samples.CLEARED_BETWEEN)
    cleared = step_of(recording, GradCleared)
    leaf = recording.leaves[0].node_id
    assert leaf is not None
    assert shown(samples.CLEARED_BETWEEN, leaf, cleared).text == "[0., 0., 0.]"


def test_a_node_appears_with_its_operation() -> None:
    recording = samples.recorded(samples.TWO_FUNCTIONS)
    made = next(step for step, e in enumerate(recording.events, 1) if isinstance(e, Operation) and e.variable == "m")
    multiplied = node_id(recording, "MulBackward0")
    states = [shown(samples.TWO_FUNCTIONS, multiplied, step).state for step in (made - 1, made)]
    assert states == ["absent", "built"]


def test_a_new_pass_starts_with_a_clean_picture() -> None:
    recording = samples.recorded(samples.TWO_FUNCTIONS)
    second = step_of(recording, BackwardStarted, 1)
    multiplied = node_id(recording, "MulBackward0")
    edge = recording.edges_from(multiplied)[0].id
    before, after = (shown(samples.TWO_FUNCTIONS, multiplied, step).state for step in (second - 1, second))
    assert (before, after) == ("done", "built")
    assert shown(samples.TWO_FUNCTIONS, edge, second - 1).text == "2."
    assert shown(samples.TWO_FUNCTIONS, edge, second) == Keyframe(step=second, state="idle", text="")


def test_the_seed_of_a_scalar_is_1_while_its_pass_runs() -> None:
    recording = samples.recorded(samples.TWO_FUNCTIONS)
    first, second = (step_of(recording, BackwardStarted, nth) for nth in (0, 1))
    seed = f"seed-{node_id(recording, 'MulBackward0')}"
    said = [shown(samples.TWO_FUNCTIONS, seed, step) for step in (first - 1, first, second)]
    assert [(frame.state, frame.text) for frame in said] == [("idle", ""), ("sent", "1."), ("idle", "")]


def test_a_given_seed_shows_its_numbers() -> None:
    program = "x = torch.ones(2, requires_grad=True)\ny = x * 2\ny.backward(torch.tensor([3., 4.]))"
    seed = f"seed-{node_id(samples.recorded(program), 'MulBackward0')}"
    assert shown(program, seed, 99).text == "[3., 4.]"


@pytest.mark.parametrize("made", ["torch.ones(3, requires_grad=True)", "torch.tensor(1j, requires_grad=True)"])
def test_no_seed_is_shown_where_torch_has_none(made: str) -> None:
    program = f"x = {made}\ny = x * 2\ny.backward()"
    seed = f"seed-{node_id(samples.recorded(program), 'MulBackward0')}"
    assert {(frame.state, frame.text) for frame in tracks(samples.recorded(program))[seed]} == {
        ("absent", ""),
        ("idle", ""),
    }


def test_saved_tensors_empty_when_they_are_freed_and_stay_so() -> None:
    recording = samples.recorded(samples.TWICE)
    product = node_id(recording, "MulBackward0")
    ran = next(s for s, e in enumerate(recording.events, 1) if isinstance(e, NodeRan) and e.node_id == product)
    states = [shown(samples.TWICE, f"{product}-s0", step).state for step in (0, ran - 1, ran, 99)]
    assert states == ["absent", "full", "freed", "freed"]


def test_the_node_that_complains_fails() -> None:
    recording = samples.recorded(samples.TWICE)
    assert isinstance(recording.error, Raised)
    assert recording.error.node_id is not None
    assert shown(samples.TWICE, recording.error.node_id, 99).state == "failed"


def test_a_saved_tensor_that_was_overwritten_is_stale() -> None:
    recording = samples.recorded(samples.OVERWRITTEN)
    exponential = node_id(recording, "ExpBackward0")
    assert shown(samples.OVERWRITTEN, f"{exponential}-s0", 99).state == "stale"


def test_nodes_of_second_order_appear_when_their_maker_runs() -> None:
    recording = samples.recorded(samples.DOUBLE)
    made = [node for node in recording.nodes if node.made_by is not None]
    assert made
    for node in made:
        ran = next(s for s, e in enumerate(recording.events, 1) if isinstance(e, NodeRan) and e.node_id == node.made_by)
        assert [shown(samples.DOUBLE, node.id, step).state for step in (ran - 1, ran)] == ["absent", "built"]


def test_a_cut_shows_from_its_operation_on() -> None:
    recording = samples.recorded(samples.CUTS)
    for step, event in enumerate(recording.events, 1):
        if isinstance(event, Operation) and event.cut_id is not None:
            assert shown(samples.CUTS, event.cut_id, step - 1).state == "absent"
            assert shown(samples.CUTS, event.cut_id, step).state == "cut"
    assert len(recording.cuts) == 2


def test_a_leaf_without_gradient_has_no_text() -> None:
    recording = samples.recorded(samples.CONSTANT)
    data = next(leaf for leaf in recording.leaves if leaf.name == "data")
    assert [(frame.state, frame.text) for frame in tracks(recording)[data.id]][-1] == ("built", None)
    assert f"{data.id}-{node_id(recording, 'MulBackward0')}" in tracks(recording)


def test_a_long_sum_is_abbreviated() -> None:
    recording = samples.recorded(samples.MLP)
    weight = next(leaf for leaf in recording.leaves if leaf.name == "model.0.weight")
    assert weight.node_id is not None
    said = shown(samples.MLP, weight.node_id, step_of(recording, Accumulated, -1)).text
    assert said is not None
    assert all(len(frame.text or "") <= 60 for frame in tracks(recording)[weight.node_id])


def test_a_second_functions_seed_waits_until_it_is_built() -> None:
    recording = samples.recorded(
        "x = torch.ones(2, requires_grad=True)\n(x * x).sum().backward()\nh = x.sum()\nh.backward()"
    )
    root = recording.backward_passes[1].started.roots[0].node_id
    track = tracks(recording)[f"seed-{root}"]
    built = next(frame.step for frame in track if frame.state != "absent")
    assert built > recording.backward_passes[0].last


def test_what_a_pass_changed_starts_anew_with_the_next() -> None:
    code = """
        x = torch.tensor(2., requires_grad=True)
        for turn in range(3):
            (x * x).backward()
    """
    recording = samples.recorded(code)
    starts = [step for step, _ in schedule_of(recording).starts]
    assert len(starts) == 3
    accumulate = next(node.id for node in recording.nodes if node.kind == "accumulate")
    found = tracks(recording)
    assert [keyframe_at(found[accumulate], step).state for step in starts] == ["built"] * 3
    for node in recording.nodes:
        if node.kind != "accumulate":
            assert len(found[node.id]) <= 5, "a pass that does not reach a node says nothing of it"

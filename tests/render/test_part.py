"""Which part of a graph is drawn, and what changes in it besides gradients."""

from __future__ import annotations

import re

import msgspec
import pytest
import torch

from explorer.model import NodeRan, Recording
from explorer.model.text import short_text
from explorer.render.dot import to_dot
from explorer.render.leaf_values import leaf_values, value_line_texts
from explorer.render.options import GraphOptions
from explorer.render.part import (
    MOST_NODES,
    Part,
    Scope,
    current_node,
    graph_of,
    neighbourhood,
    part_around,
    part_at,
    scopes_of,
    suggested_scope,
)
from tests.render import render_samples as samples

TWO = samples.recorded(samples.TWO_FUNCTIONS)
LOOP = """
    w = torch.tensor([1., -2.], requires_grad=True)
    for turn in range({turns}):
        loss = (w * w).sum()
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
"""
CARRIED = """
    w = torch.ones(2, requires_grad=True)
    h = torch.zeros(2)
    for turn in range(4):
        h = h * w + 1
        h.sum().backward(retain_graph=True)
"""


def loop(turns: int) -> Recording:
    return samples.recorded(LOOP.format(turns=turns))


def ran_in(recording: Recording, passes: tuple[int, ...]) -> set[str]:
    return {event.node_id for event in recording.events if isinstance(event, NodeRan) and event.backward_pass in passes}


@pytest.mark.parametrize("program", [LOOP.format(turns=5), CARRIED, samples.TWO_FUNCTIONS])
def test_the_graph_of_a_round_is_what_the_engine_runs_through(program: str) -> None:
    recording = samples.recorded(program)
    assert len(recording.rounds) == len(recording.backward_passes)
    for nr, one in enumerate(recording.rounds):
        assert one.passes == (nr,)
        assert set(graph_of(recording, nr)) == ran_in(recording, one.passes)
        assert part_at(recording, one.first, "round").rounds == (nr,)
        assert part_at(recording, recording.backward_passes[nr].last, "round").rounds == (nr,)


def test_passes_over_one_graph_are_one_round() -> None:
    recording = samples.recorded(samples.TWICE.replace("y.backward()", "y.backward(retain_graph=True)"))
    assert [one.passes for one in recording.rounds] == [(0, 1)]


def test_what_a_pass_itself_builds_is_of_its_round() -> None:
    recording = samples.recorded(samples.DOUBLE + "    after = x * 5\n")
    first, last = recording.rounds
    assert {node.id for node in recording.nodes if node.order == 2} <= {*first.node_ids}
    assert (first.passes, last.passes) == ((0, 1), ())
    assert part_at(recording, len(recording.events), "round").only == graph_of(recording, 1)


@pytest.mark.parametrize(("turns", "scope"), [(1, "all"), (3, "all"), (4, "round"), (60, "round")])
def test_a_loop_is_shown_round_by_round_where_all_would_be_a_thicket(turns: int, scope: str) -> None:
    assert suggested_scope(loop(turns)) == scope


def test_all_is_drawn_where_there_is_room_or_what_is_near() -> None:
    few, many = loop(4), loop(80)
    assert part_at(few, 1, "all") == Part()
    assert len(many.nodes) > MOST_NODES
    node_id = many.nodes[100].id
    assert part_around(many, node_id).only == neighbourhood(many, node_id)


@pytest.mark.parametrize(("turns", "scopes"), [(1, ("all",)), (4, ("round", "all")), (80, ("round", "few"))])
def test_only_what_there_is_room_for_is_offered(turns: int, scopes: tuple[Scope, ...]) -> None:
    assert scopes_of(loop(turns)) == scopes


def test_a_few_rounds_are_drawn_around_the_current_one() -> None:
    recording = loop(80)
    for nr, rounds in ((0, (0, 1, 2)), (40, (39, 40, 41)), (79, (77, 78, 79))):
        part = part_at(recording, recording.rounds[nr].first, "few")
        assert part.rounds == rounds
        assert part.only is not None
        assert {*part.only} == ran_in(recording, rounds)


def test_a_round_too_large_is_shown_in_part_and_counts_only_its_own() -> None:
    turns = "    for turn in range(150):\n        y = y.sin()\n    y.backward()\n"
    recording = samples.recorded(f"    x = torch.tensor(1., requires_grad=True)\n    y = x\n{turns}    y = x\n{turns}")
    part = part_at(recording, len(recording.events), "round")
    assert part.rounds == (1,)
    assert scopes_of(recording) == ("round",)
    assert part.only is not None
    assert part.among is not None
    assert {*part.only} < {*part.among} == ran_in(recording, (1,))
    text = to_dot(recording, GraphOptions(only=part.only, among=part.among))
    assert len(re.findall(r"label=\"\+1 …\"", text)) == 1


def test_a_round_drawn_whole_counts_none_of_the_others() -> None:
    recording = loop(5)
    part = part_at(recording, 1, "round")
    assert part.only is not None
    drawn = to_dot(recording, GraphOptions(only=part.only, among=part.among))
    assert f"{part.only[-1]} [" in drawn
    assert "more-" not in drawn
    assert "more-" in to_dot(recording, GraphOptions(only=part.only))


def test_a_neighbourhood_is_connected_and_bounded() -> None:
    recording = samples.recorded(samples.SHARED_IN_A_LOOP)
    for limit in (1, 7, 1000):
        near = neighbourhood(recording, "n5", limit)
        assert "n5" in near
        assert len(near) == min(limit, len(recording.nodes))
    assert set(neighbourhood(recording, "n5", 1 + len({e.target for e in recording.edges_from("n5")}))) >= {"n5"}


def test_the_current_node_is_the_one_that_the_step_speaks_of() -> None:
    for step, event in enumerate(TWO.events, 1):
        if isinstance(event, NodeRan):
            assert current_node(TWO, step) == event.node_id
    empty = msgspec.structs.replace(TWO, leaves=(), nodes=(), edges=(), events=(), cuts=())
    assert current_node(empty, 0) is None


# ── what leaves hold ────────────────────────────────────────────────────────────


def test_a_weight_s_box_says_what_it_holds_at_each_step() -> None:
    recording, w = loop(3), torch.tensor([1.0, -2.0], requires_grad=True)
    expected = [w.tolist()]
    for _ in range(3):
        (w * w).sum().backward()
        w = (w - 0.1 * w.grad).detach().requires_grad_()  # type: ignore[operator]
        expected.append(w.tolist())
    (held,) = leaf_values(recording).values()
    assert [list(value.values) for _, value in held] == expected
    (texts,) = value_line_texts(recording, GraphOptions()).values()
    assert [text for _, text in texts] == [short_text(value) for _, value in held]
    longest = max((text for _, text in texts), key=len)
    assert longest in to_dot(recording)
    assert not value_line_texts(recording, GraphOptions(show_values=False))


def test_a_leaf_that_nobody_changes_has_one_value() -> None:
    assert leaf_values(TWO) == {}

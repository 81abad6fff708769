from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import RecordingInvalid
from explorer.model import (
    Accumulated,
    BackwardEnded,
    BackwardStarted,
    Cut,
    Edge,
    Event,
    GradCleared,
    Leaf,
    Modified,
    Node,
    NodeRan,
    Operation,
    Printed,
    Raised,
    Recording,
    Root,
    SavedTensor,
    Span,
    Stats,
    TensorValue,
    Warned,
    from_float,
    grad_change,
)


def vector(*numbers: float) -> TensorValue:
    return TensorValue(shape=(len(numbers),), dtype="float32", values=tuple(map(from_float, numbers)))


TENSORS = st.lists(st.floats(), max_size=4).map(lambda numbers: vector(*numbers))
MAYBE = st.none() | TENSORS
SPANS = st.none() | st.builds(
    Span,
    line=st.integers(1, 9),
    column=st.integers(0, 9),
    end_line=st.integers(1, 9),
    end_column=st.integers(0, 9),
)
EVENTS = st.lists(
    st.one_of(
        st.builds(Operation, span=SPANS, name=st.text(), values=st.tuples(TENSORS), leaf_id=st.just("l0")),
        st.builds(Printed, span=SPANS, text=st.text()),
        st.builds(Warned, span=SPANS, category=st.text(), message=st.text()),
        st.builds(NodeRan, backward_pass=st.just(0), node_id=st.just("n0"), grad_inputs=st.tuples(MAYBE, MAYBE)),
        st.builds(
            Accumulated, backward_pass=st.just(0), leaf_id=st.just("l0"), before=MAYBE, incoming=TENSORS, after=TENSORS
        ),
        st.builds(BackwardEnded, backward_pass=st.just(0), returned=st.tuples(MAYBE)),
        st.builds(GradCleared, leaf_id=st.just("l0"), before=MAYBE, to=st.sampled_from(["zeros", "none"])),
        st.builds(Modified, name=st.text(), before=MAYBE, after=TENSORS, version=st.integers(0, 99)),
        st.builds(Raised, type=st.text(), message=st.text(), node_id=st.none() | st.just("n0")),
    ),
    max_size=6,
).map(tuple)

STARTED = BackwardStarted(backward_pass=0, by="backward", roots=(Root(node_id="n0", seed_grad=vector(1.0)),))
LEAF = Leaf(id="l0", name="x", value=vector(0.0, 1.0, 2.0), requires_grad=True, node_id="n1")
NODE = Node(id="n0", name="SumBackward0", kind="operation", saved=(SavedTensor(name="self", leaf_id="l0"),))


def recording(*events: Event) -> Recording:
    return Recording(
        source="x.sum().backward()",
        versions={"torch": "2.13.0"},
        leaves=(LEAF,),
        nodes=(NODE, Node(id="n1", name="AccumulateGrad", kind="accumulate", sequence_nr=2**64 - 1)),
        edges=(Edge(id="e0", source="n0", slot=0, target="n1", input_nr=0),),
        cuts=(Cut(id="c0", operation="detach", reason="detach", sources=("l0",), consumers=(("n0", None),)),),
        events=(STARTED, *events),
    )


@given(EVENTS)
def test_json_is_exact(events: tuple[Event, ...]) -> None:
    original = recording(*events)
    encoded = original.to_json()
    decoded = Recording.from_json(encoded)
    assert decoded == original
    assert decoded.to_json() == encoded


def changed(*path: str | int, to: object) -> bytes:
    """A valid recording's JSON with one thing changed."""
    accumulated = Accumulated(backward_pass=0, leaf_id="l0", incoming=vector(1.0), after=vector(1.0))
    document: Any = json.loads(recording(accumulated).to_json())
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "model.not_a_recording"),
        (b"\xff\xfe", "model.not_a_recording"),
        ('{"source": "\ud800"}', "model.not_a_recording"),
        (b"[]", "model.not_a_recording"),
        (b"null", "model.not_a_recording"),
        (b"[" * 100_000, "model.not_a_recording"),
        (b'{"source":' * 100_000, "model.not_a_recording"),
        (b'{"unknown": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "model.not_a_recording"),
        (changed("unknown", to=1), "model.not_a_recording"),
        (changed("source", to=3), "model.not_a_recording"),
        (changed("events", 0, "kind", to="Exec"), "model.not_a_recording"),
        (changed("leaves", 0, "value", "values", 0, to=float("nan")), "model.not_a_recording"),
        (changed("leaves", 0, "value", "values", 0, to="<b>"), "model.not_a_recording"),
        (changed("leaves", 0, "value", "shape", 0, to=10**9), "model.not_a_recording"),
        (changed("edges", 0, "slot", to=-1), "model.not_a_recording"),
        (changed("schema", to=99), "model.other_schema"),
        (changed("nodes", 1, "id", to="n0"), "model.id_twice"),
        (changed("nodes", 1, "id", to="l0"), "model.id_twice"),
        (changed("edges", 0, "id", to="c0"), "model.id_twice"),
        (changed("edges", 0, "target", to="n7"), "model.unknown_id"),
        (changed("edges", 0, "target", to="l0"), "model.unknown_id"),
        (changed("leaves", 0, "node_id", to="n7"), "model.unknown_id"),
        (changed("nodes", 0, "saved", 0, "leaf_id", to="n0"), "model.unknown_id"),
        (changed("nodes", 0, "made_by", to="n7"), "model.unknown_id"),
        (changed("cuts", 0, "sources", 0, to="e0"), "model.unknown_id"),
        (changed("cuts", 0, "consumers", 0, to=["n7", 0]), "model.unknown_id"),
        (changed("events", 0, "roots", 0, "node_id", to="n7"), "model.unknown_id"),
        (changed("events", 1, "leaf_id", to="n0"), "model.unknown_id"),
        (changed("error", to={"kind": "Raised", "type": "E", "message": "m", "node_id": "n7"}), "model.unknown_id"),
        (changed("events", 0, "backward_pass", to=1), "model.pass_out_of_order"),
        (changed("events", 1, "backward_pass", to=1), "model.pass_out_of_order"),
        (changed("events", 1, "backward_pass", to=-1), "model.pass_out_of_order"),
    ],
)
def test_hostile_input_is_refused(data: bytes | str, key: str) -> None:
    with pytest.raises(RecordingInvalid) as refused:
        Recording.from_json(data)
    assert refused.value.key == key


def test_look_ups() -> None:
    made = recording()
    assert (made.node("n0"), made.leaf("l0"), made.cut("c0")) == (NODE, LEAF, made.cuts[0])
    assert made.edges_from("n0") == made.edges_to("n1") == made.edges
    assert made.edges_to("n0") == ()
    with pytest.raises(KeyError):
        made.node("l0")


def test_edges_from_come_by_slot() -> None:
    edges = tuple(Edge(id=f"e{slot}", source="n0", slot=slot, target="n1", input_nr=0) for slot in (2, 0, 1))
    made = Recording(nodes=recording().nodes, edges=edges)
    assert [edge.slot for edge in made.edges_from("n0")] == [0, 1, 2]


def test_backward_passes_keep_the_order_of_the_engine() -> None:
    ran = [NodeRan(backward_pass=k, node_id=node_id) for k in (0, 1) for node_id in ("n0", "n1")]
    accumulated = Accumulated(backward_pass=0, leaf_id="l0", incoming=vector(1.0), after=vector(1.0))
    second = BackwardStarted(backward_pass=1, by="grad")
    made = recording(*ran[:2], accumulated, Printed(text="between"), second, *ran[2:], Printed(text="after"))
    first_pass, second_pass = made.backward_passes
    assert (first_pass.steps, first_pass.accumulated) == (tuple(ran[:2]), (accumulated,))
    assert (first_pass.first, first_pass.last, second_pass.first, second_pass.last) == (1, 4, 6, 8)
    assert (second_pass.index, second_pass.started, second_pass.steps) == (1, second, tuple(ran[2:]))
    assert made.events[first_pass.first - 1] == STARTED
    assert (made.run(1, "n0"), made.run(2, "n0")) == (ran[2], None)


def test_a_pass_inside_a_pass_keeps_its_own_events() -> None:
    inner = NodeRan(backward_pass=1, node_id="n1")
    outer = NodeRan(backward_pass=0, node_id="n0")
    made = recording(BackwardStarted(backward_pass=1, by="grad"), inner, BackwardEnded(backward_pass=1), outer)
    assert [found.steps for found in made.backward_passes] == [(outer,), (inner,)]


GIVEN = Accumulated(backward_pass=0, leaf_id="l0", incoming=vector(4.0), after=vector(4.0))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (GIVEN, ("l0", None, vector(4.0))),
        (GradCleared(leaf_id="l0", before=vector(4.0), to="none"), ("l0", vector(4.0), None)),
        (GradCleared(leaf_id="l0", before=vector(4.0), to="zeros"), ("l0", vector(4.0), vector(0.0))),
        (GradCleared(leaf_id="l0", to="zeros"), ("l0", None, None)),
        (Modified(name="mul_", leaf_id="l0", of_grad=True, after=vector(8.0), version=1), ("l0", None, vector(8.0))),
        (Modified(name="mul_", leaf_id="l0", after=vector(8.0), version=1), None),
        (Printed(text="x"), None),
    ],
)
def test_grad_change(event: Event, expected: object) -> None:
    assert grad_change(event) == expected


def test_grads_are_the_last_ones_of_every_marked_leaf() -> None:
    bystander = Leaf(id="l1", name="y", value=vector(1.0), requires_grad=True)
    constant = Leaf(id="l2", name="c", value=vector(1.0), requires_grad=False)
    made = Recording(leaves=(LEAF, bystander, constant), events=(STARTED, GIVEN))
    assert made.grads == {"x": vector(4.0), "y": None}


def test_zeroing_a_sample_zeroes_its_statistics() -> None:
    large = TensorValue(shape=(9, 9), dtype="float32", values=(1.0,), indices=(0,), summary=Stats(min=1.0, max=2.0))
    change = grad_change(GradCleared(leaf_id="l0", before=large, to="zeros"))
    assert change is not None
    assert change[2] is not None
    assert change[2].stats == Stats(min=0.0, max=0.0, mean=0.0, norm=0.0, zero=81)


def test_printed_is_all_printed_text() -> None:
    assert recording(Printed(text="a\n"), Warned(category="W", message="w"), Printed(text="b")).printed == "a\nb"

"""The DOT text: complete, deterministic, safe, and with room for every text to come."""

from __future__ import annotations

import re

import msgspec
import pytest
import render_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st
from svg_groups import Group, groups

from explorer.errors import LayoutFailed
from explorer.model import Span
from explorer.model.source import columns
from explorer.render.dot import to_dot
from explorer.render.labels import shortened, span_text
from explorer.render.layout import lay_out
from explorer.render.legend import legend
from explorer.render.lines import lines_of, long_lines
from explorer.render.options import GraphOptions
from explorer.render.part import neighbourhood
from explorer.render.tracks import longest_text, tracks

TWO = samples.recorded(samples.TWO_FUNCTIONS)
ADVANCE_EM = 0.6
"""Of the usual monospaced fonts."""


def drawn(program: str, **options: object) -> dict[str, Group]:
    return groups(lay_out(to_dot(samples.recorded(program), GraphOptions(**options))))  # type: ignore[arg-type]


@pytest.mark.parametrize("program", samples.ALL)
@pytest.mark.parametrize("arrows", ["gradient", "forward"])
def test_every_track_has_its_element(program: str, arrows: str) -> None:
    recording = samples.recorded(program)
    grouped = {f"{node.id}-s{k}" for node in recording.nodes for k, one in enumerate(node.saved) if one.value is None}
    wanted = {id_ for id_ in tracks(recording) if id_.removesuffix("-link") not in grouped}
    assert wanted <= drawn(program, arrows=arrows).keys()


@pytest.mark.parametrize("program", samples.ALL)
def test_equal_arguments_give_equal_text(program: str) -> None:
    recording = samples.recorded(program)
    again = type(recording).from_json(recording.to_json())
    assert to_dot(recording) == to_dot(again)


@pytest.mark.parametrize("program", samples.ALL)
def test_every_text_fits_its_box(program: str) -> None:
    recording = samples.recorded(program)
    found = tracks(recording)
    for id_, group in drawn(program).items():
        if "node" in group.classes and not group.classes & {"more", "sign", "seed-start"}:
            points = 10 if "saved" in group.classes else 12
            lines = [*group.texts, longest_text(found[id_])] if id_ in found else group.texts
            assert max(map(columns, lines)) * ADVANCE_EM * points <= group.width


@pytest.mark.parametrize("program", samples.ALL)
def test_a_placeholder_is_the_longest_text_to_come(program: str) -> None:
    recording = samples.recorded(program)
    found = tracks(recording)
    shown = drawn(program)
    for edge in recording.edges:
        assert "".join(shown[edge.id].texts).strip() == longest_text(found[edge.id])
    for node in recording.nodes:
        if node.kind == "accumulate":
            assert shown[node.id].texts[-1] == longest_text(found[node.id])


def test_two_slots_of_one_node_are_two_edges() -> None:
    recording = samples.recorded(samples.SQUARE_PLUS)
    product = next(node for node in recording.nodes if node.name == "MulBackward0")
    edges = recording.edges_from(product.id)
    shown = drawn(samples.SQUARE_PLUS)
    assert [shown[edge.id].texts for edge in edges] == [(" 3. ",), (" 3. ",)]


def test_an_operation_shows_its_name_its_expression_and_its_value() -> None:
    shown = drawn(samples.TWO_FUNCTIONS)
    multiplied = next(node.id for node in TWO.nodes if node.variable == "m")
    assert shown[multiplied].texts == ("MulBackward0", "m = 2 * torch.dot(x, x)", "10.  ()")
    bare = drawn(samples.TWO_FUNCTIONS, show_values=False, show_shapes=False)
    assert bare[multiplied].texts == ("MulBackward0", "m = 2 * torch.dot(x, x)")


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("n = torch.distributions.Categorical(logits=x)", "n.logits ← torch.distributions.Ca…"),
        ("n = torch.nn.Module()\nn.h = x * 2", "n.h = x * 2"),
        ("kept = []\nkept.append(x * 2)", "kept[0] ← x * 2"),
        ("kept = [w * 2 for w in [x]]", "kept[0] ← w * 2"),
        ("kept = x.tensor_split(2)", "kept[0] = x.tensor_split(2)"),
        ("a, b = x * 2, x * 3", "b = x * 3"),
        ("_, b = x.unbind()", "_, b = x.unbind()"),
        ("if (y := x * 2).sum() > 0:\n    pass", "y = x * 2"),
        ("y: torch.Tensor = (\n    x *\n    2\n)", "y = x * 2"),
        ("class Net:\n    def run(self):\n        self.h = x * 2\nn = Net()\nn.run()", "self.h = x * 2"),
        ("é = 'é'; y = x * 2", "y = x * 2"),
        ("y = x * 2\ny += 1", "y += 1"),
        ("y = x * 2\ny[0] = x[1]", "y[0] = x[1]"),
        ("y = x * 2\ny[0] += 1", "y[0] = …"),
        ("y = x * 2\ny = y.add_(1)", "y = y.add_(1)"),
        ("y = x[0]", "y = x[0]"),
    ],
)
def test_a_box_says_what_was_given_a_name(line: str, label: str) -> None:
    program = f"x = torch.ones(2, requires_grad=True)\n{line}\nx.sum().backward()"
    assert label in {text for group in drawn(program).values() for text in group.texts}


def test_an_accumulate_node_shows_the_leaf_and_its_grad_last() -> None:
    leaf = TWO.leaves[0].node_id
    assert leaf is not None
    assert drawn(samples.TWO_FUNCTIONS)[leaf].texts == (
        "x (3,)",
        "[0., 1., 2.]",
        "AccumulateGrad",
        ".grad",
        "[0., 4., 8.] + [1., 1., 1.] = [1., 5., 9.]",
    )


def test_saved_tensors_say_where_they_come_from_and_can_be_hidden() -> None:
    dot = next(node for node in TWO.nodes if node.name == "DotBackward0")
    shown = drawn(samples.TWO_FUNCTIONS)
    assert [shown[f"{dot.id}-s{k}"].texts[0] for k in range(2)] == ["self: x", "tensor: x"]
    assert f"{dot.id}-s0" not in drawn(samples.TWO_FUNCTIONS, show_saved=False)


def test_kinds_are_classes() -> None:
    kinds = [classes for group in drawn(samples.CUSTOM).values() for classes in group.classes]
    assert {"operation", "accumulate", "custom", "edge", "seed", "saved"} <= set(kinds)
    assert "cut" in drawn(samples.CUTS)["c0"].classes
    assert any("order-2" in group.classes for group in drawn(samples.DOUBLE).values())


def test_a_cut_stands_between_consumer_and_source() -> None:
    shown = drawn(samples.CUTS)
    assert "✂ detach" in shown["c0"].texts
    assert shown["c1"].texts[:2] == ("✂ no_grad", "z = x * 2")
    assert {"c0-0", "c1-0"} <= shown.keys()


def test_a_module_under_no_grad_is_no_function_of_torch() -> None:
    program = (
        "net = torch.nn.Linear(2, 2)\nx = torch.ones(2, requires_grad=True)\nwith torch.no_grad():\n    h = net(x)\n"
    )
    shown = drawn(program + "(x * h).sum().backward()")
    assert shown["c0"].texts[:2] == ("✂ no_grad", "h = net(x)")


def test_leaves_without_gradient_are_drawn() -> None:
    recording = samples.recorded(samples.CONSTANT)
    shown = drawn(samples.CONSTANT)
    by_name = {leaf.name: shown[leaf.id] for leaf in recording.leaves if leaf.node_id is None}
    assert "leaf" in by_name["data"].classes
    assert "requires_grad" in by_name["unused"].texts


@pytest.mark.parametrize("arrows", ["gradient", "forward"])
def test_arrows_point_the_way_that_was_chosen(arrows: str) -> None:
    text = to_dot(TWO, GraphOptions(arrows=arrows))  # type: ignore[arg-type]
    for edge in TWO.edges:
        ends = (edge.source, edge.target) if arrows == "gradient" else (edge.target, edge.source)
        assert re.search(rf"^\t{ends[0]} -> {ends[1]} .*id={edge.id}\b", text, re.MULTILINE)


def test_a_part_of_the_graph_counts_what_is_left_out() -> None:
    recording = samples.recorded(samples.SHARED_IN_A_LOOP)
    only = neighbourhood(recording, recording.nodes[40].id, node_limit=10)
    shown = drawn(samples.SHARED_IN_A_LOOP, only=only)
    assert {id_ for id_ in shown if re.fullmatch(r"n\d+", id_)} == set(only)
    outside = {e.id for e in recording.edges if len({e.source, e.target} & set(only)) == 1}
    said = [int(group.texts[0].removeprefix("+").split()[0]) for group in shown.values() if "more" in group.classes]
    assert sum(said) == len(outside)


def test_long_lines_end_in_a_sign_when_there_are_many() -> None:
    recording = samples.recorded(samples.SHARED_IN_A_LOOP)
    broken = long_lines(lines_of(recording))
    assert broken
    shown = drawn(samples.SHARED_IN_A_LOOP)
    assert all(shown[f"{id_}-end"].texts == ("→ x",) for id_ in broken)
    assert not long_lines(lines_of(TWO))
    assert "sign" in {entry.sign for entry in legend(recording, GraphOptions())}


HOSTILE = ["<b>x</b>", "<<i>x</i>>", "a\\nb", "\\N \\G \\l", 'say "hi" \\', "&lt;&#65;", "]; evil [", "变量", "</text>"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_letter_by_letter(name: str) -> None:
    leaf = msgspec.structs.replace(TWO.leaves[0], name=name)
    node = msgspec.structs.replace(TWO.nodes[-1], name=name)
    recording = msgspec.structs.replace(TWO, leaves=(leaf, *TWO.leaves[1:]), nodes=(*TWO.nodes[:-1], node))
    shown = groups(lay_out(to_dot(recording)))
    assert leaf.node_id is not None
    assert shown[leaf.node_id].texts[0] == f"{name} (3,)"
    assert shown[node.id].texts[0] == name


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=20))
def test_any_name_gives_well_formed_svg(name: str) -> None:
    node = msgspec.structs.replace(TWO.nodes[0], name=name)
    shown = groups(lay_out(to_dot(msgspec.structs.replace(TWO, nodes=(node, *TWO.nodes[1:])))))
    assert shown.keys() >= {one.id for one in TWO.nodes}


@pytest.mark.parametrize("id_", ['"><script>', "a:b", "<b>", "x y\\"])
def test_hostile_ids_stay_inside_their_attribute(id_: str) -> None:
    leaf = msgspec.structs.replace(samples.recorded(samples.NO_GRAPH).leaves[0], id=id_)
    recording = msgspec.structs.replace(samples.recorded(samples.NO_GRAPH), leaves=(leaf,), events=())
    shown = groups(lay_out(to_dot(recording)))
    assert [group.texts[0] for id_, group in shown.items() if id_ != "graph0"] == ["x (3,)"]


def test_the_svg_is_one_element_with_a_view_box_and_no_tool_tips() -> None:
    svg = lay_out(to_dot(TWO))
    assert svg.startswith("<svg ")
    assert 'viewBox="' in svg
    assert "<title" not in svg
    assert "<!--" not in svg


def test_what_is_no_dot_is_refused() -> None:
    with pytest.raises(LayoutFailed):
        lay_out("digraph { a -> ")


def test_an_empty_recording_gives_an_empty_picture() -> None:
    empty = msgspec.structs.replace(TWO, leaves=(), nodes=(), edges=(), events=(), cuts=())
    assert set(groups(lay_out(to_dot(empty)))) == {"graph0"}
    assert legend(empty, GraphOptions()) == ()


def test_the_legend_explains_what_stands_for_a_tensor_too_long_to_be_written_out() -> None:
    program = "x = torch.ones({0}, requires_grad=True)\n(x * torch.arange({0}.0)).sum().backward()\n"
    short, long = (samples.recorded(f"import torch\n{program.format(size)}") for size in (2, 30))
    signs = {entry.sign for entry in legend(long, GraphOptions())} - {e.sign for e in legend(short, GraphOptions())}
    assert signs == {"norm", "constant"}
    assert not signs & {entry.sign for entry in legend(long, GraphOptions(show_values=False))}


@pytest.mark.parametrize(("text", "count"), [("x", 1), ("变量", 4), ("‖·‖", 3), ("", 0)])
def test_columns_count_chinese_characters_twice(text: str, count: int) -> None:
    assert columns(text) == count


def test_shortening_keeps_short_text_and_ends_long_text_with_an_ellipsis() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"


def test_a_span_over_two_lines_is_one_line() -> None:
    over = Span(line=1, column=4, end_line=2, end_column=8)
    assert span_text("y = (x\n   * 2)\n", over) == "(x * 2)"
    assert span_text("y = 1", over) == ""


def test_an_emoji_of_several_parts_stays_whole_and_what_xml_forbids_is_replaced() -> None:
    program = 'd = {"👩\u200d🔬": torch.ones(2, requires_grad=True), "\x01": torch.ones(2)}\n'
    shown = drawn(program + '(d["👩\u200d🔬"] * d["\x01"]).sum().backward()')
    written = " ".join(text for group in shown.values() for text in group.texts)
    assert 'd["👩\u200d🔬"]' in written
    assert "\x01" not in written
    assert "�" in written

"""The inspector: what came into a node, what it sent on, what it had saved, in numbers and as heat maps."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from explorer.model import Accumulated, Edge, Leaf, Node, NodeRan, Recording, Span, TensorValue
from explorer.model.text import cells, shape_text, tensor_text
from explorer.render.heat_map import heat_map
from explorer.render.labels import span_text
from explorer.render.palette import Theme
from explorer.ui.keys import Key
from explorer.ui.words import language, say

MOST_TABLE_CELLS = 128 * 128


class Exhibit(NamedTuple):
    """A tensor to be shown.

    Args:
        title: What it is.
        value: Its numbers; None for an undefined gradient.
        note: Where it goes or comes from.
    """

    title: str
    value: TensorValue | None
    note: str = ""


def inspector(recording: Recording, step: int, selected: str | None, *, height: int) -> None:
    """Draws the inspector in a box of fixed height, so that nothing moves while stepping.

    Args:
        recording: What happened.
        step: Up to where.
        selected: Id of a node, edge, leaf, cut or saved tensor; None for nothing.
        height: In CSS pixels.
    """
    with st.container(height=height, key="inspector"):
        node_id = node_behind(recording, selected)
        if selected is None or (node_id is None and _leaf(recording, selected) is None):
            st.markdown(f"#### {say('inspector.name')}")
            st.caption(say("inspector.empty"))
        elif node_id is not None and recording.node(node_id).kind != "accumulate":
            _node(recording, recording.node(node_id), step)
        else:
            leaf = _leaf(recording, selected) or _leaf_of_node(recording, node_id)
            if leaf is not None:
                _leaf_panel(recording, leaf, step)


def node_behind(recording: Recording, selected: str | None) -> str | None:
    """The node that a part of the picture belongs to: an edge's sender, a saved tensor's owner."""
    if selected is None:
        return None
    known = {node.id for node in recording.nodes}
    edges = {edge.id: edge.source for edge in recording.edges}
    first, _, last = selected.partition("-")
    candidates = (selected, edges.get(selected), last if first == "seed" else first)
    return next((one for one in candidates if one in known), None)


def last_run(recording: Recording, node_id: str, step: int) -> NodeRan | None:
    """How a node ran when it last did, up to a step."""
    events = reversed(recording.events[:step])
    return next((event for event in events if isinstance(event, NodeRan) and event.node_id == node_id), None)


def _leaf(recording: Recording, selected: str) -> Leaf | None:
    return next((leaf for leaf in recording.leaves if leaf.id == selected.partition("-")[0]), None)


def _leaf_of_node(recording: Recording, node_id: str | None) -> Leaf | None:
    return next((leaf for leaf in recording.leaves if leaf.node_id == node_id), None)


def _node(recording: Recording, node: Node, step: int) -> None:
    st.markdown(f"#### {_code(node.name)}")
    _expression(recording, node.variable, node.span)
    ran = last_run(recording, node.id, step)
    st.caption(_order(recording, node, ran))
    incoming = ran.grad_outputs if ran else ()
    exhibits = [_incoming(value, index, len(incoming)) for index, value in enumerate(incoming)]
    exhibits += [_sent(recording, edge, ran.grad_inputs) for edge in recording.edges_from(node.id) if ran]
    exhibits += [
        Exhibit(
            say("inspector.saved", name=saved.name), saved.value, _saved_note(recording, saved.leaf_id, saved.node_id)
        )
        for saved in node.saved
        if saved.value is not None
    ]
    if node.value is not None:
        exhibits.append(Exhibit(say("inspector.result"), node.value))
    _exhibits(exhibits)
    settings = [f"{kept.name} = {kept.text}" for kept in node.saved if kept.value is None and kept.text]
    if settings:
        st.caption(say("inspector.settings"))
        st.code("\n".join(settings), language=None, wrap_lines=True)


def _leaf_panel(recording: Recording, leaf: Leaf, step: int) -> None:
    st.markdown(f"#### {_code(leaf.name)}")
    _expression(recording, None, leaf.span)
    st.caption(say("inspector.leaf" if leaf.requires_grad else "inspector.constant"))
    exhibits = [Exhibit(say("inspector.value"), leaf.value)]
    arrived = next(
        (
            event
            for event in reversed(recording.events[:step])
            if isinstance(event, Accumulated) and event.leaf_id == leaf.id
        ),
        None,
    )
    if arrived is not None:
        exhibits = [
            Exhibit(say("inspector.after", name=leaf.name), arrived.after),
            Exhibit(say("inspector.before", name=leaf.name), arrived.before),
            Exhibit(say("inspector.incoming"), arrived.incoming),
            *exhibits,
        ]
    _exhibits(exhibits)


def _expression(recording: Recording, variable: str | None, span: Span | None) -> None:
    written = span_text(recording.source, span)
    if written:
        st.code(f"{variable} = {written}" if variable else written, language="python", wrap_lines=True)


def _order(recording: Recording, node: Node, ran: NodeRan | None) -> str:
    if ran is None:
        return say("inspector.not_yet")
    one = recording.backward_passes[ran.backward_pass]
    place = 1 + [step.node_id for step in one.steps].index(node.id)
    return say("inspector.order", place=place, count=len(one.steps), number=one.index + 1, sequence_nr=node.sequence_nr)


def _incoming(value: TensorValue | None, index: int, count: int) -> Exhibit:
    return Exhibit(say("inspector.incoming") if count == 1 else say("inspector.incoming_nr", index=index), value)


def _sent(recording: Recording, edge: Edge, grad_inputs: tuple[TensorValue | None, ...]) -> Exhibit:
    target = recording.node(edge.target)
    name = target.variable if target.kind == "accumulate" and target.variable else target.name
    value = grad_inputs[edge.slot] if edge.slot < len(grad_inputs) else None
    return Exhibit(say("inspector.sent", target=name), value, say("inspector.slot", slot=edge.slot))


def _saved_note(recording: Recording, leaf_id: str | None, node_id: str | None) -> str:
    if leaf_id is not None:
        return say("inspector.is_leaf", name=recording.leaf(leaf_id).name)
    if node_id is not None:
        node = recording.node(node_id)
        return say("inspector.is_result", name=node.variable or node.name)
    return ""


def _exhibits(exhibits: list[Exhibit]) -> None:
    """Every tensor in a line; the chosen one as heat map or table."""
    titles = [exhibit.title for exhibit in exhibits]
    for title, exhibit in zip(titles, exhibits, strict=True):
        line = tensor_text(exhibit.value) if exhibit.value is not None else "None"
        shape = f" · {shape_text(exhibit.value.shape)}" if exhibit.value is not None else ""
        note = f" · {exhibit.note}" if exhibit.note else ""
        st.caption(f"{_plain(title)}{shape}{_plain(note)}")
        st.code(_shortened(line), language=None, wrap_lines=True)
    drawable = [i for i, exhibit in enumerate(exhibits) if exhibit.value is not None and exhibit.value.numel > 1]
    if not drawable:
        return
    chosen = st.selectbox(
        say("inspector.draw"),
        drawable,
        format_func=titles.__getitem__,
        key=f"{Key.TENSOR}-{'|'.join(titles)}",
        label_visibility="collapsed",
    )
    value = exhibits[chosen].value
    assert value is not None
    names = {name: say(f"inspector.{name}") for name in ("heat_map", "table")}
    as_table = st.segmented_control(
        say("inspector.view"),
        names,
        key=Key.VIEW,
        default="heat_map",
        format_func=names.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    if as_table == "table":
        _table(value)
    else:
        figure = heat_map(value, titles[chosen], theme(), language())
        st.plotly_chart(figure, width="stretch", theme=None, key="heat-map", config={"displayModeBar": False})


def _table(value: TensorValue) -> None:
    written = cells(value)[:MOST_TABLE_CELLS]
    columns = value.shape[-1] if value.complete and value.shape else 1
    rows = [written[start : start + columns] for start in range(0, len(written), max(columns, 1))]
    st.dataframe({str(column): [row[column] for row in rows] for column in range(columns)}, hide_index=False)


def theme() -> Theme:
    """The page's theme, for charts."""
    return "dark" if st.context.theme.type == "dark" else "light"


def _code(words: str) -> str:
    """Text as code in Markdown, whatever it holds."""
    return f"`{words.replace('`', 'ˋ')}`"


def _plain(words: str) -> str:
    """Text that Markdown leaves alone."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#+-!|~$:" else sign for sign in words)


def _shortened(line: str, most: int = 600) -> str:
    return line if len(line) <= most else f"{line[:most]} …"

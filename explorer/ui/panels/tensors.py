"""Every tensor of a node or leaf in full: as text, as a heat map, as a table. Drawn only once it is asked for."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from explorer.model import Accumulated, Edge, Leaf, Node, NodeRan, Recording, SavedTensor, TensorValue
from explorer.model.text import cells, shape_text, tensor_text
from explorer.ui.insight.content import last_added
from explorer.ui.keys import Key
from explorer.ui.markdown import plain
from explorer.ui.panels.subject import Subject
from explorer.ui.style import theme
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

    @property
    def label(self) -> str:
        """What tells it from the others: two edges may lead to one leaf."""
        return f"{self.title} · {self.note}" if self.note else self.title


def tensors(recording: Recording, subject: Subject, step: int) -> None:
    """Draws every tensor of a subject below a heading that opens them; closed, it costs nothing."""
    folded = st.expander(say("inspector.all_tensors"), key=Key.ALL_TENSORS, on_change="rerun")
    if not folded.open:
        return
    with folded:
        if subject.leaf is not None:
            _exhibits(_of_leaf(recording, subject.leaf, step))
        elif subject.node is not None:
            _exhibits(_of_node(recording, subject.node, step))


def _of_node(recording: Recording, node: Node, step: int) -> list[Exhibit]:
    ran = recording.last_run(node.id, step)
    incoming = ran.grad_outputs if ran else ()
    return [
        *(_incoming(value, index, len(incoming)) for index, value in enumerate(incoming)),
        *(_sent(recording, edge, ran) for edge in recording.edges_from(node.id) if ran),
        *(
            Exhibit(
                say("inspector.saved", name=saved.name),
                saved.value,
                _saved_note(recording, saved),
            )
            for saved in node.saved
            if saved.value is not None
        ),
        *([Exhibit(say("inspector.result"), node.value)] if node.value is not None else []),
    ]


def _of_leaf(recording: Recording, leaf: Leaf, step: int) -> list[Exhibit]:
    value = Exhibit(say("inspector.value"), leaf.value)
    added = last_added(recording, leaf.id, step)
    return [value] if added is None else [*_of_sum(leaf, added), value]


def _of_sum(leaf: Leaf, added: Accumulated) -> list[Exhibit]:
    return [
        Exhibit(say("inspector.after", name=leaf.name), added.after),
        Exhibit(say("inspector.before", name=leaf.name), added.before),
        Exhibit(say("inspector.incoming"), added.incoming),
    ]


def _incoming(value: TensorValue | None, index: int, count: int) -> Exhibit:
    return Exhibit(say("inspector.incoming") if count == 1 else say("inspector.incoming_nr", index=index), value)


def _sent(recording: Recording, edge: Edge, ran: NodeRan) -> Exhibit:
    target = recording.node(edge.target)
    name = target.variable if target.kind == "accumulate" and target.variable else target.name
    value = ran.grad_inputs[edge.slot] if edge.slot < len(ran.grad_inputs) else None
    return Exhibit(say("inspector.sent", target=name), value, say("inspector.slot", slot=edge.slot))


def _saved_note(recording: Recording, saved: SavedTensor) -> str:
    if saved.leaf_id is not None:
        return say("inspector.is_leaf", name=recording.leaf(saved.leaf_id).name)
    if saved.node_id is not None:
        node = recording.node(saved.node_id)
        return say("inspector.is_result", name=node.variable_of(saved.output_nr) or node.name)
    return ""


def _exhibits(exhibits: list[Exhibit]) -> None:
    """Every tensor in a line; the chosen one as heat map or table."""
    for exhibit in exhibits:
        _line(exhibit)
    drawable = [i for i, exhibit in enumerate(exhibits) if exhibit.value is not None and exhibit.value.numel > 1]
    if drawable:
        labels = [exhibit.label for exhibit in exhibits]
        chosen = st.selectbox(
            say("inspector.draw"),
            drawable,
            format_func=labels.__getitem__,
            key=f"{Key.TENSOR}-{'|'.join(labels)}",
            label_visibility="collapsed",
        )
        _drawn(exhibits[chosen])


def _line(exhibit: Exhibit) -> None:
    written = tensor_text(exhibit.value) if exhibit.value is not None else "None"
    shape = f" · {shape_text(exhibit.value.shape)}" if exhibit.value is not None else ""
    note = f" · {exhibit.note}" if exhibit.note else ""
    st.caption(f"{plain(exhibit.title)}{shape}{plain(note)}")
    st.code(_shortened(written), language=None, wrap_lines=True)


def _drawn(exhibit: Exhibit) -> None:
    assert exhibit.value is not None
    names = {name: say(f"inspector.{name}") for name in ("heat_map", "table")}
    view = st.segmented_control(
        say("inspector.view"),
        names,
        key=Key.VIEW,
        default="heat_map",
        format_func=names.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    if view == "table":
        _table(exhibit.value)
    else:
        from explorer.render.heat_map import heat_map  # plotly is not needed until somebody looks

        figure = heat_map(exhibit.value, exhibit.title, theme(), language())
        st.plotly_chart(figure, width="stretch", theme=None, key="heat-map", config={"displayModeBar": False})


def _table(value: TensorValue) -> None:
    written = cells(value)[:MOST_TABLE_CELLS]
    columns = value.shape[-1] if value.complete and value.shape else 1
    rows = [written[start : start + columns] for start in range(0, len(written), max(columns, 1))]
    st.dataframe({str(column): [row[column] for row in rows] for column in range(columns)}, hide_index=False)


def _shortened(line: str, most: int = 600) -> str:
    return line if len(line) <= most else f"{line[:most]} …"

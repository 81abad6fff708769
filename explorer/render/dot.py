"""A recording as DOT: one graph, laid out once, in which every element can be found again by its id.

Boxes are as wide as the longest text they will ever hold, counted in columns of a monospaced font, so that a player may
replace texts without a new layout. Colours are neutral; a style sheet colours by class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import graphviz

from explorer.model import Leaf, Node, Recording
from explorer.model.source import columns
from explorer.render.labels import (
    Lines,
    accumulate_lines,
    cut_lines,
    cutter,
    leaf_lines,
    node_lines,
    saved_lines,
    settings_lines,
    shortened,
)
from explorer.render.leaf_values import value_line_texts
from explorer.render.lines import Line, lines_of, long_lines
from explorer.render.options import GraphOptions
from explorer.render.tracks import Tracks, longest_text, tracks

FONT = "Courier"
COLUMN_EM = 0.625
"""Width of a column; the widest of the common monospaced fonts has 0.618 em."""
LINE_EM = 1.2
POINTS_PER_INCH = 72
BOX_POINTS, SMALL_POINTS = 12, 10
PADDING_COLUMNS, PADDING_LINES = 2, 0.8
SIGN_CHARACTERS = 20

JOINER = "\u200d"
"""Holds the parts of an emoji together."""

INK, PALE, PAPER = "#333333", "#8a8a8a", "#ffffff"

# Shape, not colour alone, tells the kinds of boxes apart.
LOOKS: dict[str, dict[str, str]] = {
    "operation": {"shape": "box", "style": "rounded,filled"},
    "custom": {"shape": "box", "style": "rounded,filled", "peripheries": "2"},
    "accumulate": {"shape": "box", "style": "filled", "penwidth": "1.6"},
    "leaf": {"shape": "box", "style": "filled", "color": PALE, "fontcolor": PALE},
    "saved": {"shape": "note", "style": "filled", "color": PALE, "fontsize": str(SMALL_POINTS), "margin": "0.06,0.03"},
    "cut": {"shape": "box", "style": "diagonals,dashed,filled"},
    "sign": {"shape": "plain", "color": PALE, "fontcolor": PALE},
    "more": {"shape": "plain", "color": PALE, "fontcolor": PALE},
}


def to_dot(recording: Recording, options: GraphOptions | None = None) -> str:
    """The recording's graph as DOT text; equal for equal arguments."""
    return _Drawing(recording, options or GraphOptions()).draw()


class _Drawing:
    """One DOT text in the making."""

    def __init__(self, recording: Recording, options: GraphOptions) -> None:
        self.recording = recording
        self.options = options
        self.tracks: Tracks = tracks(recording)
        texts = value_line_texts(recording, options)
        self.longest_values = {box: max((text for _, text in lines), key=len) for box, lines in texts.items()}
        shown = {node.id for node in recording.nodes} if options.only is None else set(options.only)
        self.nodes = [node for node in recording.nodes if node.id in shown]
        self.shown = {node.id for node in self.nodes}
        self.leaves = {leaf.id: leaf for leaf in recording.leaves if leaf.node_id is None}
        self.boxes = self.shown | self._boxes_beside_nodes()
        self.lines = [line for line in lines_of(recording) if {line.source, line.target} <= self.boxes]
        self.long_lines = long_lines(self.lines)
        self.dot = graphviz.Digraph(
            name="graph",
            graph_attr={
                "rankdir": "TB",
                "nodesep": "0.22",
                "ranksep": "0.28",
                "bgcolor": "transparent",
                # Bounds the search for shorter lines, which hardly shows and takes most of the time.
                "nslimit": "2",
                "nslimit1": "2",
            },
            node_attr={
                "fontname": FONT,
                "fontsize": str(BOX_POINTS),
                "color": INK,
                "fillcolor": PAPER,
                "margin": "0.08,0.04",
                "height": "0.2",
            },
            edge_attr={"fontname": FONT, "fontsize": str(SMALL_POINTS + 1), "color": INK, "arrowsize": "0.7"},
        )

    def draw(self) -> str:
        for node in self.nodes:
            self._node(node)
        for leaf in self.leaves.values():
            if leaf.id in self.boxes:
                self._box(leaf.id, "leaf", self._leaf_lines(leaf), "leaf")
        for cut in self.recording.cuts:
            if cut.id in self.boxes:
                self._box(cut.id, "cut", cut_lines(self.recording, cut, self.options), "cut")
        for line in self.lines:
            self._line(line)
        self._seeds()
        self._hidden()
        return str(self.dot.source)

    def _boxes_beside_nodes(self) -> set[str]:
        """Leaves without gradient and cuts: all, or in a part of the graph those that touch one of its nodes."""
        beside = {*self.leaves, *(cut.id for cut in self.recording.cuts)}
        if self.options.only is None:
            return beside
        ends = [{line.source, line.target} for line in lines_of(self.recording)]
        return beside & {id_ for pair in ends if pair & self.shown for id_ in pair}

    def _node(self, node: Node) -> None:
        if node.kind == "accumulate":
            leaf = next((leaf for leaf in self.recording.leaves if leaf.node_id == node.id), None)
            grad, value = longest_text(self.tracks[node.id]), self.longest_values.get(node.id)
            lines = accumulate_lines(node, leaf, self.options, grad, value)
        else:
            lines = node_lines(self.recording, node, self.options)
        classes = node.kind if node.order == 1 else f"{node.kind} order-{node.order}"
        self._box(node.id, node.kind, lines, classes)
        if self.options.show_saved and node.saved:
            self._saved(node)

    def _saved(self, node: Node) -> None:
        """Beside their node: a chain on the same rank, which keeps the way from root to leaf straight.

        What is no tensor (flags, exponents) shares one box, under the id of the first of them. Sizes and strides,
        which nearly every node keeps, are left to the inspector.
        """
        tensors = [(k, saved) for k, saved in enumerate(node.saved) if saved.value is not None]
        plain = [(k, saved) for k, saved in enumerate(node.saved) if saved.value is None]
        settings = [(k, saved) for k, saved in plain if "_sym_" not in saved.name]
        boxes = [(k, "saved", saved_lines(self.recording, saved, self.options)) for k, saved in tensors]
        if settings:
            boxes.append((settings[0][0], "saved settings", settings_lines([saved for _, saved in settings])))
        with self.dot.subgraph() as rank:
            rank.attr(rank="same")
            before = node.id
            for k, classes, lines in boxes:
                box_id = f"{node.id}-s{k}"
                self._box(box_id, "saved", lines, classes, rank)
                self._link(before, box_id, f"{box_id}-link", "saved-link", rank)
                before = box_id

    def _line(self, line: Line) -> None:
        target = line.target
        if line.id in self.long_lines:
            target = f"{line.id}-end"
            name = self._name(line.target)
            self._box(target, "sign", (f"→ {name}" if self.options.arrows == "gradient" else f"{name} →",), "sign")
        if line.kind == "edge":
            self._arrow(line.source, target, line.id, "", longest_text(self.tracks[line.id]))
        else:
            self._link(line.source, target, line.id, line.kind)

    def _name(self, box_id: str) -> str:
        """What a box is called, on a sign that points to it."""
        called = {leaf.node_id or leaf.id: leaf.name for leaf in self.recording.leaves}
        called |= {cut.id: f"✂ {cut.variable or cutter(cut)}" for cut in self.recording.cuts}
        if box_id in called:
            return shortened(called[box_id], SIGN_CHARACTERS)
        node = self.recording.node(box_id)
        return shortened(node.variable or node.name, SIGN_CHARACTERS)

    def _seeds(self) -> None:
        for node in self.nodes:
            seed_id = f"seed-{node.id}"
            if seed_id in self.tracks:
                start = f"{seed_id}-start"
                self.dot.node(_safe(start), label="", shape="point", width="0.05", **_named(start, "seed-start"))
                self._arrow(start, node.id, seed_id, "seed", longest_text(self.tracks[seed_id]))

    def _leaf_lines(self, leaf: Leaf) -> Lines:
        lines = leaf_lines(leaf, self.options, self.longest_values.get(leaf.id))
        return (*lines, "requires_grad", ".grad None") if leaf.requires_grad else lines

    def _hidden(self) -> None:
        """Says beside a node how many of its neighbours are not drawn."""
        among = {node.id for node in self.recording.nodes} if self.options.among is None else {*self.options.among}
        hidden_ids = among - self.shown
        for node in self.nodes if hidden_ids else ():
            before = {edge.source for edge in self.recording.edges_to(node.id)} & hidden_ids
            behind = {edge.target for edge in self.recording.edges_from(node.id)} & hidden_ids
            for side, hidden in (("before", before), ("behind", behind)):
                if hidden:
                    more_id = f"more-{side}-{node.id}"
                    self._box(more_id, "more", (f"+{len(hidden)} …",), "more")
                    ends = (more_id, node.id) if side == "before" else (node.id, more_id)
                    self._link(*ends, f"{more_id}-link", "more-link")

    def _box(
        self, id_: str, kind: str, lines: Sequence[str], classes: str, where: graphviz.Digraph | None = None
    ) -> None:
        look = LOOKS[kind]
        points = int(look.get("fontsize", BOX_POINTS))
        width = (max(map(columns, lines), default=0) + PADDING_COLUMNS) * COLUMN_EM * points / POINTS_PER_INCH
        height = (len(lines) + PADDING_LINES) * LINE_EM * points / POINTS_PER_INCH
        size = {} if look["shape"] == "plain" else {"width": f"{width:.3f}", "height": f"{height:.3f}"}
        (where or self.dot).node(_safe(id_), label=_label(lines), **_named(id_, classes), **size, **look)

    def _arrow(self, source: str, target: str, id_: str, classes: str, text: str) -> None:
        """An arrow that a gradient travels from source to target, drawn the way the user chose."""
        # The blanks keep the number off the line.
        label = {"label": _label((f" {text} ",))} if text else {}
        style = {"style": "dashed"} if classes == "seed" else {}
        if id_ in self.long_lines:
            # The rest of the graph stays in line; the sign goes where there is room.
            style["weight"] = "0"
        self.dot.edge(*self._drawn(source, target), **_named(id_, classes), **label, **style)

    def _link(self, source: str, target: str, id_: str, classes: str, where: graphviz.Digraph | None = None) -> None:
        """A line along which no gradient travels."""
        ends = (_safe(source), _safe(target)) if where is not None else self._drawn(source, target)
        (where or self.dot).edge(*ends, **_named(id_, classes), style="dashed", color=PALE, arrowhead="none")

    def _drawn(self, source: str, target: str) -> tuple[str, str]:
        ends = (_safe(source), _safe(target))
        return ends if self.options.arrows == "gradient" else ends[::-1]


def _label(lines: Iterable[str]) -> str:
    """Text that Graphviz shows exactly as it is.

    The library sees to quotes, backslashes and "<…>"; Graphviz itself would still turn "&lt;" into "<", and XML knows
    no control characters.
    """
    escaped: str = graphviz.escape("\n".join(_printable(line).replace("&", "&amp;") for line in lines))
    return escaped


def _named(id_: str, classes: str) -> dict[str, str]:
    """The attributes that arrive on the SVG group; Graphviz itself adds the class "node" or "edge"."""
    return {"id": _safe(id_), "class": classes} if classes else {"id": _safe(id_)}


def _safe(id_: str) -> str:
    """An id as DOT and SVG can carry it; the recorder's own stay as they are, an upload's may be any text."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", id_)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() or character == JOINER else "�" for character in text)

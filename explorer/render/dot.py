"""A recording as DOT: one graph, laid out once, in which every element can be found again by its id.

Boxes are as wide as the longest text they will ever hold, counted in columns of a monospaced font, so that a player may
replace texts without a new layout. Colours are neutral; a style sheet colours by class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import graphviz

from explorer.model import Edge, Leaf, Node, Recording
from explorer.render.labels import (
    Lines,
    accumulate_lines,
    columns,
    cut_lines,
    leaf_lines,
    node_lines,
    saved_lines,
    settings_lines,
)
from explorer.render.options import GraphOptions
from explorer.render.tracks import Tracks, leaf_links, longest_text, tracks

FONT = "Courier"
COLUMN_EM = 0.625
"""Width of a column; the widest of the common monospaced fonts has 0.618 em."""
LINE_EM = 1.2
POINTS_PER_INCH = 72
BOX_POINTS, SMALL_POINTS = 12, 10
PADDING_COLUMNS, PADDING_LINES = 2, 0.8

INK, PALE, PAPER = "#333333", "#8a8a8a", "#ffffff"

# Shape, not colour alone, tells the kinds of boxes apart.
LOOKS: dict[str, dict[str, str]] = {
    "operation": {"shape": "box", "style": "rounded,filled"},
    "custom": {"shape": "box", "style": "rounded,filled", "peripheries": "2"},
    "accumulate": {"shape": "box", "style": "filled", "penwidth": "1.6"},
    "leaf": {"shape": "box", "style": "filled", "color": PALE, "fontcolor": PALE},
    "saved": {"shape": "note", "style": "filled", "color": PALE, "fontsize": str(SMALL_POINTS), "margin": "0.06,0.03"},
    "cut": {"shape": "box", "style": "diagonals,dashed,filled"},
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
        shown = {node.id for node in recording.nodes} if options.only is None else set(options.only)
        self.nodes = [node for node in recording.nodes if node.id in shown]
        self.shown = {node.id for node in self.nodes}
        self.dot = graphviz.Digraph(
            name="graph",
            graph_attr={"rankdir": "TB", "nodesep": "0.22", "ranksep": "0.28", "bgcolor": "transparent"},
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
        for edge in self.recording.edges:
            self._edge(edge)
        self._seeds()
        self._leaves()
        self._cuts()
        self._hidden()
        return str(self.dot.source)

    def _node(self, node: Node) -> None:
        if node.kind == "accumulate":
            leaf = next((leaf for leaf in self.recording.leaves if leaf.node_id == node.id), None)
            lines = accumulate_lines(node, leaf, self.options, longest_text(self.tracks[node.id]))
        else:
            lines = node_lines(self.recording, node, self.options)
        classes = node.kind if node.order == 1 else f"{node.kind} order-{node.order}"
        self._box(node.id, node.kind, lines, classes)
        if self.options.show_saved and node.saved:
            self._saved(node)

    def _saved(self, node: Node) -> None:
        """Beside their node: a chain on the same rank, which keeps the way from root to leaf straight.

        What is no tensor (sizes, flags) shares one box, under the id of the first of them.
        """
        tensors = [(k, saved) for k, saved in enumerate(node.saved) if saved.value is not None]
        settings = [(k, saved) for k, saved in enumerate(node.saved) if saved.value is None]
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

    def _edge(self, edge: Edge) -> None:
        if {edge.source, edge.target} <= self.shown:
            self._arrow(edge.source, edge.target, edge.id, "", longest_text(self.tracks[edge.id]))

    def _seeds(self) -> None:
        for node in self.nodes:
            seed_id = f"seed-{node.id}"
            if seed_id in self.tracks:
                start = f"{seed_id}-start"
                self.dot.node(_safe(start), label="", shape="point", width="0.05", **_named(start, "seed-start"))
                self._arrow(start, node.id, seed_id, "seed", longest_text(self.tracks[seed_id]))

    def _leaves(self) -> None:
        """Leaves without gradient, grey, beside the nodes they went into."""
        links = [(leaf_id, node_id) for leaf_id, node_id in leaf_links(self.recording) if node_id in self.shown]
        linked = {leaf_id for leaf_id, _ in links}
        for leaf in self.recording.leaves:
            if leaf.node_id is None and (leaf.id in linked or self.options.only is None):
                self._box(leaf.id, "leaf", self._leaf_lines(leaf), "leaf")
        for leaf_id, node_id in links:
            self._link(node_id, leaf_id, f"{leaf_id}-{node_id}", "leaf-link")

    def _leaf_lines(self, leaf: Leaf) -> Lines:
        lines = leaf_lines(leaf, self.options)
        return (*lines, "requires_grad", ".grad None") if leaf.requires_grad else lines

    def _cuts(self) -> None:
        boxes = self.shown | {leaf.id for leaf in self.recording.leaves if leaf.node_id is None}
        leaf_boxes = {leaf.id: leaf.node_id or leaf.id for leaf in self.recording.leaves}
        for cut in self.recording.cuts:
            ends = [(f"{cut.id}-{k}", node_id) for k, (node_id, _) in enumerate(cut.consumers) if node_id in self.shown]
            sources = [(f"{cut.id}-from-{id_}", leaf_boxes.get(id_, id_)) for id_ in cut.sources]
            sources = [(link_id, box_id) for link_id, box_id in sources if box_id in boxes]
            if self.options.only is not None and not ends and not sources:
                continue
            self._box(cut.id, "cut", cut_lines(self.recording, cut, self.options), "cut")
            for link_id, node_id in ends:
                self._link(node_id, cut.id, link_id, "cut-link")
            for link_id, box_id in sources:
                self._link(cut.id, box_id, link_id, "cut-link")

    def _hidden(self) -> None:
        """Says beside a node how many of its neighbours are not drawn."""
        for node in self.nodes:
            before = {edge.source for edge in self.recording.edges_to(node.id)} - self.shown
            behind = {edge.target for edge in self.recording.edges_from(node.id)} - self.shown
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
    return "".join(character if character.isprintable() else "�" for character in text)

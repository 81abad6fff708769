"""What the inspector is about: the node or leaf behind a part of the picture."""

from __future__ import annotations

from typing import NamedTuple

from explorer.model import Leaf, Node, Recording


class Subject(NamedTuple):
    """A node, a leaf, or a leaf with its `AccumulateGrad`.

    Args:
        node: The node; None for a leaf that no gradient goes to.
        leaf: The leaf; None for a node that is no leaf's.
    """

    node: Node | None
    leaf: Leaf | None

    @property
    def name(self) -> str:
        """torch's name of the node, or the program's of the leaf."""
        if self.leaf is not None:
            return self.leaf.name
        return self.node.name if self.node is not None else ""


def subject_of(recording: Recording, selected: str | None) -> Subject | None:
    """What a part of the picture belongs to: an edge to its sender, a saved tensor to its owner.

    Args:
        recording: What happened.
        selected: Id of a node, edge, leaf, cut or saved tensor; None for nothing.
    """
    node_id = node_behind(recording, selected)
    leaf = _leaf(recording, selected) or _leaf_of_node(recording, node_id)
    node = recording.node(node_id) if node_id is not None else None
    if leaf is not None and node is None and leaf.node_id is not None:
        node = recording.node(leaf.node_id)
    return None if node is None and leaf is None else Subject(node, leaf)


def node_behind(recording: Recording, selected: str | None) -> str | None:
    """The node that a part of the picture belongs to; None if it belongs to none."""
    if selected is None:
        return None
    known = {node.id for node in recording.nodes}
    edges = {edge.id: edge.source for edge in recording.edges}
    first, _, last = selected.partition("-")
    candidates = (selected, edges.get(selected), last if first == "seed" else first)
    return next((one for one in candidates if one in known), None)


def _leaf(recording: Recording, selected: str | None) -> Leaf | None:
    return next((leaf for leaf in recording.leaves if leaf.id == (selected or "").partition("-")[0]), None)


def _leaf_of_node(recording: Recording, node_id: str | None) -> Leaf | None:
    return next((leaf for leaf in recording.leaves if node_id is not None and leaf.node_id == node_id), None)

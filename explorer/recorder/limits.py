"""Where a recorder stops looking."""

from __future__ import annotations

import msgspec


class RecordingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where a recorder stops looking; the program goes on, and the recording says that it is truncated.

    Args:
        events, nodes, edges: How many of each are kept at most.
        values: Tensors of up to so many elements are kept whole: those that torch prints whole.
        sample: How many elements of a larger one are kept.
        elements: How many elements of all tensors together.
        characters: How much printed text.
        jacobians: How many local Jacobians are asked for; 0 for none.
    """

    events: int = 5_000
    nodes: int = 2_000
    edges: int = 20_000
    values: int = 1_000
    sample: int = 64
    elements: int = 4_000_000
    characters: int = 1_000_000
    jacobians: int = 256


class Budget:
    """How much of the limits is left; whoever keeps something pays for it here.

    Args:
        limits: What there is to spend.
    """

    def __init__(self, limits: RecordingLimits) -> None:
        self.limits = limits
        self.is_spent = False
        """Whether a limit was reached: from then on nothing is kept any more."""
        self.events = limits.events
        self.nodes = limits.nodes
        self.edges = limits.edges
        self.elements = limits.elements
        self.characters = limits.characters
        self.jacobians = limits.jacobians

    def pay_nodes(self, nodes: int, edges: int) -> bool:
        """Whether so many more nodes and edges are; takes them if they are."""
        if self.is_spent or self.nodes < nodes or self.edges < edges:
            self.is_spent = True
            return False
        self.nodes -= nodes
        self.edges -= edges
        return True

    def pay_text(self, characters: int) -> bool:
        """Whether so much more printed text is, whatever else may be spent; takes it if it is."""
        if self.characters < characters:
            self.is_spent = True
            self.characters = 0
            return False
        self.characters -= characters
        return True

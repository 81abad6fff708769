"""Where a recorder stops looking."""

from __future__ import annotations

import msgspec


class RecordingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where a recorder stops looking; the program goes on, and the recording says that it is truncated.

    Args:
        events, nodes, edges: How many of each are kept at most.
        values: Tensors of up to so many elements are kept whole.
        sample: How many elements of a larger one are kept.
        elements: How many elements of all tensors together.
        characters: How much printed text.
        jacobians: How many local Jacobians are asked for; 0 for none.
    """

    events: int = 5_000
    nodes: int = 2_000
    edges: int = 20_000
    values: int = 1_024
    sample: int = 256
    elements: int = 4_000_000
    characters: int = 1_000_000
    jacobians: int = 256


class Budget:
    """How much of the limits is left; everything that is kept is paid for here.

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

    def pay(self, *, events: int = 0, nodes: int = 0, edges: int = 0, characters: int = 0) -> bool:
        """Whether so much is left; takes it if it is."""
        if (
            self.is_spent
            or self.elements < 0
            or events > self.events
            or nodes > self.nodes
            or edges > self.edges
            or characters > self.characters
        ):
            self.is_spent = True
            return False
        self.events -= events
        self.nodes -= nodes
        self.edges -= edges
        self.characters -= characters
        return True

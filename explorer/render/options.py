"""What a user can choose about the picture."""

from __future__ import annotations

from typing import Literal

from explorer.model.values import Frozen

Arrows = Literal["gradient", "forward"]


class GraphOptions(Frozen, frozen=True, kw_only=True):
    """Choices for the picture of the graph.

    Args:
        arrows: "gradient" points from the root to the leaves, as the gradient travels; "forward" the way the data went.
        show_saved: Whether the saved tensors are drawn.
        show_values: Whether boxes show the tensors' values.
        show_shapes: Whether boxes show the tensors' shapes.
        only: Ids of the nodes to draw; None for all.
        among: Ids of the nodes that are counted beside their neighbours where they are not drawn; None for all.
    """

    arrows: Arrows = "gradient"
    show_saved: bool = True
    show_values: bool = True
    show_shapes: bool = True
    only: tuple[str, ...] | None = None
    among: tuple[str, ...] | None = None

"""The programs that are measured."""

from __future__ import annotations

from explorer.gallery import function

TUTORIAL = function("both").code
"""The tutorial's third program: two functions of one x, no clearing between them."""


def ladder(nodes: int) -> str:
    """A graph of about so many nodes that is as wide as it is long: residual blocks that share one weight."""
    return f"""\
import torch
w = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
h = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
for i in range({(nodes - 3) // 4}):
    a = torch.tanh(h * w)
    b = torch.sin(h)
    h = a + b
h.sum().backward()
"""

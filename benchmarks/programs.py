"""The programs that are measured."""

from __future__ import annotations

from explorer.gallery import function

TUTORIAL = function("both").code
"""The tutorial's third program: two functions of one x, no clearing between them."""

MLP = """\
import torch
x = torch.randn(64, 32)
y = torch.randint(0, 10, (64,))
model = torch.nn.Sequential(
    torch.nn.Linear(32, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
)
loss = torch.nn.functional.cross_entropy(model(x), y)
loss.backward()
"""
"""A perceptron with three layers, one batch of 64."""


def chain(operations: int) -> str:
    """A chain of so many operations on one small tensor, and its backward pass."""
    return f"""\
import torch
x = torch.ones(3, requires_grad=True)
y = x
for i in range({operations - 1}):
    y = y * 1.001
y.sum().backward()
"""


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

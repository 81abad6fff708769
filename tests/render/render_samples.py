"""Programs whose recordings the tests draw."""

from __future__ import annotations

import contextlib
import io
import textwrap
import warnings
from functools import cache

import torch

from explorer.model import Recording
from explorer.recorder import record

TWO_FUNCTIONS = """
    x = torch.arange(3.0)
    x.requires_grad_(True)
    m = 2 * torch.dot(x, x)
    m.backward()
    h = x.sum()
    h.backward()
"""
CLEARED_BETWEEN = TWO_FUNCTIONS.replace("    h = x.sum()", "    x.grad.zero_()\n    h = x.sum()")
SQUARE_PLUS = """
    x = torch.tensor(3., requires_grad=True)
    y = x * x + x
    y.backward()
"""
CUTS = """
    x = torch.tensor([1., 2.], requires_grad=True)
    y = x * x.detach()
    with torch.no_grad():
        z = x * 2
    w = (y + z).sum()
    w.backward()
"""
CONSTANT = """
    x = torch.tensor([1., 2.], requires_grad=True)
    data = torch.tensor([3., 4.])
    unused = torch.ones(2, requires_grad=True)
    (x * data).sum().backward()
"""
DOUBLE = """
    x = torch.tensor(2., requires_grad=True)
    y = x ** 3
    g, = torch.autograd.grad(y, x, create_graph=True)
    g.backward()
"""
CUSTOM = """
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x
        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 2 * x * g
    变量 = torch.ones(2, requires_grad=True)
    y = Square.apply(变量)
    y.sum().backward()
"""
TWICE = """
    x = torch.tensor([1., 2.], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    y.backward()
"""
OVERWRITTEN = """
    x = torch.tensor([1., 2.], requires_grad=True)
    v = x.exp()
    v.add_(1)
    v.sum().backward()
"""
ATTENTION = """
    x = torch.randn(4, 3)
    wq, wk, wv = (torch.randn(3, 3, requires_grad=True) for _ in range(3))
    q, k, v = x @ wq, x @ wk, x @ wv
    weights = torch.softmax(q @ k.T / 3 ** 0.5, dim=-1)
    ((weights @ v) ** 2).mean().backward()
"""
MLP = """
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    loss = torch.nn.functional.cross_entropy(model(torch.randn(5, 3)), torch.tensor([0, 1, 0, 1, 1]))
    loss.backward()
"""
SHARED_IN_A_LOOP = """
    x = torch.arange(3.0, requires_grad=True)
    y = x
    for turn in range(60):
        y = y * 1.01 + x
    y.sum().backward()
"""
NO_GRAPH = "x = torch.arange(3.0)"

ALL = [
    TWO_FUNCTIONS,
    CLEARED_BETWEEN,
    SQUARE_PLUS,
    CUTS,
    CONSTANT,
    DOUBLE,
    CUSTOM,
    TWICE,
    OVERWRITTEN,
    ATTENTION,
    MLP,
    SHARED_IN_A_LOOP,
    NO_GRAPH,
]


@cache
def recorded(program: str) -> Recording:
    """The recording of a program; what it prints, warns or raises stays in there."""
    source = "import torch\n" + textwrap.dedent(program).strip() + "\n"
    torch.manual_seed(0)
    session = record(source=source, filename="<program>", seed=0)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with session:
            exec(compile(source, "<program>", "exec"), {"__name__": "__main__"})
    return session.recording

"""Forward and backward passes that are measured with and without the recorder: sizes as notebooks have them, and
smaller ones, 32 wide, whose numbers a reader of a graph could still look at."""

from __future__ import annotations

from types import CodeType
from typing import Any, NamedTuple

from benchmarks.programs import TUTORIAL

FILENAME = "<program>"

STEP = """
loss = net(*inputs)
loss.backward()
"""


def perceptron(inputs: int, width: int, narrower: int, batch: int) -> str:
    """Three linear layers, of which the first two end in a ReLU."""
    return f"""\
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear({inputs}, {width}), torch.nn.ReLU(), torch.nn.Linear({width}, {narrower}), torch.nn.ReLU(),
            torch.nn.Linear({narrower}, 10),
        )
    def forward(self, x, y):
        return torch.nn.functional.cross_entropy(self.layers(x), y)
net, inputs = Net(), (torch.randn({batch}, {inputs}), torch.randint(0, 10, ({batch},)))
"""


def transformer(width: int, batch: int, length: int) -> str:
    """An encoder of two layers with four heads, over sequences."""
    return f"""\
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        layer = torch.nn.TransformerEncoderLayer({width}, 4, {2 * width}, batch_first=True)
        self.encoder = torch.nn.TransformerEncoder(layer, 2)
        self.head = torch.nn.Linear({width}, 10)
    def forward(self, x, y):
        return torch.nn.functional.cross_entropy(self.head(self.encoder(x).mean(1)), y)
net, inputs = Net(), (torch.randn({batch}, {length}, {width}), torch.randint(0, 10, ({batch},)))
"""


def lstm(inputs: int, width: int, batch: int) -> str:
    """A cell that is called for each of 100 steps."""
    return f"""\
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = torch.nn.LSTMCell({inputs}, {width})
        self.head = torch.nn.Linear({width}, 10)
    def forward(self, steps, y):
        h = c = torch.zeros({batch}, {width})
        for x in steps:
            h, c = self.cell(x, (h, c))
        return torch.nn.functional.cross_entropy(self.head(h), y)
net, inputs = Net(), (torch.randn(100, {batch}, {inputs}), torch.randint(0, 10, ({batch},)))
"""


def written_out(lstm: str) -> str:
    """An LSTM as textbooks write it: a recorder of operations sees as many as there are."""
    return lstm.replace(
        "            h, c = self.cell(x, (h, c))\n",
        """\
            cell = self.cell
            gates = x @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh
            i, f, g, o = gates.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
""",
    )


def chain(operations: int) -> str:
    """So many operations in a row on three elements: as little to compute for each as there can be."""
    return f"""\
import torch
class Net(torch.nn.Module):
    def forward(self, x):
        y = x
        for _ in range({operations - 1}):
            y = y * 1.001
        return y.sum()
net, inputs = Net(), (torch.ones(3, requires_grad=True),)
"""


def lines(count: int) -> str:
    """A chain that is written down instead of looped, so that each of so many lines is seen once."""
    return "x = y = torch.ones(3, requires_grad=True)\n" + "y = y * 1.001\n" * (count - 2) + "y.sum().backward()\n"


class Workload(NamedTuple):
    """A program in two parts.

    Args:
        setup: Makes what is needed; not measured.
        step: Forward and backward pass.
    """

    setup: str
    step: str = STEP

    @property
    def source(self) -> str:
        """The whole program."""
        return self.setup + self.step

    def prepare(self) -> tuple[dict[str, Any], CodeType]:
        """The variables after the setup, and the step, its lines counted as in the whole."""
        variables: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(self.setup, FILENAME, "exec"), variables)
        return variables, compile("\n" * self.setup.count("\n") + self.step, FILENAME, "exec")


WORKLOADS = {
    "tutorial program": Workload("import torch\n", TUTORIAL),
    "three-layer perceptron, batch of 32": Workload(perceptron(784, 256, 128, 32)),
    "three-layer perceptron, batch of 64": Workload(perceptron(784, 256, 128, 64)),
    "three-layer perceptron, 32 wide": Workload(perceptron(8, 32, 32, 8)),
    "two-layer transformer encoder, 64 wide": Workload(transformer(64, 4, 16)),
    "two-layer transformer encoder, 128 wide": Workload(transformer(128, 16, 32)),
    "two-layer transformer encoder, 32 wide": Workload(transformer(32, 4, 8)),
    "LSTM cell, 100 steps": Workload(lstm(32, 128, 32)),
    "LSTM cell, 100 steps, 32 wide": Workload(lstm(8, 32, 8)),
    "LSTM written out, 100 steps": Workload(written_out(lstm(32, 128, 32))),
    "LSTM written out, 100 steps, 32 wide": Workload(written_out(lstm(8, 32, 8))),
    "chain of 1,000 operations": Workload(chain(1000)),
    "program of 1,000 lines": Workload("import torch\n", lines(1000)),
}

TUTORIAL_MODEL = Workload(
    """\
import torch
class Net(torch.nn.Module):
    def forward(self, x):
        return 2 * torch.dot(x, x)
net, inputs = Net(), (torch.arange(3.0, requires_grad=True),)
"""
)
"""The tutorial's function as a model, for recorders that take nothing else."""

"""Forward and backward passes that are measured with and without the recorder: sizes as notebooks have them."""

from __future__ import annotations

from types import CodeType
from typing import Any, NamedTuple

from benchmarks.programs import TUTORIAL

FILENAME = "<program>"

STEP = """
loss = net(*inputs)
loss.backward()
"""

PERCEPTRON = """\
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 128), torch.nn.ReLU(),
            torch.nn.Linear(128, 10),
        )
    def forward(self, x, y):
        return torch.nn.functional.cross_entropy(self.layers(x), y)
net, inputs = Net(), (torch.randn(64, 784), torch.randint(0, 10, (64,)))
"""

TRANSFORMER = """\
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(128, 4, 256, batch_first=True), 2)
        self.head = torch.nn.Linear(128, 10)
    def forward(self, x, y):
        return torch.nn.functional.cross_entropy(self.head(self.encoder(x).mean(1)), y)
net, inputs = Net(), (torch.randn(16, 32, 128), torch.randint(0, 10, (16,)))
"""

LSTM = """\
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = torch.nn.LSTMCell(32, 128)
        self.head = torch.nn.Linear(128, 10)
    def forward(self, steps, y):
        h = c = torch.zeros(32, 128)
        for x in steps:
            h, c = self.cell(x, (h, c))
        return torch.nn.functional.cross_entropy(self.head(h), y)
net, inputs = Net(), (torch.randn(100, 32, 32), torch.randint(0, 10, (32,)))
"""

WRITTEN_OUT = LSTM.replace(
    "            h, c = self.cell(x, (h, c))\n",
    """\
            cell = self.cell
            gates = x @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh
            i, f, g, o = gates.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
""",
)
"""The same, as textbooks write it: a recorder of operations sees as many as there are."""


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
    "three-layer perceptron": Workload(PERCEPTRON),
    "two-layer transformer encoder": Workload(TRANSFORMER),
    "LSTM cell, 100 steps": Workload(LSTM),
    "LSTM written out, 100 steps": Workload(WRITTEN_OUT),
    "chain of 1,000 operations": Workload(chain(1000)),
}

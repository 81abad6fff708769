"""The Recording and its parts: immutable, free of torch, exact in JSON."""

from explorer.model.events import (
    Accumulated,
    BackwardEnded,
    BackwardStarted,
    Event,
    GradCleared,
    Happened,
    Modified,
    NodeRan,
    Operation,
    Printed,
    Raised,
    Root,
    Warned,
)
from explorer.model.graph import Cut, Edge, Leaf, Node, Plain, SavedTensor, Span, TorchRule
from explorer.model.recording import BackwardPass, Recording, grad_change
from explorer.model.remarks import Remark
from explorer.model.rounds import Round
from explorer.model.values import Number, Stats, TensorValue, from_float, stats_of, to_float

__all__ = [
    "Accumulated",
    "BackwardEnded",
    "BackwardPass",
    "BackwardStarted",
    "Cut",
    "Edge",
    "Event",
    "GradCleared",
    "Happened",
    "Leaf",
    "Modified",
    "Node",
    "NodeRan",
    "Number",
    "Operation",
    "Plain",
    "Printed",
    "Raised",
    "Recording",
    "Remark",
    "Root",
    "Round",
    "SavedTensor",
    "Span",
    "Stats",
    "TensorValue",
    "TorchRule",
    "Warned",
    "from_float",
    "grad_change",
    "stats_of",
    "to_float",
]

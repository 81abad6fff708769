"""What a recording of the lab's program says about its gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator

from explorer.model import (
    Accumulated,
    BackwardEnded,
    Event,
    Modified,
    NodeRan,
    Operation,
    Recording,
    TensorValue,
    to_float,
)
from explorer.model.values import Frozen


class Level(Frozen, frozen=True, kw_only=True):
    """One layer or time step.

    Args:
        number: From 1, where the data comes in.
        norm: Of the gradient that arrives at its result; nan where that is not finite.
        weight: Norm of its weight's gradient; None where the weight is shared by all levels.
    """

    number: int
    norm: float
    weight: float | None = None


class Spread(Frozen, frozen=True, kw_only=True):
    """How a leaf's gradient is spread.

    Args:
        name: The leaf.
        counts: Elements per bin of log10 |gradient|, counted by torch.
        numel: How many elements there are.
        zero, broken: How many are exactly 0; how many are nan or inf.
    """

    name: str
    counts: tuple[int, ...]
    numel: int
    zero: int
    broken: int


class Bad(Frozen, frozen=True, kw_only=True):
    """The first event in which a number was not finite.

    Args:
        step: The step at which it has just happened.
        what: "nan" or "inf".
        backward: Whether it came up in the backward pass.
        name: The node's or the function's name.
        node_id: The node; None where torch noted none.
        line: In the program.
        level: In which layer or time step, from 1; None where it is outside of them.
    """

    step: int
    what: str
    backward: bool
    name: str
    node_id: str | None = None
    line: int | None = None
    level: int | None = None


class Reading(Frozen, frozen=True, kw_only=True):
    """What the charts show.

    Args:
        levels: One per layer or time step, the first one first.
        spreads: One per leaf, in the order of the module's parameters.
        bad: The first event with a number that is not finite; None where all are.
    """

    levels: tuple[Level, ...]
    spreads: tuple[Spread, ...]
    bad: Bad | None = None


def read(recording: Recording) -> Reading:
    """Reads a completed run of the lab's program."""
    results = [node.id for node in recording.nodes if node.variable == "h"]
    arrived = {
        event.node_id: norm_of(event.grad_outputs[0])
        for event in recording.events
        if isinstance(event, NodeRan) and event.grad_outputs
    }
    weights = {
        recording.leaf(event.leaf_id).name: norm_of(event.incoming)
        for event in recording.events
        if isinstance(event, Accumulated)
    }
    levels = tuple(
        Level(number=number, norm=arrived[node_id], weight=weights.get(f"layers.{number - 1}.weight"))
        for number, node_id in enumerate(results, 1)
        if node_id in arrived
    )
    return Reading(levels=levels, spreads=tuple(_spreads(recording)), bad=first_bad(recording))


def norm_of(value: TensorValue | None) -> float:
    """The l2 norm; nan where an element is not finite, or there is no tensor."""
    if value is None:
        return math.nan
    stats = value.stats
    return math.nan if stats.nan or stats.inf else stats.norm


def first_bad(recording: Recording) -> Bad | None:
    """The first event, up to the end of the last backward pass, that brought a nan or an infinite number."""
    for step, event in enumerate(_events_of_training(recording), 1):
        for value in _brought(event):
            stats = value.stats
            if stats.nan or stats.inf:
                return _bad(recording, step, event, "nan" if stats.nan else "inf")
    return None


def _events_of_training(recording: Recording) -> tuple[Event, ...]:
    """What comes later looks at the gradients: a logarithm of 0 is nothing bad there."""
    last = max((i for i, event in enumerate(recording.events) if isinstance(event, BackwardEnded)), default=None)
    return recording.events if last is None else recording.events[: last + 1]


def _brought(event: Event) -> Iterator[TensorValue]:
    match event:
        case Operation(values=values):
            yield from values
        case NodeRan():
            yield from (value for value in (*event.grad_outputs, *event.grad_inputs) if value is not None)
        case Accumulated():
            yield event.after
        case Modified(after=after):
            yield after


def _bad(recording: Recording, step: int, event: Event, what: str) -> Bad:
    node_ids = getattr(event, "node_ids", ())
    node_id = getattr(event, "node_id", None) or (node_ids[-1] if node_ids else None)
    if isinstance(event, Accumulated):
        node_id = recording.leaf(event.leaf_id).node_id
    return Bad(
        step=step,
        what=what,
        backward=isinstance(event, NodeRan | Accumulated),
        name=recording.node(node_id).name if node_id else getattr(event, "name", type(event).__name__),
        node_id=node_id,
        line=event.span.line if event.span else None,
        level=_level_of(recording, node_id),
    )


def _level_of(recording: Recording, node_id: str | None) -> int | None:
    """In which layer or time step a node was made: before its result, and after the one before."""
    order = {node.id: place for place, node in enumerate(recording.nodes)}
    ends = [order[node.id] for node in recording.nodes if node.variable == "h"]
    if node_id is None or not ends or order[node_id] > ends[-1]:
        return None
    return next(number for number, end in enumerate(ends, 1) if order[node_id] <= end)


def _spreads(recording: Recording) -> Iterator[Spread]:
    histograms = [event for event in recording.events if isinstance(event, Operation) and event.name == "histc"]
    ended = {event.leaf_id: event.after for event in recording.events if isinstance(event, Accumulated)}
    leaves = sorted((recording.leaf(leaf_id) for leaf_id in ended), key=lambda leaf: _place_in_module(leaf.name))
    for leaf, histogram in zip(leaves, histograms, strict=False):
        stats = ended[leaf.id].stats
        yield Spread(
            name=leaf.name.removeprefix("layers."),
            counts=tuple(int(to_float(count)) for count in histogram.values[0].values),
            numel=leaf.value.numel,
            zero=stats.zero,
            broken=stats.nan + stats.inf,
        )


def _place_in_module(name: str) -> tuple[int, str, bool]:
    """As `Module.parameters()` goes: layer by layer, the weight before the bias."""
    _, layer, parameter = name.split(".")
    return int(layer) if layer.isdecimal() else 0, layer, parameter == "bias"

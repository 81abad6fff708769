"""What a recording of the lab's program says: gradients of both models, and what their graphs held."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from explorer.model import Accumulated, BackwardPass, GradCleared, Node, NodeRan, Recording, TensorValue
from explorer.model.values import Frozen, floats

FULL, MICRO = "full.", "micro."

BYTES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "bool": 1, "uint8": 1}
"""Bytes of one element."""


class Gradient(Frozen, frozen=True, kw_only=True):
    """One parameter's gradient in the last training step, both ways.

    Args:
        name: The parameter's name in both models: "0.weight".
        shape: Its sizes.
        full: `.grad` of the model that saw the full batch, row-major.
        left_over: What micro-batches of the step before had left in `.grad`; () where there was nothing.
        parts: What each micro-batch added.
        micro: `.grad` of the model that saw micro-batches.
    """

    name: str
    shape: tuple[int, ...]
    full: tuple[float, ...]
    left_over: tuple[float, ...]
    parts: tuple[tuple[float, ...], ...]
    micro: tuple[float, ...]

    @property
    def norms(self) -> tuple[float, float]:
        """The l2 norms of the full batch's gradient and of the accumulated one."""
        return math.hypot(*self.full), math.hypot(*self.micro)

    @property
    def difference(self) -> float:
        """The largest difference between the two, element by element; nan where one is nan."""
        gaps = [abs(b - a) for a, b in zip(self.full, self.micro, strict=True)]
        return math.nan if any(map(math.isnan, gaps)) else max(gaps, default=0.0)

    @property
    def ulps(self) -> int:
        """The same in steps of float32: how many floats lie between the two."""
        return max((abs(_rank(b) - _rank(a)) for a, b in zip(self.full, self.micro, strict=True)), default=0)

    @property
    def ratio(self) -> float | None:
        """How many times the full batch's gradient the accumulated one is; None if that depends on the element."""
        ratios = [b / a for a, b in zip(self.full, self.micro, strict=True) if abs(a) > 1e-6]
        if not ratios or not max(ratios) - min(ratios) <= 1e-3 * abs(ratios[0]):
            return None
        return sum(ratios) / len(ratios)


class Held(Frozen, frozen=True, kw_only=True):
    """What the graph of one model held, over its part of the run.

    Args:
        bytes: How much after each event.
        graphs: The most that was held during each backward pass's forward.
    """

    bytes: tuple[int, ...]
    graphs: tuple[int, ...]

    @property
    def peak(self) -> int:
        """The most at any moment."""
        return max(self.bytes, default=0)


class Reading(Frozen, frozen=True, kw_only=True):
    """What the charts and the table show.

    Args:
        gradients: One per parameter, in the model's order.
        full, micro: What the graphs held.
        grad_bytes: What the parameters' `.grad` take.
        cleared_to: How `.grad` was cleared before the last step; None if it was not.
    """

    gradients: tuple[Gradient, ...]
    full: Held
    micro: Held
    grad_bytes: int
    cleared_to: str | None = None


def read(recording: Recording) -> Reading:
    """Reads a completed run of the lab's program; its passes go through `full` first, then through `micro`."""
    names = sorted((leaf.name for leaf in recording.leaves if leaf.name.startswith(FULL)), key=_place_in_model)
    ids = {leaf.name: leaf.id for leaf in recording.leaves}
    passes = recording.backward_passes
    of_full = [one for one in passes if _reaches(one, {ids[name] for name in names})]
    of_micro = [one for one in passes if one not in of_full]
    steps = len(of_full)
    last_round = of_micro[len(of_micro) - len(of_micro) // max(steps, 1) :]
    gradients = [
        _gradient(
            recording, name.removeprefix(FULL), ids[name], ids[MICRO + name.removeprefix(FULL)], of_full, last_round
        )
        for name in names
    ]
    micro_ids = {ids[MICRO + one.name] for one in gradients}
    cleared = [
        event.to
        for event in recording.events
        if isinstance(event, GradCleared) and event.leaf_id in micro_ids and event.before is not None
    ]
    return Reading(
        gradients=tuple(gradients),
        full=held(recording, of_full),
        micro=held(recording, of_micro),
        grad_bytes=sum(4 * len(one.full) for one in gradients),
        cleared_to=cleared[-1] if cleared else None,
    )


def held(recording: Recording, passes: Sequence[BackwardPass]) -> Held:
    """What the nodes of some passes held, after each event from the first node made to the last node freed.

    Counts what nodes saved for the backward pass, each tensor once, without the parameters themselves.
    """
    mine = {step.node_id for one in passes for step in one.steps}
    held_by = {node.id: _saved(recording, node) for node in recording.nodes if node.id in mine}
    now: dict[str, int] = {}
    users: dict[str, set[str]] = {}
    series, graphs, most = [], [], 0
    for event in recording.events:
        for node_id in getattr(event, "node_ids", ()):
            for key, size in held_by.get(node_id, {}).items():
                now[key] = size
                users.setdefault(key, set()).add(node_id)
        if isinstance(event, NodeRan) and event.freed and event.node_id in mine:
            for key in held_by[event.node_id]:
                users[key].discard(event.node_id)
                if not users[key]:
                    now.pop(key, None)
        series.append(sum(now.values()))
        most = max(most, series[-1])
        if most and not now:
            graphs.append(most)
            most = 0
    first = next((i for i, total in enumerate(series) if total), 0)
    last = next((i for i in range(len(series) - 1, -1, -1) if series[i]), -1)
    return Held(bytes=tuple(series[first : last + 2]), graphs=tuple(graphs))


def _saved(recording: Recording, node: Node) -> dict[str, int]:
    """Bytes by tensor: one that several nodes saved has one key."""
    kept = {}
    for saved in node.saved:
        if saved.value is None or _is_parameter(recording, saved.leaf_id, saved.node_id):
            continue
        key = saved.node_id or saved.leaf_id or f"{node.id}.{saved.name}"
        kept[key] = saved.value.numel * BYTES.get(saved.value.dtype, 4)
    return kept


def _is_parameter(recording: Recording, leaf_id: str | None, node_id: str | None) -> bool:
    """Whether a saved tensor is a leaf that wants a gradient, or its transpose, which takes no memory of its own."""
    if leaf_id is not None:
        return recording.leaf(leaf_id).requires_grad
    return node_id is not None and recording.node(node_id).name == "TBackward0"


def _gradient(
    recording: Recording,
    name: str,
    full_id: str,
    micro_id: str,
    of_full: Sequence[BackwardPass],
    last_round: Sequence[BackwardPass],
) -> Gradient:
    (full,) = _accumulated(of_full[-1:], full_id)
    parts = _accumulated(last_round, micro_id)
    return Gradient(
        name=name,
        shape=full.after.shape,
        full=_numbers(full.after),
        left_over=_numbers(parts[0].before) if parts[0].before is not None and _is_something(parts[0].before) else (),
        parts=tuple(_numbers(one.incoming) for one in parts),
        micro=_numbers(parts[-1].after),
    )


def _accumulated(passes: Sequence[BackwardPass], leaf_id: str) -> list[Accumulated]:
    return [one for each in passes for one in each.accumulated if one.leaf_id == leaf_id]


def _reaches(one: BackwardPass, leaf_ids: set[str]) -> bool:
    return any(event.leaf_id in leaf_ids for event in one.accumulated)


def _numbers(value: TensorValue) -> tuple[float, ...]:
    return tuple(floats(value.values))


def _is_something(value: TensorValue) -> bool:
    return any(_numbers(value))


def _place_in_model(name: str) -> tuple[list[str], bool]:
    """Layers in order, each one's weight before its bias."""
    path = name.split(".")
    return path[:-1], path[-1] != "weight"


def _rank(number: float) -> int:
    """Where a float32 stands among all float32, so that neighbours differ by 1."""
    (bits,) = struct.unpack("<i", struct.pack("<f", number))
    return int(bits) if bits >= 0 else -(bits & 0x7FFFFFFF)

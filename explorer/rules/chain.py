"""The chain rule in matrices: local Jacobians multiplied along the ways from the root to a node, and added up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.model import BackwardPass, Edge, NodeRan, Recording, TensorValue
from explorer.model.values import Frozen, floats
from explorer.rules.gradients import seed_grad
from explorer.rules.local_jacobian import came_in, local_matrix
from explorer.rules.verification import TOLERANCES

Matrix = NDArray[np.float64]
End = tuple[str, int]
"""A result of the forward pass: (the node that made it, which of its outputs it is)."""

MOST_PATHS = 6
MOST_STEPS = 12
"""Longer ways, and more of them, are not drawn."""


class Link(Frozen, frozen=True, kw_only=True):
    """One factor of a path.

    Args:
        node_id: The node whose Jacobian it is.
        matrix: It: rows are the elements of the node's result, columns those of the input that the path goes on to.
    """

    node_id: str
    matrix: TensorValue


class Path(Frozen, frozen=True, kw_only=True):
    """One way from the root to a node.

    Args:
        links: Its factors, from the root on.
        part: seedᵀ times all of them: what comes this way.
    """

    links: tuple[Link, ...]
    part: TensorValue


class Chain(Frozen, frozen=True, kw_only=True):
    """How the gradient at a node comes about, in matrices; all numbers multiply out to what torch recorded.

    Args:
        seed: The gradient that the pass started with.
        whole: The Jacobian of the root by this node's result: the sum over all paths.
        gradient: seedᵀ · whole, which is what came in.
        paths: The ways from the root to here; () where there are too many or too long ones.
        path_count: How many there are.
    """

    seed: TensorValue
    whole: TensorValue
    gradient: TensorValue
    paths: tuple[Path, ...] = ()
    path_count: int = 0


def chain(recording: Recording, ran: NodeRan) -> Chain | None:
    """The chain rule from the root to the node that ran; None where a Jacobian on the way is not known.

    Only for a node with one result, in a pass from a single root.
    """
    one = recording.backward_passes[ran.backward_pass]
    gradient = ran.grad_outputs[0] if len(ran.grad_outputs) == 1 else None
    if len(one.started.roots) != 1 or gradient is None or not gradient.complete:
        return None
    seed, root_id = seed_grad(one.started.roots[0]), one.started.roots[0].node_id
    with np.errstate(all="ignore"):
        whole = _from_root(recording, one).get((ran.node_id, 0))
    if seed is None or not seed.complete or root_id is None or whole is None:
        return None
    if not _multiplies_out(seed, whole, gradient):
        return None
    paths, count = _paths(recording, one, root_id, ran.node_id), _count(recording, one, root_id, ran.node_id)
    return Chain(
        seed=seed,
        whole=_value(whole, gradient.dtype),
        gradient=gradient,
        paths=tuple(_path(seed, links) for links in paths) if len(paths) == count else (),
        path_count=count,
    )


def _from_root(recording: Recording, one: BackwardPass) -> dict[End, Matrix | None]:
    """The Jacobian of the root by every result that the pass reached: forwards through the pass, node by node."""
    root = one.started.roots[0]
    found: dict[End, Matrix | None] = {}
    if root.node_id is not None and root.value is not None:
        found[root.node_id, root.input_nr] = np.eye(root.value.numel) if root.value.numel <= 256 else None
    for ran in one.steps:
        parts = [found.get((ran.node_id, nr)) for nr, grad in enumerate(ran.grad_outputs) if grad is not None]
        known = [part for part in parts if part is not None]
        above = np.concatenate(known, axis=1) if known and len(known) == len(parts) else None
        for edge in recording.edges_from(ran.node_id):
            _add(found, edge, above, ran)
    return found


def _add(found: dict[End, Matrix | None], edge: Edge, above: Matrix | None, ran: NodeRan) -> None:
    end = edge.target, edge.input_nr
    if edge.slot < len(ran.grad_inputs) and ran.grad_inputs[edge.slot] is None:
        return  # no gradient went along here
    local = _local(ran, edge.slot)
    if above is None or local is None or above.shape[1] != local.shape[0]:
        found[end] = None
        return
    product = above @ local
    before = found.get(end, np.zeros(product.shape))
    found[end] = None if before is None or before.shape != product.shape else before + product


def _local(ran: NodeRan, slot: int) -> Matrix | None:
    matrix = local_matrix(ran, slot)
    if matrix is None:
        return None
    return np.array(floats(matrix.values)).reshape(matrix.shape)


def _multiplies_out(seed: TensorValue, whole: Matrix, gradient: TensorValue) -> bool:
    expected = np.array(floats(gradient.values))
    if whole.shape != (seed.numel, gradient.numel) or not np.isfinite(whole).all():
        return False
    tolerance = TOLERANCES.get(gradient.dtype, 0.0)
    terms = np.array(floats(seed.values))[:, None] * whole
    return bool(np.all(np.abs(terms.sum(0) - expected) <= tolerance * (np.abs(terms).sum(0) + np.abs(expected))))


def _path(seed: TensorValue, links: tuple[Link, ...]) -> Path:
    part = np.array(floats(seed.values)).reshape(1, -1)
    for link in links:
        part = part @ np.array(floats(link.matrix.values)).reshape(link.matrix.shape)
    return Path(links=links, part=_value(part, seed.dtype))


def _paths(recording: Recording, one: BackwardPass, root_id: str, target: str) -> tuple[tuple[Link, ...], ...]:
    """The ways from the root to a node, at most one more than can be drawn; () if one of them is too long."""
    leading = _leading_to(recording, one, target)
    found: list[tuple[Link, ...]] = []
    pending: list[tuple[str, tuple[Link, ...]]] = [(root_id, ())]
    while pending and len(found) <= MOST_PATHS:
        node_id, way = pending.pop()
        if node_id == target:
            found.append(way)
        elif len(way) == MOST_STEPS:
            return ()
        else:
            pending += [(to, (*way, link)) for to, link in reversed(list(_onward(recording, one, node_id, leading)))]
    return tuple(found)


def _onward(recording: Recording, one: BackwardPass, node_id: str, leading: set[str]) -> Iterator[tuple[str, Link]]:
    ran = recording.run(one.index, node_id)
    if ran is None or len(came_in(ran)) != 1:
        return
    for edge in recording.edges_from(node_id):
        matrix = local_matrix(ran, edge.slot)
        if edge.target in leading and matrix is not None:
            yield edge.target, Link(node_id=node_id, matrix=matrix)


def _leading_to(recording: Recording, one: BackwardPass, target: str) -> set[str]:
    """The nodes of a pass from which a gradient reaches the target, and the target."""
    leading = {target}
    for ran in reversed(one.steps):
        if any(edge.target in leading for edge in recording.edges_from(ran.node_id)):
            leading.add(ran.node_id)
    return leading


def _count(recording: Recording, one: BackwardPass, root_id: str, target: str) -> int:
    ways: dict[str, int] = {root_id: 1}
    for ran in one.steps:
        for edge in recording.edges_from(ran.node_id):
            if ran.grad_inputs[edge.slot : edge.slot + 1] not in ((), (None,)):
                ways[edge.target] = ways.get(edge.target, 0) + ways.get(ran.node_id, 0)
    return ways.get(target, 0)


def _value(matrix: Any, dtype: str) -> TensorValue:
    return TensorValue(shape=matrix.shape, dtype=dtype, values=tuple(matrix.ravel().tolist()))

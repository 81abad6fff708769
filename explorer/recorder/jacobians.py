"""Asks a backward node for its local Jacobian, row by row, when the engine has run it.

A node is callable: fed a single 1 (one-hot) it answers with one row. Calling it runs neither hooks nor the nodes behind
it, and its saved tensors are still there. Functions of the program's own are never called a second time: their backward
may count, print or draw random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.autograd.graph import Node as GradFn

from explorer.model import TensorValue
from explorer.model.events import JACOBIAN_ELEMENTS
from explorer.recorder.saved import unpacks_by_program
from explorer.recorder.values import whole

MOST_INPUT_ELEMENTS = 4096
"""A node with a larger input is left alone: every row would compute that input's gradient."""

Grads = Sequence[torch.Tensor | None]
Jacobian = tuple[TensorValue | None, ...]


def ask_running(grad_outputs: Grads) -> Jacobian | None:
    """Asks the node that the engine is running on this thread.

    Nobody holds a node in order to ask it, for that would hold what it saved.
    """
    return local_jacobian(torch._C._current_autograd_node(), grad_outputs)


def local_jacobian(grad_fn: GradFn, grad_outputs: Grads) -> Jacobian | None:
    """One matrix per slot of `grad_inputs`: rows are the elements of the gradients that came in, columns the input's.

    None for a slot that leads nowhere or to an input that is too large; None for all where the node is too large, works
    on complex numbers, or cannot be asked: its saved tensors are gone, or the program's own code would unpack them.
    """
    incoming = [grad for grad in grad_outputs if grad is not None]
    count = sum(grad.numel() for grad in incoming)
    if not 0 < count <= JACOBIAN_ELEMENTS or not all(map(_is_plain, incoming)) or unpacks_by_program(grad_fn):
        return None
    random_state = torch.get_rng_state()
    try:
        with torch.no_grad():
            return _matrices(grad_fn, _one_hots(grad_outputs, count)) if _is_affordable(grad_fn) else None
    except (RuntimeError, NotImplementedError):
        return None
    finally:
        torch.set_rng_state(random_state)


def _matrices(grad_fn: GradFn, one_hots: Sequence[Grads]) -> Jacobian:
    answers = [grad_fn(*one_hot) for one_hot in one_hots]  # type: ignore[operator]
    rows = [answer if isinstance(answer, tuple) else (answer,) for answer in answers]
    slots = zip(grad_fn.next_functions, zip(*rows, strict=True), strict=True)
    return tuple(_matrix(column, *following) for following, column in slots)


def _one_hots(grad_outputs: Grads, count: int) -> list[Grads]:
    """For each element of each gradient: that element 1, all others 0; what is undefined stays so."""
    sizes = [0 if grad is None else grad.numel() for grad in grad_outputs]
    pieces: list[Grads] = []
    for grad, columns in zip(grad_outputs, torch.split(torch.eye(count), sizes, dim=1), strict=True):
        if grad is None:
            pieces.append([None] * count)
        else:
            pieces.append(columns.to(grad.dtype).to(grad.device).reshape(count, *grad.shape).unbind())
    return list(zip(*pieces, strict=True))


def _matrix(rows: Grads, following: GradFn | None, input_nr: int) -> TensorValue | None:
    """The rows under each other, summed over broadcast dimensions as the engine does before it sends them on."""
    found = [row for row in rows if row is not None]
    if following is None or len(found) < len(rows):
        return None
    shape = tuple(following._input_metadata[input_nr].shape)
    if math.prod(shape) > JACOBIAN_ELEMENTS:
        return None
    stacked = torch.stack([row if row.layout is torch.strided else row.to_dense() for row in found])
    extra_dimensions = (1,) * (stacked.dim() - 1 - len(shape))
    fitted = stacked.sum_to_size((len(rows), *extra_dimensions, *shape))
    return whole(fitted.reshape(len(rows), -1))


def _is_plain(grad: torch.Tensor) -> bool:
    return grad.layout is torch.strided and grad.is_floating_point()


def _is_affordable(grad_fn: GradFn) -> bool:
    """Whether none of its inputs is large, complex or nested: known beforehand, so nothing is computed in vain."""
    inputs = [following._input_metadata[nr] for following, nr in grad_fn.next_functions if following is not None]
    if any(one.dtype.is_complex or one.is_nested_tensor for one in inputs):
        return False
    return all(math.prod(one.shape) <= MOST_INPUT_ELEMENTS for one in inputs)

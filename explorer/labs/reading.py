"""What a lab's program left in its recording: named results, gradients, and what `torch.autograd.grad` returned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.model import BackwardEnded, Modified, Operation, Recording, TensorValue
from explorer.model.values import floats
from explorer.runner import Limits

LAB_LIMITS = Limits(values=8_192, events=20_000, nodes=8_000, jacobians=0)
"""A lab's curve is one vectorised run, all of whose elements are kept; a training loop has many events."""

Array = NDArray[np.float64]


def tensor(recording: Recording, name: str) -> TensorValue:
    """The last value of a variable: the result of an operation, of a function the program defines, or a leaf.

    Raises:
        KeyError: The program has no tensor of that name.
    """
    for event in reversed(recording.events):
        if isinstance(event, Operation) and (result := _assigned(event, name)) is not None:
            return result
        if isinstance(event, Modified) and event.variable == name and not event.of_grad:
            return event.after
    for node in reversed(recording.nodes):
        if node.variable == name and node.value is not None:
            return node.value
    return next((leaf.value for leaf in recording.leaves if leaf.name == name), None) or _missing(name)


def tensors(recording: Recording, name: str) -> tuple[TensorValue, ...]:
    """All that the last operation assigned to a variable returned, as `torch.linalg.eigh` does; () if none."""
    results = (event for event in reversed(recording.events) if isinstance(event, Operation) and event.variable == name)
    return next((event.values for event in results), ())


def grad(recording: Recording, name: str) -> TensorValue:
    """A leaf's final `.grad`.

    Raises:
        KeyError: There is no such leaf, or nothing arrived at it.
    """
    return recording.grads.get(name) or _missing(name)


def returned(recording: Recording) -> tuple[tuple[TensorValue | None, ...], ...]:
    """What each backward pass returned, in order: () for `backward()`, the gradients for `torch.autograd.grad`."""
    return tuple(event.returned for event in recording.events if isinstance(event, BackwardEnded))


def array(value: TensorValue) -> Array:
    """The numbers in the tensor's shape; nan and inf as they are.

    Raises:
        ValueError: The recording holds only a sample of them.
    """
    if not value.complete:
        raise ValueError(f"only {len(value.values)} of {value.numel} elements were kept")
    return np.array(floats(value.values), dtype=np.float64).reshape(value.shape)


def written_numbers(numbers: Sequence[float]) -> str:
    """Numbers as a program writes them in a list: `[1.0, -0.5]`."""
    return f"[{', '.join(repr(float(number)) for number in numbers)}]"


def _assigned(event: Operation, name: str) -> TensorValue | None:
    """The result that an operation gave to a variable: the only one, or its own of several (`a, b = …`)."""
    targets = (event.variable or "").split(", ")
    place = targets.index(name) if name in targets else len(event.values)
    return event.values[place] if place < len(event.values) else None


def _missing(name: str) -> TensorValue:
    raise KeyError(name)

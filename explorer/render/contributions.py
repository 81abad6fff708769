"""What each backward pass put into a leaf's `.grad`, and whether it is still in there."""

from __future__ import annotations

from itertools import islice

import msgspec

from explorer.model import Accumulated, GradCleared, Modified, Recording, TensorValue, to_float
from explorer.model.values import Frozen


class Contribution(Frozen, frozen=True, kw_only=True):
    """One summand of a leaf's `.grad`.

    Args:
        backward_pass: The pass that added it; None where the program itself put it there.
        value: The summand.
        is_cleared: Whether it has been cleared or overwritten since.
    """

    backward_pass: int | None
    value: TensorValue
    is_cleared: bool = False


def contributions(recording: Recording, leaf_id: str, step: int | None = None) -> tuple[Contribution, ...]:
    """The summands in the order they came, as of a step (None for the end).

    Those that are not cleared add up to the leaf's `.grad`.
    """
    found: list[Contribution] = []
    for event in islice(recording.events, step):
        match event:
            case Accumulated(leaf_id=id_) if id_ == leaf_id:
                if event.before is not None and all(one.is_cleared for one in found) and _is_not_zero(event.before):
                    found.append(Contribution(backward_pass=None, value=event.before))
                found.append(Contribution(backward_pass=event.backward_pass, value=event.incoming))
            case GradCleared(leaf_id=id_) if id_ == leaf_id:
                found = _cleared(found)
            case Modified(leaf_id=id_, of_grad=True) if id_ == leaf_id:
                found = [*_cleared(found), Contribution(backward_pass=None, value=event.after)]
    return tuple(found)


def element(value: TensorValue, flat: int) -> float | None:
    """An element of a tensor; None where the recording holds only a sample without it, or the tensor has none there."""
    if value.indices is None:
        return to_float(value.values[flat]) if flat < len(value.values) else None
    return to_float(value.values[value.indices.index(flat)]) if flat in value.indices else None


def _cleared(found: list[Contribution]) -> list[Contribution]:
    return [msgspec.structs.replace(one, is_cleared=True) for one in found]


def _is_not_zero(value: TensorValue) -> bool:
    return any(to_float(number) != 0 for number in value.values)

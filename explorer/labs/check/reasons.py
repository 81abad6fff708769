"""Why autograd and finite differences may disagree, element by element and line by line."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

import numpy as np

from explorer.i18n import Language, text
from explorer.labs.check.reading import REFERENCE, WIDE, Reading
from explorer.labs.check.verdict import spoken
from explorer.model import Recording
from explorer.model.values import Frozen
from explorer.program.source import read as read_source

CUTS = {"data": "data", "detach": "cut", "detach_": "cut", "no_grad": "cut", "inference_mode": "cut", "item": "cut"}


class Reason(Frozen, frozen=True, kw_only=True):
    """One thing to know about a slope.

    Args:
        kind: What it is; its sentence is `lab_check.reason.<kind>`.
        sentence: For a user.
        element: Which element, as an index; None for the program as a whole.
        line: Where in the program; None for an element.
    """

    kind: str
    sentence: str
    element: int | None = None
    line: int | None = None


def reasons(reading: Reading, recording: Recording, program: str, language: Language) -> tuple[Reason, ...]:
    """What may be behind each disagreement, and kinks that do not show in a central difference.

    Args:
        reading, recording: The check.
        program: The text that was checked, as the user sees it.
        language: Of the sentences.
    """
    if not np.isfinite(reading.double.central[REFERENCE]).any() and np.isfinite(reading.double.reverse).all():
        return ()
    found = list(_of_elements(reading, language))
    explained = {reason.element for reason in found}
    open_ones = [k for k, agrees in enumerate(reading.agrees) if not agrees and k not in explained]
    if open_ones and reading.double.dtype == "float64":
        found += _of_lines(recording, program, language) or [_reason("unknown", language, element=open_ones[0])]
    if reading.double.dtype != "float64":
        found.append(_reason("cast", language, {"dtype": reading.double.dtype}))
    return tuple(found)


def _of_elements(reading: Reading, language: Language) -> Iterator[Reason]:
    for k, name in enumerate(reading.names):
        kind = kind_of(reading, k)
        if kind is not None:
            values = {
                "name": name,
                "left": spoken(reading.double.left[REFERENCE, k]),
                "right": spoken(reading.double.right[REFERENCE, k]),
                "reverse": spoken(reading.double.reverse[k]),
            }
            yield _reason(kind, language, values, element=k)


def kind_of(reading: Reading, element: int) -> str | None:
    """What is special about the function at one element: no number, no value on a side, a steep place, a kink."""
    left, right = reading.double.left[:, element], reading.double.right[:, element]
    if not math.isfinite(reading.double.reverse[element]):
        return "nan" if math.isnan(reading.double.reverse[element]) else "inf"
    if not math.isfinite(left[REFERENCE]) or not math.isfinite(right[REFERENCE]):
        return "undefined_side"
    steepest = [np.max(np.abs([left[i], right[i]])) for i in (WIDE, REFERENCE)]
    if steepest[1] > 3 * steepest[0] and steepest[1] > 1:
        return "steep"
    gaps = [abs(right[i] - left[i]) for i in (WIDE, REFERENCE)]
    if gaps[1] > 1e-3 * max(1e-3, steepest[1]) and gaps[1] > 0.5 * gaps[0]:
        return "hidden_kink" if reading.agrees[element] else "kink"
    return None


def _of_lines(recording: Recording, program: str, language: Language) -> list[Reason]:
    """Lines of the program that hide something from autograd, or take its word."""
    tree = read_source(program).tree
    custom = {node.name.removesuffix("Backward") for node in recording.nodes if node.kind == "custom"}
    found = {}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=attr) if attr in CUTS:
                found[CUTS[attr], node.lineno] = attr
            case ast.ClassDef(name=name) if name in custom:
                found["custom", node.lineno] = name
    return [
        _reason(kind, language, {"name": name}, line=line)
        for (kind, line), name in sorted(found.items(), key=lambda x: x[0][1])
    ]


def _reason(
    kind: str,
    language: Language,
    values: dict[str, str] | None = None,
    *,
    element: int | None = None,
    line: int | None = None,
) -> Reason:
    said = text(f"lab_check.reason.{kind}", language, line=line or 0, **(values or {}))
    return Reason(kind=kind, sentence=said, element=element, line=line)

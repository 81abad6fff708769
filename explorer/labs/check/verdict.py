"""The lab's message in one sentence, drawn from the numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from explorer.i18n import Language, text
from explorer.labs.check.reading import REFERENCE, STEPS, Reading, worst_errors
from explorer.model.text import number_text
from explorer.model.values import Frozen

Kind = Literal["agree", "disagree", "no_number"]


class Verdict(Frozen, frozen=True, kw_only=True):
    """Whether autograd and finite differences agree.

    Args:
        kind: In every element, not in every element, or nothing can be said since the function gives no number.
        sentence: What the numbers say.
    """

    kind: Kind
    sentence: str


def verdict(reading: Reading, language: Language) -> Verdict:
    """What the lab says above its table."""
    agrees, double, best = reading.agrees, reading.double, reading.best
    values = {"count": len(reading.names), "step": step_text(STEPS[best])}
    if not np.isfinite(double.central[REFERENCE]).any():
        return Verdict(kind="no_number", sentence=text("lab_check.verdict.no_number", language))
    if agrees.all():
        difference = spoken(float(worst_errors(double, agrees)[best]))
        return Verdict(
            kind="agree", sentence=text("lab_check.verdict.agree", language, difference=difference, **values)
        )
    worst = int(np.argmin(agrees))
    said = text(
        "lab_check.verdict.disagree",
        language,
        wrong=int((~agrees).sum()),
        name=reading.names[worst],
        reverse=spoken(float(double.reverse[worst])),
        central=spoken(float(double.central[REFERENCE, worst])),
        **values,
    )
    return Verdict(kind="disagree", sentence=said)


def spoken(number: float) -> str:
    """A number inside a sentence: as torch prints it, without the point that would end the sentence."""
    return number_text(number).removesuffix(".")


def step_text(step: float) -> str:
    """ "1e-05", "3.2e-06": a step size, short."""
    return f"{step:.2g}"

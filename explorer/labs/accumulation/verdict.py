"""The lab's message in one sentence, drawn from the numbers, and why they are as they are."""

from __future__ import annotations

from typing import Literal

from explorer.i18n import Language, text
from explorer.labs.accumulation.program import AccumulationSettings, part_sizes
from explorer.labs.accumulation.reading import Gradient, Reading
from explorer.model.text import number_text
from explorer.model.values import Frozen

CLOSE = 1e-5
"""Relative difference up to which two float32 gradients, added up in another order, count as equal."""

Kind = Literal["equal", "times", "differs"]


class Verdict(Frozen, frozen=True, kw_only=True):
    """Whether accumulated and full-batch gradients agree.

    Args:
        kind: Equal to the last bits, one constant factor apart, or apart in some other way.
        sentence: What the numbers say.
        reasons: Why, one sentence each; () where they agree and nothing is to be said.
    """

    kind: Kind
    sentence: str
    reasons: tuple[str, ...]


def verdict(reading: Reading, settings: AccumulationSettings, language: Language) -> Verdict:
    """What the lab says above its charts."""
    kind, factor = kind_of(reading.gradients)
    count = len(part_sizes(settings))
    worst = max(reading.gradients, key=lambda one: one.difference)
    sentence = text(
        f"lab_accumulation.verdict.{'one' if kind == 'equal' and count == 1 else kind}",
        language,
        count=count,
        difference=number_text(worst.difference).removesuffix("."),
        factor=f"{factor:.4g}" if factor is not None else "",
        name=worst.name,
        ulps=max(one.ulps for one in reading.gradients),
    )
    return Verdict(kind=kind, sentence=sentence, reasons=tuple(_reasons(kind, reading, settings, language)))


def kind_of(gradients: tuple[Gradient, ...]) -> tuple[Kind, float | None]:
    """How the two sets of gradients compare, and the factor between them where there is one."""
    largest = max((abs(number) for one in gradients for number in one.full), default=0.0)
    if all(one.difference <= CLOSE * max(largest, 1e-12) for one in gradients):
        return "equal", 1.0
    ratios = [one.ratio for one in gradients if any(abs(number) > CLOSE * largest for number in one.full)]
    known = [ratio for ratio in ratios if ratio is not None]
    if known and len(known) == len(ratios) and max(known) - min(known) <= 1e-3 * abs(known[0]):
        return "times", known[0]
    return "differs", None


def _reasons(kind: Kind, reading: Reading, settings: AccumulationSettings, language: Language) -> list[str]:
    sizes = part_sizes(settings)
    values = {"count": len(sizes), "size": settings.size, "last": sizes[-1], "samples": settings.samples}
    values["bytes"] = reading.grad_bytes
    keys = []
    if kind != "equal":
        if settings.model == "batch_norm" and len(sizes) > 1:
            keys.append("batch_norm")
        keys += _scaling_reasons(settings, sizes)
        if settings.between != "one_step" and keys:
            keys.append("second_step")
        if any(one.left_over for one in reading.gradients):
            keys.insert(0, "kept")
    if settings.between in ("zeros", "none"):
        keys.append(settings.between)
    return [text(f"lab_accumulation.reason.{key}", language, **values) for key in keys]


def _scaling_reasons(settings: AccumulationSettings, sizes: tuple[int, ...]) -> list[str]:
    if len(sizes) == 1 and settings.scaling in ("share", "count", "nothing"):
        return []
    if settings.loss == "sum":
        return ["sum_scaled"] if settings.scaling != "nothing" else []
    return {
        "share": [],
        "count": ["unequal"] if sizes[-1] != sizes[0] else [],
        "nothing": ["unscaled"],
        "size": ["scaled_twice"],
    }[settings.scaling]

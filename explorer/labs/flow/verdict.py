"""The lab's message in one sentence, drawn from the norms."""

from __future__ import annotations

import math
from typing import Literal

from explorer.i18n import Language, text
from explorer.labs.flow.program import Network
from explorer.labs.flow.reading import Bad, Level, Reading
from explorer.model.values import Frozen

MUCH = 1000.0
"""How many times smaller or larger than at the last level counts as vanishing or exploding."""

Fate = Literal["steady", "vanishes", "explodes", "dead", "broken"]


class Verdict(Frozen, frozen=True, kw_only=True):
    """What became of the gradient.

    Args:
        fate: Arrives as it left, much smaller, much larger, as nothing, or as no number.
        sentence: What the numbers say.
    """

    fate: Fate
    sentence: str


def verdict(reading: Reading, network: Network, language: Language) -> Verdict:
    """What the lab says about one network."""
    fate = fate_of(reading)
    if fate == "broken":
        assert reading.bad is not None
        return Verdict(fate=fate, sentence=bad_sentence(reading.bad, network, language))
    first, last = reading.levels[0].norm, reading.levels[-1].norm
    times = max(first, last) / min(first, last) if first and last else math.inf
    sentence = text(
        f"lab_flow.verdict.{fate}",
        language,
        first=level_name(1, network, language),
        last=level_name(len(reading.levels), network, language),
        times=times_text(times),
        each=times_text(times ** (1 / max(len(reading.levels) - 1, 1))),
        level=text(f"lab_flow.level.{network.kind}_each", language),
    )
    return Verdict(fate=fate, sentence=sentence)


def fate_of(reading: Reading) -> Fate:
    """What became of the gradient on its way from the last level to the first."""
    if reading.bad is not None:
        return "broken"
    return mark_of(reading.levels[0], reading.levels[-1])


def mark_of(level: Level, last: Level) -> Fate:
    """How a level's gradient compares with the last one's."""
    if math.isnan(level.norm):
        return "broken"
    if level.norm == 0:
        return "dead"
    if last.norm == 0 or level.norm > MUCH * last.norm:
        return "explodes"
    return "vanishes" if level.norm * MUCH < last.norm else "steady"


def bad_sentence(bad: Bad, network: Network, language: Language) -> str:
    """Where the first number that is not finite came up."""
    return text(
        f"lab_flow.bad.{'backward' if bad.backward else 'forward'}{'' if bad.level else '_after'}",
        language,
        what=bad.what,
        name=bad.name,
        line=bad.line or 0,
        level=level_name(bad.level, network, language) if bad.level else "",
    )


def times_text(times: float) -> str:
    """ "4.7", "250", "1.2e+10": a factor in two digits."""
    return f"{times:.2g}" if times < 10 or times >= 1e5 else f"{float(f'{times:.2g}'):,.0f}"


def level_name(number: int, network: Network, language: Language) -> str:
    """ "layer 3", "time step 3"."""
    return text(f"lab_flow.level.{network.kind}", language, number=number)

"""The colours of pictures and charts, as data.

Built on the eight colours of Okabe and Ito, which people with red-green or blue-yellow blindness can tell apart. No
colour ever stands alone: states also differ in line, weight or pattern, passes also in pattern.
"""

from __future__ import annotations

from typing import Literal, get_args

from explorer.model.values import Frozen

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)


class Palette(Frozen, frozen=True, kw_only=True):
    """One theme's colours, "#rrggbb".

    Args:
        background, surface: Of the page, and inside a node.
        text, muted: Words and numbers; words of less weight, outlines and what has not happened yet.
        running: The node that runs at this step.
        done: A node that has run.
        sent: An edge that a gradient has crossed, and its number.
        failed: Where an error was raised.
        cut: A place where no gradient passes.
        passes: One colour per backward pass; starts again after the last.
        negative, zero, positive: The ends and the middle of a scale around 0.
    """

    background: str
    surface: str
    text: str
    muted: str
    running: str
    done: str
    sent: str
    failed: str
    cut: str
    passes: tuple[str, ...]
    negative: str
    zero: str
    positive: str


PASS_PATTERNS: tuple[str, ...] = ("", "/", ".", "x", "\\", "-", "+", "|")
"""plotly's fill pattern of each backward pass, so that passes differ without colour."""

PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        background="#ffffff",
        surface="#f6f7f9",
        text="#1b1f24",
        muted="#667079",
        running="#b34700",
        done="#00613a",
        sent="#0060b3",
        failed="#7a0048",
        cut="#5b3f99",
        passes=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5c5c5c", "#a89d0c"),
        negative="#0072b2",
        zero="#f7f7f7",
        positive="#d55e00",
    ),
    "dark": Palette(
        background="#0e1117",
        surface="#1a2029",
        text="#f0f2f5",
        muted="#98a2ad",
        running="#f5b942",
        done="#35c79a",
        sent="#6cc4f5",
        failed="#ff7a7a",
        cut="#b9a3f5",
        passes=("#3a9bdc", "#e8793a", "#1fb58a", "#d98fb8", "#8fd0f7", "#f0b53c", "#a8b0b8", "#f0e442"),
        negative="#56b4e9",
        zero="#20262f",
        positive="#f08a3c",
    ),
}


def pass_color(theme: Theme, index: int) -> str:
    """The colour of backward pass `index`."""
    passes = PALETTES[theme].passes
    return passes[index % len(passes)]


def pass_pattern(index: int) -> str:
    """plotly's fill pattern of backward pass `index`."""
    return PASS_PATTERNS[index % len(PASS_PATTERNS)]

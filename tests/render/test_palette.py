"""Colours can be read and told apart, by colour-blind people too."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from explorer.render.palette import PALETTES, PASS_PATTERNS, THEMES, Theme, pass_color, pass_pattern

# Machado, Oliveira and Fernandes (2009), severity 1.0, in linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ @ np.ones(3)


def linear(color: str) -> np.ndarray:
    channels = np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2: 1 to 21."""
    light, dark = sorted((float(TO_XYZ[1] @ linear(color)) for color in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(color: str, sight: str) -> np.ndarray:
    scaled = TO_XYZ @ np.clip(SIGHT[sight] @ linear(color), 0, 1) / WHITE
    f = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one: str, other: str, sight: str) -> float:
    """CIE 1976: about 2 is just noticeable."""
    return math.dist(lab(one, sight), lab(other, sight))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("role", ["text", "muted", "running", "done", "sent", "failed", "cut"])
def test_words_in_every_colour_can_be_read(theme: Theme, role: str) -> None:
    palette = PALETTES[theme]
    for ground in (palette.background, palette.surface):
        assert contrast(getattr(palette, role), ground) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_states_differ_for_every_eye(theme: Theme, sight: str) -> None:
    palette = PALETTES[theme]
    for one, other in combinations((palette.running, palette.done, palette.sent, palette.failed, palette.muted), 2):
        assert difference(one, other, sight) >= 10


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_neighbouring_passes_differ_for_every_eye(theme: Theme, sight: str) -> None:
    for index in range(len(PALETTES[theme].passes)):
        assert difference(pass_color(theme, index), pass_color(theme, index + 1), sight) >= 15


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_the_signs_of_a_heat_map_differ_for_every_eye(theme: Theme, sight: str) -> None:
    palette = PALETTES[theme]
    assert difference(palette.negative, palette.positive, sight) >= 60


def test_passes_differ_without_colour() -> None:
    assert len(set(PASS_PATTERNS)) == len(PASS_PATTERNS) == len(PALETTES["light"].passes)
    assert pass_pattern(0) == pass_pattern(len(PASS_PATTERNS))

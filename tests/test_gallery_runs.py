"""Every function of the gallery through the real runner: it completes, twice alike, within limits, told in words."""

from __future__ import annotations

import pytest

import explorer
from explorer.gallery import GalleryFunction, functions
from explorer.i18n import LANGUAGES
from explorer.model import Recording
from explorer.render.dot import to_dot
from explorer.render.options import GraphOptions
from explorer.rules import sentences
from explorer.runner import Completed, Limits
from explorer.ui.first_picture.__main__ import main  # noqa: F401  # the shipped picture is made from the same parts

every_function = pytest.mark.parametrize("shown", functions(), ids=lambda shown: shown.id)
_known: dict[str, Recording] = {}


def recorded(shown: GalleryFunction) -> Recording:
    ending = explorer.run(shown.code, seed=0)
    assert isinstance(ending, Completed), ending
    return ending.recording


def once(shown: GalleryFunction) -> Recording:
    return _known.setdefault(shown.id, recorded(shown)) if shown.id not in _known else _known[shown.id]

"""Programs as data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest


def entries(file: str, table: str) -> list[Any]:
    """The entries of a TOML file beside this one, as test parameters with their names."""
    read = tomllib.loads((Path(__file__).parent / file).read_text("utf-8"))
    return [pytest.param(entry, id=entry["name"].replace(" ", "_")) for entry in read[table]]

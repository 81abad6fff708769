"""Programs as data."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest


def read(file: str, table: str) -> list[dict[str, Any]]:
    """The entries of a TOML file beside this one that are about this Python: `from` and `before` say which are not."""
    found = tomllib.loads((Path(__file__).parent / file).read_text("utf-8"))[table]
    return [one for one in found if one.get("from", [3]) <= [*sys.version_info] < one.get("before", [4])]


def entries(file: str, table: str) -> list[Any]:
    """Such entries as test parameters with their names."""
    return [pytest.param(entry, id=entry["name"].replace(" ", "_")) for entry in read(file, table)]

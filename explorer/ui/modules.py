"""What a component takes: several ES modules joined into one, and its data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import msgspec

_IMPORT = re.compile(r'^import \{[^}]*\} from "\.{1,2}/[a-z/]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:default )?(?=(?:function|class|const) )", re.MULTILINE)


def joined(names: Sequence[str]) -> str:
    """Modules as one without imports; only what the last one exports is exported.

    Args:
        names: Paths below this folder, in order of need. Their top-level names must differ.
    """
    *helpers, last = (_IMPORT.sub("", read(name)) for name in names)
    return "\n".join([*(_EXPORT.sub("", text) for text in helpers), last])


def sent(data: Mapping[str, Any]) -> bytes:
    """A component's data as its module takes it: as JSON already written.

    Of a dictionary Streamlit asks pandas what each entry is; to import it takes the first visitor of a server a second.
    What it writes as JSON itself it reads and sorts again at every rerun, to see whether it has changed.
    """
    return msgspec.json.encode(data)


def read(name: str) -> str:
    """A file below this folder."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")

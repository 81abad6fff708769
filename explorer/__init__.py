"""A visual autograd explorer: what PyTorch's backward pass really did, step by step.

Importing this package imports neither torch nor streamlit: `record` and `run` bring in what they need when called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError
from explorer.model import Recording

if TYPE_CHECKING:
    from explorer.recorder import record
    from explorer.runner import Completed, Failed, Rejected, Stopped, run

__all__ = ["Completed", "ExplorerError", "Failed", "Recording", "Rejected", "Stopped", "record", "run"]


def __getattr__(name: str) -> Any:
    if name == "record":
        from explorer import recorder

        return recorder.record
    if name in {"Completed", "Failed", "Rejected", "Stopped", "run"}:
        from explorer import runner

        return getattr(runner, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Runs strangers' programs, each in a process of its own; imports neither torch nor Graphviz into this one."""

from explorer.runner.endings import AnyEnding, Completed, Failed, Rejected, Stopped, StopReason, Violation
from explorer.runner.errands import Errands
from explorer.runner.limits import Limits
from explorer.runner.running import is_warm, lay_out, run, warm_up

__all__ = [
    "AnyEnding",
    "Completed",
    "Errands",
    "Failed",
    "Limits",
    "Rejected",
    "StopReason",
    "Stopped",
    "Violation",
    "is_warm",
    "lay_out",
    "run",
    "warm_up",
]

"""Gradient flow: how large the gradient still is, layer by layer or time step by time step."""

from explorer.labs.flow.figures import histogram_chart, histogram_height, norm_chart
from explorer.labs.flow.program import FlowSettings, Network, program_text
from explorer.labs.flow.reading import Bad, Level, Reading, read
from explorer.labs.flow.verdict import Verdict, verdict

__all__ = [
    "Bad",
    "FlowSettings",
    "Level",
    "Network",
    "Reading",
    "Verdict",
    "histogram_chart",
    "histogram_height",
    "norm_chart",
    "program_text",
    "read",
    "verdict",
]

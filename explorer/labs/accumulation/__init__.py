"""Accumulation in training: one full batch against the same samples in micro-batches."""

from explorer.labs.accumulation.figures import gradient_chart, memory_chart
from explorer.labs.accumulation.program import AccumulationSettings, part_sizes, program_text
from explorer.labs.accumulation.reading import Reading, read
from explorer.labs.accumulation.verdict import Verdict, verdict

__all__ = [
    "AccumulationSettings",
    "Reading",
    "Verdict",
    "gradient_chart",
    "memory_chart",
    "part_sizes",
    "program_text",
    "read",
    "verdict",
]

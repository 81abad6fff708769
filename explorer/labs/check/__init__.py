"""Check: a program's gradient by autograd, by finite differences and by forward mode."""

from explorer.labs.check.figures import error_chart
from explorer.labs.check.program import CheckSettings, program_text
from explorer.labs.check.reading import STEPS, Precision, Reading, read
from explorer.labs.check.reasons import Reason, reasons
from explorer.labs.check.verdict import Verdict, verdict

__all__ = [
    "STEPS",
    "CheckSettings",
    "Precision",
    "Reading",
    "Reason",
    "Verdict",
    "error_chart",
    "program_text",
    "read",
    "reasons",
    "verdict",
]

"""Words about a recording: sentences, formulas that were checked, what is missing, what an error means."""

from explorer.rules.explanation import Explanation, SlotFormula, explain
from explorer.rules.notices import Notice, error_hint, notice_text, notices
from explorer.rules.sentences import sentence, sentences, start_sentence
from explorer.rules.story import expression

__all__ = [
    "Explanation",
    "Notice",
    "SlotFormula",
    "error_hint",
    "explain",
    "expression",
    "notice_text",
    "notices",
    "sentence",
    "sentences",
    "start_sentence",
]

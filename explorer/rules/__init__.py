"""Words about a recording: sentences, formulas that were checked, what is missing, what an error means."""

from explorer.rules.errors import error_topic
from explorer.rules.explanation import Explanation, SlotFormula, explain
from explorer.rules.notice import Notice
from explorer.rules.notices import error_hint, lines_text, notice_text, notices
from explorer.rules.sentences import sentence, sentences, start_sentence
from explorer.rules.story import expression
from explorer.rules.verification import Verdict

__all__ = [
    "Explanation",
    "Notice",
    "SlotFormula",
    "Verdict",
    "error_hint",
    "error_topic",
    "explain",
    "expression",
    "lines_text",
    "notice_text",
    "notices",
    "sentence",
    "sentences",
    "start_sentence",
]

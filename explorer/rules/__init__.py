"""Words about a recording: a sentence for every step, what is missing, what an error means."""

from explorer.rules.notices import Notice, error_hint, notice_text, notices
from explorer.rules.sentences import sentence, sentences, start_sentence
from explorer.rules.story import expression

__all__ = [
    "Notice",
    "error_hint",
    "expression",
    "notice_text",
    "notices",
    "sentence",
    "sentences",
    "start_sentence",
]

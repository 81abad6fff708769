"""What is said of a text that is not Python, where people paste from elsewhere."""

from __future__ import annotations

import re
import unicodedata

from explorer.model import Span
from explorer.runner.endings import Violation

PROMPT = re.compile(r">>>|\.\.\. |In \[\d*\]:")
"""How a line begins that was copied from an interactive session."""

INVALID_CHARACTER = re.compile(r"invalid character '(.)' \(U\+")
INVISIBLE_CHARACTER = re.compile(r"invalid non-printable character (U\+\w+)")
OPEN_FSTRING = re.compile(r"f-string: (expecting '}'|unmatched|unterminated)")
PLAIN_MARKS = dict(zip("“”‘’。、【】《》—–−", "\"\"''.,[]<>---", strict=True))
"""Marks that look like Python's, besides the full-width forms of ASCII."""


def violation_of(error: SyntaxError) -> Violation:
    """A syntax error as Python words and places it, or what tells more where people paste from elsewhere."""
    line, column = error.lineno or 1, max(error.offset or 1, 1) - 1
    end_line = error.end_lineno or line
    end_column = max((error.end_offset or 0) - 1, column + 1 if end_line == line else 0)
    span = Span(line=line, column=column, end_line=end_line, end_column=end_column)
    text = (error.text or "").lstrip()
    if (prompt := PROMPT.match(text)) is not None:
        return Violation(code="syntax_prompt", span=span, values={"prompt": prompt[0]})
    if text.startswith(("%", "!")):
        return Violation(code="syntax_notebook", span=span, values={"command": text.split()[0]})
    if (wide := INVALID_CHARACTER.match(error.msg)) is not None and (plain := _plain_character(wide[1])) is not None:
        return Violation(code="syntax_wide", span=span, values={"character": wide[1], "plain": plain})
    if (invisible := INVISIBLE_CHARACTER.match(error.msg)) is not None:
        return Violation(code="syntax_invisible", span=span, values={"character": invisible[1]})
    code = "syntax_fstring" if OPEN_FSTRING.match(error.msg) else "syntax"
    return Violation(code=code, span=span, values={"message": error.msg})


def _plain_character(character: str) -> str | None:
    """What Python reads in place of a punctuation mark of another script; None where there is none."""
    plain = PLAIN_MARKS.get(character) or unicodedata.normalize("NFKC", character)
    return plain if plain.isascii() else None

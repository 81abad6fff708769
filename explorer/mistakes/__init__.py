"""The mistakes people make with autograd, each beside its repair: checked content in English and Chinese."""

from explorer.mistakes.catalogue import (
    Mistake,
    MistakesInvalid,
    answer_to,
    categories,
    check_mistakes,
    mistake,
    mistakes,
    search,
)

__all__ = [
    "Mistake",
    "MistakesInvalid",
    "answer_to",
    "categories",
    "check_mistakes",
    "mistake",
    "mistakes",
    "search",
]

"""Names that are free in a program."""

from __future__ import annotations

import re


class Names:
    """Hands out names that a program does not use, each once.

    Args:
        texts: The program, and whatever else will stand beside it.
    """

    def __init__(self, *texts: str) -> None:
        self._taken = set(re.findall(r"\w+", " ".join(texts)))

    def fresh(self, *wanted: str) -> str:
        """The first of the names that is free, else the last with a number."""
        numbered = (f"{wanted[-1]}{number}" for number in range(2, len(self._taken) + 3))
        name = next(name for name in (*wanted, *numbered) if name not in self._taken)
        self._taken.add(name)
        return name

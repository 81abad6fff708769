"""User text inside Markdown, where it may mean nothing but itself."""

from __future__ import annotations


def as_code(words: str) -> str:
    """Text as code in Markdown, whatever it holds."""
    return f"`{words.replace('`', 'ˋ')}`"


def plain(words: str) -> str:
    """Text that Markdown leaves alone."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#+-!|~$:" else sign for sign in words)

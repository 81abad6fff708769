"""`str.format`, whose fields reach attributes: with the same look at each as the program's own text gets."""

from __future__ import annotations

import _string  # type: ignore[import-not-found]  # what `string.Formatter` itself splits fields with
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any


class SafeFormatter(Formatter):
    """Reads attributes through a guard.

    Args:
        read: What to read an attribute with.
    """

    def __init__(self, read: Callable[[Any, str], Any]) -> None:
        self._read = read

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The object that a field such as `0.shape[1]` stands for."""
        first, rest = _string.formatter_field_name_split(field_name)
        found = self.get_value(first, args, kwargs)
        for is_attribute, key in rest:
            found = self._read(found, key) if is_attribute else found[key]
        return found, first


def safe_format(subject: Any, name: str, read: Callable[[Any, str], Any]) -> Callable[..., str] | None:
    """`format` or `format_map` of a text or of a class of texts, which reads through the guard; None of other things.

    Args:
        subject: Whose method it is, see `explorer.runner.subjects`.
        name: Which of the two.
        read: What to read an attribute with.
    """
    cls = type(subject)
    if issubclass(cls, str):
        return _bound(subject, name, read)
    if issubclass(cls, type) and issubclass(subject, str):
        return lambda text, *args, **kwargs: _bound(text, name, read)(*args, **kwargs)
    return None


def _bound(text: str, name: str, read: Callable[[Any, str], Any]) -> Callable[..., str]:
    formatter, pattern = SafeFormatter(read), str.__str__(text)
    if name == "format":
        return lambda *args, **kwargs: formatter.vformat(pattern, args, kwargs)

    def format_map(mapping: Mapping[str, Any]) -> str:
        return formatter.vformat(pattern, (), mapping)

    return format_map

"""How a kind of event is told: rows of when and what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from explorer.model import Happened
from explorer.rules.story import Story

MOST_EDGES = 4
"""So many gradients or results are told one by one."""

E = TypeVar("E", bound=Happened)
Words = dict[str, str]
Row = tuple[Callable[[Story, E], bool], str]


@dataclass(frozen=True)
class Kind(Generic[E]):
    """How one kind of event is told.

    Args:
        words: What the placeholders stand for.
        rows: The first that applies gives the sentence.
        also: Each that applies adds a sentence.
    """

    words: Callable[[Story, E], Words]
    rows: tuple[Row[E], ...]
    also: tuple[Row[E], ...] = ()

    def tell(self, story: Story, event: E) -> str:
        """The sentences for an event of this kind."""
        words = self.words(story, event)
        keys = [next(key for applies, key in self.rows if applies(story, event))]
        keys += [key for applies, key in self.also if applies(story, event)]
        return story.join(story.say(f"sentence.{key}", **words) for key in keys)


def always(story: Story, event: Happened) -> bool:
    """The condition of a kind's last row."""
    return True

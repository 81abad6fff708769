"""One sentence for every event: what just happened, with the program's own names and torch's own numbers.

Each kind of event has a `Kind`: rows of (when, key of the sentence), the first that applies is said; `also`, rows that
all apply on their own; and a function that gives the placeholders their words. New knowledge is a new row.
"""

from __future__ import annotations

from typing import Any

from explorer.i18n import Language
from explorer.model import (
    Accumulated,
    BackwardEnded,
    BackwardStarted,
    GradCleared,
    Happened,
    Modified,
    NodeRan,
    Operation,
    Printed,
    Raised,
    Recording,
    Warned,
)
from explorer.model.derived import derived
from explorer.rules.sentences.backward import ACCUMULATED, BACKWARD_ENDED, BACKWARD_STARTED, GRAD_CLEARED, NODE_RAN
from explorer.rules.sentences.forward import MODIFIED, OPERATION, PRINTED, RAISED, WARNED
from explorer.rules.sentences.kind import Kind
from explorer.rules.story import Story

KINDS: dict[type[Happened], Kind[Any]] = {
    Operation: OPERATION,
    Printed: PRINTED,
    Warned: WARNED,
    Modified: MODIFIED,
    BackwardStarted: BACKWARD_STARTED,
    NodeRan: NODE_RAN,
    Accumulated: ACCUMULATED,
    BackwardEnded: BACKWARD_ENDED,
    GradCleared: GRAD_CLEARED,
    Raised: RAISED,
}


def sentence(recording: Recording, step: int, language: Language) -> str:
    """What happened at `step`, counted from 1: the event that has just ended.

    Raises:
        IndexError: There is no such step.
    """
    if not 1 <= step <= len(recording.events):
        raise IndexError(step)
    return _tell(Story(recording, language), recording.events[step - 1])


def start_sentence(recording: Recording, language: Language) -> str:
    """What is to be said at step 0, before anything has happened."""
    story = Story(recording, language)
    if not recording.events:
        return story.say("sentence.start_empty")
    return story.say("sentence.start", steps=len(recording.events), passes=len(recording.backward_passes))


@derived
def sentences(recording: Recording, language: Language) -> tuple[str, ...]:
    """The sentences of all steps, from 0 to the last."""
    story = Story(recording, language)
    return (start_sentence(recording, language), *(_tell(story, event) for event in recording.events))


def _tell(story: Story, event: Happened) -> str:
    kind: Kind[Any] = KINDS[type(event)]
    return kind.tell(story, event)

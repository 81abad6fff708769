"""What is worked out once for each recording."""

from __future__ import annotations

import msgspec

from explorer.model import Recording
from explorer.model.derived import derived

CALLS: list[tuple[int, ...]] = []


@derived
def events_and(recording: Recording, *more: int) -> list[int]:
    CALLS.append(more)
    return [len(recording.events), *more]


def test_it_is_found_once_for_each_recording_and_question() -> None:
    one, other = Recording(), Recording()
    CALLS.clear()
    assert events_and(one) is events_and(one)
    assert events_and(one, 3) == [0, 3]
    assert events_and(other) is not events_and(one)
    assert CALLS == [(), (3,), ()]


def test_it_is_no_part_of_the_recording() -> None:
    recording = Recording()
    before = recording.to_json()
    events_and(recording)
    assert recording.to_json() == before
    assert recording == Recording()
    assert not msgspec.structs.replace(recording, seed=1).__dict__

"""Work that any number of threads may want: done once for all of them, and ended when nobody waits for it any more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, MutableMapping
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import Condition, Thread
from typing import Generic, TypeVar

from explorer.runner.patience import TURN_SECONDS, IsWanted

Key = TypeVar("Key", bound=Hashable)
Outcome = TypeVar("Outcome")

LINGER_SECONDS = 2.0
"""How long work goes on when the last one has left; a page that is drawn anew leaves, and comes back at once."""

LEAVE_SECONDS = 5 * TURN_SECONDS
"""How long whoever drops work may take to leave it: a page that is drawn anew begins before the old one ends."""


class Errand(Generic[Outcome]):
    """One piece of work, from its beginning on."""

    def __init__(self) -> None:
        self.outcome: Future[Outcome] = Future()
        self.waiting = 0
        self.left_at = time.monotonic()
        self.is_given_up = False

    def is_wanted(self) -> bool:
        """Whether somebody waits, or may come back; what has once been given up stays so."""
        if not self.waiting and time.monotonic() > self.left_at + LINGER_SECONDS:
            self.is_given_up = True
        return not self.is_given_up


class Errands(Generic[Key, Outcome]):
    """Pieces of work by what they are about; each is done in a thread of its own.

    Args:
        kept: Where outcomes stay. No other thread may touch it, except by the methods here.
    """

    def __init__(self, kept: MutableMapping[Key, Outcome]) -> None:
        self._lock = Condition()
        self._kept = kept
        self._under_way: dict[Key, Errand[Outcome]] = {}

    def get(self, key: Key) -> Outcome | None:
        """The outcome, if it is kept."""
        with self._lock:
            return self._kept.get(key)

    def outcome_of(self, key: Key, work: Callable[[IsWanted], Outcome], pause: Callable[[], object]) -> Outcome:
        """The outcome of a piece of work, which is begun unless it is known or under way.

        Args:
            key: What it is about.
            work: Does it; to be ended early where what it is given says that nobody wants the outcome any more.
            pause: Called again and again while this thread waits; what it raises ends the waiting.
        """
        while True:
            with self._lock:
                if (known := self._kept.get(key)) is not None:
                    return known
                errand = self._under_way.get(key) or self._begin(key, work)
                errand.waiting += 1
            try:
                while not wait((errand.outcome,), TURN_SECONDS).done:
                    pause()
            finally:
                with self._lock:
                    errand.waiting -= 1
                    errand.left_at = time.monotonic()
                    self._lock.notify_all()
            if not errand.is_given_up:  # else it was too late to join
                return errand.outcome.result()

    def drop(self, key: Key, seconds: float = 0.0) -> Outcome | None:
        """Ends a piece of work now, unless somebody waits for it.

        Args:
            key: What it is about.
            seconds: How long it may take to tell what it has come to.

        Returns:
            What it has come to, which is not kept; None where that has not come in time, or the work goes on.
        """
        with self._lock:
            errand = self._under_way.get(key)
            if errand is None or not self._lock.wait_for(lambda: not errand.waiting, LEAVE_SECONDS):
                return None
            errand.left_at = -math.inf
        has_ended = wait((errand.outcome,), seconds).done and errand.outcome.exception() is None
        return errand.outcome.result() if has_ended else None

    def forget(self, key: Key) -> None:
        """Lets a piece of work be done anew."""
        with self._lock:
            self._kept.pop(key, None)

    def _begin(self, key: Key, work: Callable[[IsWanted], Outcome]) -> Errand[Outcome]:
        errand = Errand[Outcome]()
        # Only work that has a thread is under way: where none can be had, nobody is to wait for it.
        Thread(target=self._do, args=(key, work, errand), daemon=True).start()
        self._under_way[key] = errand
        return errand

    def _do(self, key: Key, work: Callable[[IsWanted], Outcome], errand: Errand[Outcome]) -> None:
        try:
            outcome = work(errand.is_wanted)
        except BaseException as error:
            with self._lock:
                del self._under_way[key]
            errand.outcome.set_exception(error)
        else:
            with self._lock:
                del self._under_way[key]
                if not errand.is_given_up:
                    with suppress(ValueError):  # larger than all that may be kept
                        self._kept[key] = outcome
            errand.outcome.set_result(outcome)

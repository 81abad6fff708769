"""Jobs wait for their turn, in order, and only so many of them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import explorer
from explorer.errors import LayoutFailed
from explorer.i18n import LANGUAGES
from explorer.runner import Completed, Limits, Stopped, lay_out, parents, running
from explorer.runner.patience import IsWanted, NobodyWaits, Patience
from explorer.runner.places import Places, QueueFull


def waiting_in(places: Places, count: int) -> None:
    """Returns when so many wait."""
    while len(places._waiting) < count:
        time.sleep(0.001)


def test_who_came_first_is_served_first() -> None:
    places, served = Places(1, 30), []

    def work(number: int) -> None:
        with places.taken():
            served.append(number)

    with ThreadPoolExecutor(30) as pool, places.taken():
        for number in range(30):
            pool.submit(work, number)
            waiting_in(places, number + 1)
    assert served == list(range(30))


def test_no_more_are_at_work_than_there_are_places() -> None:
    places, at_work, most = Places(3, 50), [], []

    def work(number: int) -> None:
        with places.taken():
            at_work.append(number)
            most.append(len(at_work))
            time.sleep(0.002)
            at_work.remove(number)

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(work, range(30)))
    assert max(most) == 3


def test_a_place_is_given_back_after_an_error() -> None:
    places = Places(1, 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), places.taken():
            1 / 0


def test_who_is_not_wanted_any_more_leaves_the_queue() -> None:
    places = Places(1, 1)
    with places.taken():
        for _ in range(2):
            with pytest.raises(NobodyWaits), places.taken(Patience(is_wanted=lambda: False)):
                pass
    with places.taken():
        pass


def test_a_full_queue_turns_away() -> None:
    places, done = Places(1, 1), threading.Event()

    def wait() -> None:
        with places.taken():
            done.wait()

    waiter = threading.Thread(target=wait)
    with places.taken():
        waiter.start()
        waiting_in(places, 1)
        with pytest.raises(QueueFull), places.taken():
            pass
    done.set()
    waiter.join()


def test_a_program_that_is_turned_away_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Places(0, 0)
    monkeypatch.setattr(running, "_places", lambda: full)
    ending = explorer.run("x = 1")
    assert ending == Stopped(reason="busy")
    assert all(ending.sentence(language) for language in LANGUAGES)
    with pytest.raises(LayoutFailed):
        lay_out("digraph { a }")


def test_waiting_takes_nothing_off_a_programs_time(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Places(1, 30)
    monkeypatch.setattr(running, "_places", lambda: one)
    code, limits = (
        "import time\nuntil = time.monotonic() + 0.15\nwhile time.monotonic() < until: pass",
        Limits(wall_seconds=1.0),
    )
    with ThreadPoolExecutor(30) as pool:
        endings = list(pool.map(lambda _: explorer.run(code, limits=limits), range(30)))
    assert all(isinstance(ending, Completed) for ending in endings)


@pytest.mark.parametrize(
    ("exit_code", "part"), [(-11, "SIGSEGV"), (-6, "SIGABRT"), (-9, "SIGKILL"), (70, ""), (None, "")]
)
def test_a_death_is_told_by_its_signal(exit_code: int | None, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        def ask(self, job_json: bytes, seconds: float, is_wanted: IsWanted) -> bytes:
            raise parents.WorkerDied(exit_code)

    monkeypatch.setattr(running, "workers", Dead)
    ending = explorer.run("x = 1")
    assert isinstance(ending, Stopped)
    assert ending.reason == "crash"
    assert all(part in ending.sentence(language) for language in LANGUAGES)


def test_a_worker_that_was_killed_from_outside_gets_a_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, asked = running.workers(), []

    class KilledOnce:
        def ask(self, job_json: bytes, seconds: float, is_wanted: IsWanted) -> bytes:
            asked.append(job_json)
            if len(asked) == 1:
                raise parents.WorkerDied(-9)
            return plain.ask(job_json, seconds, is_wanted)

    monkeypatch.setattr(running, "workers", KilledOnce)
    assert isinstance(explorer.run("x = 1"), Completed)
    assert len(asked) == 2

"""Work that several threads want: done once, ended when nobody waits for it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from explorer.runner import errands
from explorer.runner.errands import Errands
from explorer.runner.patience import IsWanted


class Gone(BaseException):
    """What a page raises that is not looked at any more."""


class Work:
    """Goes on until it is let end, or nobody wants it."""

    def __init__(self) -> None:
        self.begun, self.may_end, self.ended_early = 0, Event(), Event()

    def __call__(self, is_wanted: IsWanted) -> str:
        self.begun += 1
        while not self.may_end.wait(0.01):
            if not is_wanted():
                self.ended_early.set()
                return "ended early"
        return "done"


def leave() -> None:
    raise Gone


def stay() -> None:
    pass


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def desk() -> Errands[str, str]:
    return Errands({})


def test_who_leaves_does_not_end_it_for_those_who_stay(desk: Errands[str, str], work: Work) -> None:
    with ThreadPoolExecutor(1) as pool:
        staying = pool.submit(desk.outcome_of, "a", work, stay)
        for _ in range(2):
            with pytest.raises(Gone):
                desk.outcome_of("a", work, leave)
            assert desk.drop("a", seconds=10) is None
        time.sleep(0.1)
        work.may_end.set()
        assert staying.result() == "done"
    assert work.begun == 1
    assert desk.get("a") == "done"


def test_the_last_one_who_drops_it_ends_it(desk: Errands[str, str], work: Work) -> None:
    with pytest.raises(Gone):
        desk.outcome_of("a", work, leave)
    assert desk.drop("a", seconds=10) == "ended early"
    assert desk.get("a") is None
    work.may_end.set()
    assert desk.outcome_of("a", work, stay) == "done", "it was given up, and is done anew"
    assert work.begun == 2


def test_who_drops_it_may_be_about_to_leave(desk: Errands[str, str], work: Work) -> None:
    with ThreadPoolExecutor(1) as pool:
        leaving = pool.submit(desk.outcome_of, "a", work, leave)
        while not work.begun:
            time.sleep(0.001)
        assert desk.drop("a", seconds=10) == "ended early"
        assert isinstance(leaving.exception(), Gone)


def test_who_comes_back_soon_finds_it_going_on(desk: Errands[str, str], work: Work) -> None:
    with pytest.raises(Gone):
        desk.outcome_of("a", work, leave)
    work.may_end.set()
    assert desk.outcome_of("a", work, stay) == "done"
    assert work.begun == 1


def test_what_nobody_comes_back_for_ends(desk: Errands[str, str], work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "LINGER_SECONDS", 0.05)
    with pytest.raises(Gone):
        desk.outcome_of("a", work, leave)
    assert work.ended_early.wait(10)
    assert desk.get("a") is None


def test_an_error_reaches_all_and_is_not_kept(desk: Errands[str, str]) -> None:
    def fail(_: IsWanted) -> str:
        time.sleep(0.1)
        raise ZeroDivisionError

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(desk.outcome_of, "a", fail, stay) for _ in range(3)]
    assert all(isinstance(one.exception(), ZeroDivisionError) for one in asked)
    assert desk.outcome_of("a", lambda _: "done", stay) == "done"

"""Workers, their parent and the server: who dies when, and what the others make of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import explorer
from explorer.errors import LayoutFailed, WorkerUnavailable
from explorer.model import Recording
from explorer.runner import Completed, Limits, Stopped, endings, fresh, jobs, lay_out, parents, patience, running
from explorer.runner.frames import FrameBroken, receive_frame, send_frame
from explorer.runner.patience import NobodyWaits, Patience
from explorer.runner.places import Places

ROOT = Path(__file__).parents[2]
LOOP = "while True: pass"
STUBBORN = "while True:\n    try:\n        while True: pass\n    finally:\n        while True: pass"
"""Goes on where it is told to end."""
DEAF = "sum(range(10**11))"
"""Is in Python's own code, where nothing can be told to it."""


SPARES = 2


@pytest.fixture(scope="module")
def shared_parent() -> Iterator[parents.ForkingParent]:
    made = parents.ForkingParent()
    yield made
    made.stop()


@pytest.fixture
def parent(shared_parent: parents.ForkingParent) -> parents.ForkingParent:
    """A parent that lives, with nothing to do."""
    shared_parent.ask(job("x = 1"), 10.0)
    assert eventually(lambda: len(workers_of(shared_parent)) == SPARES)
    return shared_parent


def job(code: str, limits: Limits | None = None) -> bytes:
    import msgspec

    return msgspec.json.encode(jobs.RunJob(code=code, limits=limits or Limits()))


def workers_of(parent: parents.ForkingParent) -> list[int]:
    """The processes that a parent has forked and not yet buried."""
    return [int(child) for child in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]


def eventually(claim: Callable[[], bool]) -> bool:
    """Whether a claim comes true within some seconds."""
    until = time.monotonic() + 20
    while not (is_true := claim()) and time.monotonic() < until:
        time.sleep(0.01)
    return is_true


def has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_server_process_never_imports_torch() -> None:
    code = (
        "import sys, explorer\nexplorer.run('import torch')\nprint('torch' in sys.modules, 'pygraphviz' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_threads_get_their_own_answers() -> None:
    with ThreadPoolExecutor(8) as pool:
        printed = [ending.recording.printed for ending in pool.map(explorer.run, [f"print({n})" for n in range(24)])]
    assert printed == [f"{n}\n" for n in range(24)]


def test_nothing_lives_on_from_one_program_to_the_next() -> None:
    explorer.run("import torch\ntorch.set_default_dtype(torch.float64)\ntorch.manual_seed(9)")
    assert explorer.run("import torch\nprint(torch.ones(1))").recording.printed == "tensor([1.])\n"


def test_a_worker_is_gone_after_its_answer(parent: parents.ForkingParent) -> None:
    for _ in range(3):
        parent.ask(job("x = 1"), 10.0)
    assert eventually(lambda: len(workers_of(parent)) == SPARES)


def test_a_worker_that_is_not_waited_for_is_killed(parent: parents.ForkingParent) -> None:
    with pytest.raises(TimeoutError):
        parent.ask(job(LOOP, Limits(wall_seconds=60.0)), 0.3)
    assert eventually(lambda: len(workers_of(parent)) == SPARES)


def test_a_worker_whose_answer_is_not_wanted_any_more_is_ended_with_its_group(
    parent: parents.ForkingParent, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    before_the_job(parent, groups.append, monkeypatch)
    with pytest.raises(NobodyWaits):
        parent.ask(job(DEAF), 60.0, lambda: not groups)
    assert eventually(lambda: not has_members(groups[0]))
    assert parent.ask(job("x = 1"), 10.0)


def test_a_worker_that_is_to_stop_before_it_has_begun_ends(
    parent: parents.ForkingParent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halt(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(0.5, os.kill, (pid, signal.SIGCONT)).start()

    monkeypatch.setattr(patience, "LAST_WORDS_SECONDS", 60.0)
    before_the_job(parent, halt, monkeypatch)
    with pytest.raises(NobodyWaits):
        parent.ask(job("x = 1"), 60.0, lambda: False)


def test_a_program_that_is_not_wanted_any_more_is_stopped_and_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Places(1, 0)
    monkeypatch.setattr(running, "_places", lambda: one)
    ending = explorer.run(LOOP, is_wanted=soon_unwanted())
    assert isinstance(ending, Stopped)
    assert ending.reason == "user"
    assert isinstance(explorer.run("x = 1"), Completed)


@pytest.mark.parametrize("loop", [LOOP, STUBBORN], ids=["loop", "stubborn"])
def test_a_program_that_is_stopped_tells_what_it_had_done(loop: str) -> None:
    code = f"import torch\nx = torch.ones(2, requires_grad=True)\n(3 * x).sum().backward()\nprint(x.grad)\n{loop}"
    ending = explorer.run(code, is_wanted=soon_unwanted())
    assert isinstance(ending, Stopped)
    assert ending.reason == "user"
    assert ending.recording is not None
    assert ending.recording.printed == "tensor([3., 3.])\n"
    assert len(ending.recording.backward_passes) == 1


def soon_unwanted() -> Callable[[], bool]:
    """What is wanted for half a second."""
    until = time.monotonic() + 0.5
    return lambda: time.monotonic() < until


def before_the_job(parent: parents.ForkingParent, act: Callable[[int], None], patch: pytest.MonkeyPatch) -> None:
    """Acts on the process of the next worker, when it has started and not yet got its job."""
    plain = parent._await_answer

    def disturbed(end: socket.socket, job_json: bytes, patience: Patience, pid: int) -> bytes:
        act(pid)
        return plain(end, job_json, patience, pid)

    patch.setattr(parent, "_await_answer", disturbed)


def test_a_worker_that_dies_is_a_crash(parent: parents.ForkingParent, monkeypatch: pytest.MonkeyPatch) -> None:
    before_the_job(parent, lambda pid: os.kill(pid, signal.SIGKILL), monkeypatch)
    with pytest.raises(parents.WorkerDied) as death:
        parent.ask(job("x = 1"), 30.0)
    assert death.value.exit_code in {-signal.SIGKILL, None}


def test_spare_workers_that_died_are_replaced(parent: parents.ForkingParent) -> None:
    for pid in workers_of(parent):
        os.kill(pid, signal.SIGKILL)
    assert parent.ask(job("x = 1"), 10.0)


def test_the_parent_is_single_threaded(parent: parents.ForkingParent) -> None:
    parent.ask(job("import torch\n(torch.ones(2, requires_grad=True) * 2).sum().backward()"), 10.0)
    assert os.listdir(f"/proc/{parent.pid}/task") == [str(parent.pid)]  # noqa: PTH208


def test_a_worker_outlives_its_parent_and_answers(
    parent: parents.ForkingParent, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_job(parent, lambda _: os.kill(parent.pid or 0, signal.SIGKILL), monkeypatch)
    assert isinstance(endings.read_ending(parent.ask(job("x = 1"), 30.0), "x = 1", 0), Completed)


def test_a_parent_that_died_is_started_again(parent: parents.ForkingParent) -> None:
    first = parent.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert parent.ask(job("x = 1"), 10.0)
    assert parent.pid != first


def test_the_parent_and_its_workers_end_with_the_server() -> None:
    code = (
        "import os, threading, explorer\nfrom explorer.runner import running\nexplorer.run('x = 1')\n"
        f"threading.Thread(target=explorer.run, args=({LOOP!r},)).start()\n"
        "import time; time.sleep(0.3)\nprint(running.workers().pid, flush=True)\nos._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    assert eventually(lambda: not is_alive(pid))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x80\x04K\x01.",
        b"{}",
        b'{"ending": "Nonsense"}',
        b'{"ending": "Completed", "recording": {"source": "other"}}',
        b'{"ending": "Completed", "recording": {"source": "x", "edges": [{"id": "e", "source": "a", "slot": 0, '
        b'"target": "b", "input_nr": 0}]}}',
        b'{"ending": "Completed", "recording": {"source": "x", "leaves": 3}}',
        b'{"ending": "Rejected", "violations": [{"code": "no_such_sentence"}]}',
        b'{"ending": "Rejected", "violations": [{"code": "name_code", "values": {}}]}',
        b'{"ending": "Stopped", "reason": "bored"}',
        b"[" * 100_000,
    ],
)
def test_nonsense_from_a_worker_is_a_crash(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_ask", lambda *_: answer)
    assert explorer.run("x") == Stopped(reason="crash")


def test_an_honest_answer_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    honest = Completed(recording=Recording(source="x", seed=0))
    monkeypatch.setattr(running, "_ask", lambda *_: msgspec.json.encode(honest))
    assert explorer.run("x") == honest


def test_messages_that_are_too_long_or_cut_off_are_refused() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send_frame(theirs, b"A", b"12345")
        with pytest.raises(FrameBroken):
            receive_frame(ours, 4)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(b"A\0\0\0\0\0\0\0\x05123")
        with pytest.raises(FrameBroken):
            receive_frame(ours, 100)


def test_a_graph_is_laid_out() -> None:
    drawing = lay_out('digraph { a [id="n0"]; a -> b }')
    assert drawing.startswith("<svg")
    assert 'id="n0"' in drawing


def test_a_graph_that_is_none_is_an_error_of_ours() -> None:
    with pytest.raises(LayoutFailed):
        lay_out("no graph {")
    assert lay_out("digraph { a }")


def test_without_any_process_the_server_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(WorkerUnavailable):
        parents.ForkingParent().ask(job("x = 1"), 1.0)
    monkeypatch.setattr(sys, "executable", "/no/such/program")
    with pytest.raises(WorkerUnavailable):
        parents.ForkingParent().ask(job("x = 1"), 1.0)


def test_fresh_interpreters_do_the_same() -> None:
    code = "import torch\nx = torch.ones(2, requires_grad=True)\n(x * x).sum().backward()\nprint(x.grad)"
    ending = endings.read_ending(fresh.FreshInterpreters().ask(job(code), 10.0), code, 0)
    assert ending == explorer.run(code)


def test_a_fresh_interpreter_that_is_not_wanted_any_more_is_ended() -> None:
    with pytest.raises(NobodyWaits):
        fresh.FreshInterpreters().ask(job(LOOP), 60.0, lambda: False)


def test_warming_up_does_not_wait() -> None:
    explorer.run("x = 1")
    assert explorer.runner.is_warm()
    explorer.runner.warm_up()
    assert explorer.runner.is_warm()

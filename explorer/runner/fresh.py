"""Workers where a system cannot fork: a fresh interpreter per job, which does the same, slower."""

from __future__ import annotations

import subprocess
import sys
import threading

from explorer.errors import WorkerUnavailable
from explorer.runner.jobs import LARGEST_ANSWER_BYTES
from explorer.runner.parents import WARM_UP_SECONDS, WorkerDied, environment
from explorer.runner.patience import IsWanted, NobodyWaits, Patience, is_always_wanted


class FreshInterpreters:
    """Starts an interpreter for each job."""

    is_warm = False

    def start(self) -> None:
        """Nothing can be made ready."""

    def stop(self) -> None:
        """Nothing outlives its job."""

    def ask(self, job_json: bytes, seconds: float, is_wanted: IsWanted = is_always_wanted) -> bytes:
        """A worker's answer to a job; as `ForkingParent.ask`."""
        command = [sys.executable, "-P", "-m", "explorer.runner.fresh_interpreter"]
        try:
            process = subprocess.Popen(  # noqa: S603  our own program
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
            )
        except OSError as error:
            raise WorkerUnavailable("runner.stopped_no_worker") from error
        with process:
            # It first imports torch; then its own clock stops the program in time.
            return _answer(process, job_json, Patience(WARM_UP_SECONDS + seconds, is_wanted))


def _answer(process: subprocess.Popen[bytes], job_json: bytes, patience: Patience) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    has_ended, why_killed = threading.Event(), []

    def watch() -> None:
        try:
            while not has_ended.wait(patience.turn_seconds):
                patience.check()
        except (TimeoutError, NobodyWaits) as error:
            why_killed.append(error)
            process.kill()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        process.stdin.write(job_json)
        process.stdin.close()
        answer = process.stdout.read(LARGEST_ANSWER_BYTES + 1)
    except OSError:
        raise WorkerDied from None
    finally:
        has_ended.set()
        watcher.join()
        process.kill()
    if why_killed:
        raise why_killed[0]
    if not answer or len(answer) > LARGEST_ANSWER_BYTES:
        raise WorkerDied(process.wait())
    return answer

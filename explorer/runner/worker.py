"""One job in a process of its own: bytes in, bytes out. The only module that imports the recorder and the layout."""

from __future__ import annotations

import contextlib
import gc
import importlib
import random
import sys
import tempfile
import warnings
from types import ModuleType
from typing import IO, Any

import msgspec

from explorer.errors import LayoutFailed
from explorer.model import Raised, Recording
from explorer.recorder import RecordingLimits, Session, SessionUnfinished, record
from explorer.recorder.builder import LONGEST_MESSAGE, writable
from explorer.recorder.taps import GARBAGE_AFTER
from explorer.render import layout
from explorer.runner import kernel
from explorer.runner.confinement import import_folders, open_reserve, restrict, watched_acts
from explorer.runner.deadline import BoundedOutput, Deadline
from explorer.runner.endings import AnyEnding, Completed, Failed, Rejected, StopReason, stopped
from explorer.runner.guards import Guards, import_allowed
from explorer.runner.jobs import LARGEST_ANSWER_BYTES, AnyJob, LaidOut, LayoutJob, NotLaidOut, RunJob
from explorer.runner.limits import Limits
from explorer.runner.names import FILENAME
from explorer.runner.policy import ProgramRejected, compile_program
from explorer.runner.positions import Lines
from explorer.runner.seals import seal
from explorer.runner.stops import Ended

ALLOCATION_FAILED = ("can't allocate memory", "not enough memory", "bad_alloc", "Unable to allocate")
"""What torch says when there is no memory; it raises plain RuntimeErrors."""


def perform(job_json: bytes, modules: dict[str, ModuleType] | None = None) -> bytes:
    """Does one job, under its limits, which this process then has for good.

    Args:
        job_json: From the server, trusted; the program in it is not.
        modules: The allowed modules, where they have been imported.
    """
    job: AnyJob = msgspec.json.decode(job_json, type=AnyJob)
    if isinstance(job, LayoutJob):
        with tempfile.TemporaryFile() as file:  # from here on none can be opened to be written
            restrict(job.limits, file_bytes=LARGEST_ANSWER_BYTES)
            kernel.close_off(["/"])  # fonts may lie anywhere
            return msgspec.json.encode(_lay_out(job.dot, file))
    modules = modules or import_allowed()
    seal(modules)
    restrict(job.limits)
    kernel.close_off(import_folders())
    try:
        answer = msgspec.json.encode(run_program(job, modules))
    except MemoryError:
        answer = b""
    if not 0 < len(answer) <= LARGEST_ANSWER_BYTES:
        return msgspec.json.encode(stopped("memory", job.limits))
    return answer


def rehearse(modules: dict[str, ModuleType]) -> None:
    """Does once what every worker does, so that those forked later find it ready; builds no graph."""
    torch: Any = modules["torch"]
    kernel.prepare()
    import_folders()
    source = "import torch\nx = torch.ones(2)\nx.data -= 1\nprint((2 * x).sum())"
    # torch loads its forward-mode formulas on first use, which takes a quarter of a second.
    source += "\nwith torch.autograd.forward_ad.dual_level():\n    torch.autograd.forward_ad.make_dual(x, x)"
    code = compile_program(source)
    with contextlib.redirect_stdout(BoundedOutput(1_000)), record(source=source, filename=FILENAME):
        exec(code, Guards(source, modules).namespace())  # noqa: S102  the text above
    torch.default_generator.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it imports is told that a part of torch is deprecated
        importlib.import_module("torch._decomp.decompositions_for_jvp")  # forward mode does so on its first use
    layout.lay_out("digraph { a -> b }")  # loads Graphviz's plugins and fonts


def run_program(job: RunJob, modules: dict[str, ModuleType]) -> AnyEnding:
    """Runs a program, recorded, and tells how it ended."""
    try:
        code = compile_program(job.code)
    except ProgramRejected as rejection:
        return Rejected(violations=rejection.violations)
    # As a session has it; to set it back at its end would have Python look through what is about to be sent.
    gc.set_threshold(GARBAGE_AFTER)
    guards, deadline = Guards(job.code, modules), Deadline(job.limits)
    output = BoundedOutput(job.limits.output_characters)
    session = _session(job)
    _settle(modules["torch"], job.seed)
    sys.stdout = output
    error: BaseException | None = None
    try:
        with session:
            try:
                with deadline, watched_acts(lambda act: guards.refuse("act_refused", name=act)):
                    exec(code, guards.namespace())  # noqa: S102  what this module is for
            except Ended:
                pass
            finally:
                open_reserve()
    except BaseException as raised:
        error = raised
    if guards.first_refusal is not None:
        return Rejected(violations=(guards.first_refusal,))
    reason = deadline.reached or output.reached or ("memory" if is_out_of_memory(error) else None)
    return _ending(_recording(session), error, reason, job.limits)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether Python or torch found no memory."""
    if type(error) is RuntimeError:
        return any(words in str(error) for words in ALLOCATION_FAILED)
    return isinstance(error, MemoryError)


def _ending(
    recording: Recording | None, error: BaseException | None, reason: StopReason | None, limits: Limits
) -> AnyEnding:
    if recording is None:
        return stopped(reason or "crash", limits)
    if reason is not None:
        return stopped(reason, limits, recording)
    if error is None:
        return Completed(recording=recording)
    return Failed(recording=recording if recording.error is not None else _with_error(recording, error))


def _with_error(recording: Recording, error: BaseException) -> Recording:
    """Adds what is no `Exception`, such as SystemExit, which a recorder lets pass without a word."""
    span = Lines(recording.source or "").span_of_traceback(error.__traceback__, FILENAME)
    raised = Raised(type=type(error).__name__, message=writable(str(error), LONGEST_MESSAGE), span=span)
    return msgspec.structs.replace(recording, error=raised, events=(*recording.events, raised))


def _recording(session: Session) -> Recording | None:
    try:
        return session.recording
    except SessionUnfinished:
        return None


def _session(job: RunJob) -> Session:
    limits = job.limits
    kept = RecordingLimits(
        events=limits.events,
        nodes=limits.nodes,
        values=limits.values,
        elements=limits.elements,
        jacobians=limits.jacobians,
    )
    return record(source=job.code, filename=FILENAME, seed=job.seed, limits=kept)


def _settle(torch: Any, seed: int) -> None:
    """The same start for every run."""
    torch.set_num_threads(1)
    # As `torch.manual_seed`, without its looking for graphics cards.
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    warnings.simplefilter("default")


def _lay_out(dot: str, file: IO[bytes]) -> LaidOut | NotLaidOut:
    try:
        return LaidOut(svg=layout.lay_out(dot, file))
    except LayoutFailed as error:
        return NotLaidOut(reason=str(error.values.get("reason", error)))

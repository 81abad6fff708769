"""One recording session: puts the watchers in place and takes them away again."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

import msgspec
import torch
from torch.overrides import TorchFunctionMode

from explorer.errors import ExplorerError
from explorer.model import Raised, Recording, Warned
from explorer.model.recording import without_bystanders
from explorer.recorder.blame import PASSES, blamed, calls_of, failure_of, users_lines
from explorer.recorder.builder import LONGEST_MESSAGE, writable
from explorer.recorder.limits import RecordingLimits
from explorer.recorder.names import named_tensors, namespaces_of
from explorer.recorder.operations import TENSOR_PROPERTIES, Operations, function_name
from explorer.recorder.passes import Passes
from explorer.recorder.places import Place, Places
from explorer.recorder.remarks import Remarks, is_remarkable
from explorer.recorder.requests import Request, request_of_call
from explorer.recorder.taps import TAPS
from explorer.recorder.unseen import unseen
from explorer.recorder.values import tensors_in

HOOKING = {"register_hook", "register_post_accumulate_grad_hook"}
"""Functions after which the engine runs code of the program's."""


class SessionUnfinished(ExplorerError):
    """The recording was asked for before its `with` block ended."""


class Session:
    """A `with` block that records what torch does in it.

    Args:
        source: The program's text, which spans point into.
        filename: What the program's code objects say as their file.
        seed: What random numbers started from; only noted.
        limits: Where the recorder stops looking.
    """

    def __init__(self, source: str | None, filename: str, seed: int | None, limits: RecordingLimits) -> None:
        self.source = source
        self.seed = seed
        self._places = Places(filename, source)
        self._mode = Watch(self)
        self._passes = Passes(limits)
        self._builder, self._engine = self._passes.builder, self._passes.engine
        self._operations = Operations(self._builder, self._named_outside)
        self._remarks = Remarks(self._builder, filename, lambda: self._places.here(3))
        self._calls: dict[Any, Call] = {}
        self._applying = 0
        self._recording: Recording | None = None

    @property
    def recording(self) -> Recording:
        """What happened in the block, once it has ended.

        Raises:
            SessionUnfinished: It has not ended yet.
        """
        if self._recording is None:
            raise SessionUnfinished("recorder.unfinished")
        return self._recording

    def __enter__(self) -> Session:
        TAPS.open(self)
        self._remarks.__enter__()
        self._mode.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._mode.__exit__(kind, error, traceback)  # type: ignore[no-untyped-call]
        self._remarks.__exit__()
        try:
            with unseen():
                self._name_tensors(self._places.here(depth=2))
                recording = self._builder.recording(source=self.source, seed=self.seed)
                if isinstance(error, Exception):
                    recording = self._with_error(recording, error, traceback)
                recording = msgspec.structs.replace(recording, remarks=self._remarks.found)
                self._recording = without_bystanders(recording)
                self._builder.graph.unhook()
        finally:
            # These refer to one another and to the session: it would stay until Python looks for such circles.
            self._passes.let_go()
            del self._mode, self._operations, self._remarks, self._calls, self._builder, self._passes, self._places
            TAPS.close(self)  # after which Python looks for circles again

    def _with_error(self, recording: Recording, error: Exception, traceback: TracebackType | None) -> Recording:
        failure = failure_of(traceback, self._places, Watch.__torch_function__.__code__)
        raised = Raised(
            type=type(error).__name__,
            message=writable(str(error), LONGEST_MESSAGE),
            span=self._places.raised_at(traceback),
            node_id=self._passes.failed_node,
            calls=calls_of(failure, self._places.span),
        )
        frame, lasti = failure.frames[-1] if failure.frames else (None, 0)
        targets = self._places.targets(frame, lasti) if frame is not None else ()
        raised = blamed(error, raised, failure, recording, targets)
        return msgspec.structs.replace(recording, error=raised, events=(*recording.events, raised))

    def call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls a torch function for the program, watching."""
        call = self._calls.get(func) or self._meet(func)
        # What a node's backward computes is its own affair.
        if call.is_question or self._applying or self._engine.running or self._builder.budget.is_spent:
            return func(*args, **kwargs)
        self._builder.snapshots.forget()
        place = self._places.here(3)
        if call.starts_pass:
            with unseen():
                request = request_of_call(func, args, kwargs)
            return self._run_pass(partial(func, *args, **kwargs), request, place, has_engine=False)
        if call.sets_grad:
            return self._operations.set_grad(func, args, place)
        result = self._operations.run(call.name, func, args, kwargs, place)
        if (call.is_remarkable and self._remarks.may_matter(call.name, args)) or self._remarks.views:
            with unseen():
                self._remarks.after(call.name, call.kind, args, result, place)
        return result

    def _meet(self, func: Any) -> Call:
        """A torch function that the program calls for the first time."""
        call = self._calls[func] = call_of(func)
        self._engine.program_runs_between |= call.name in HOOKING
        return call

    def _run_pass(self, call: Callable[[], Any], request: Request, place: Place, *, has_engine: bool) -> Any:
        with unseen():
            self._operations.claims.settle(place, [])
            self._name_tensors(place)
            self._remarks.know_given()
            second_names = self._remarks.second_names(place)
        result = self._passes.run(call, request, place, has_engine=has_engine)
        with unseen():
            self._remarks.accumulated(second_names, place)
        return result

    def differentiated(self, run: Callable[[], Any], request: Request) -> Any:
        """Notes that the engine runs: for a pass that the program's call has told of, or for one that none has."""
        if self._builder.budget.is_spent:
            return run()
        if self._passes.waits_for_engine:
            self._passes.engine_begins(request)
            return run()
        self._builder.snapshots.forget()
        return self._run_pass(run, request, self._places.here(3), has_engine=True)

    def printed(self, text: str) -> None:
        """Notes text that the program wrote, one event for each `print`."""
        self._builder.write(text, self._places.here(2).span)

    def warned(self, message: Warning | str, category: type[Warning]) -> None:
        """Notes that torch or Python warned."""
        text = users_lines(writable(str(message), LONGEST_MESSAGE), self._places.filename)
        if self._builder.budget.pay_text(len(text)):
            self._builder.emit(Warned(category=category.__name__, message=text, span=self._places.here(2).span))

    def applied(self, apply: Callable[..., Any], function: Any, *args: Any, **kwargs: Any) -> Any:
        """Notes `Function.apply` as one operation of the program, whatever its `forward` computes inside."""
        place = self._places.here(3)
        self._applying += 1
        try:
            result = apply(*args, **kwargs)
        finally:
            self._applying -= 1
        if not (self._applying or self._engine.running or self._builder.budget.is_spent):
            with unseen():
                self._builder.snapshots.forget()
                self._operations.note(function.__name__, tensors_in([*args, *kwargs.values()]), [], result, place)
        return result

    def given(self, optimizer: torch.optim.Optimizer) -> None:
        """Notes that an optimizer was given parameters."""
        self._remarks.given(optimizer, self._places.here(2))

    def _named_outside(self, place: Place) -> Iterator[tuple[str, torch.Tensor]]:
        """What the program calls its tensors; the names that the outermost code gives come first, for they last."""
        namespaces = [*namespaces_of(place.frame, self._places.filename), self._places.module]
        return named_tensors(reversed(namespaces), self._places.fleeting)

    def _name_tensors(self, place: Place) -> None:
        self._builder.name_tensors(self._named_outside(place), self._places.fleeting)


class Watch(TorchFunctionMode):
    """Hands every call of a torch function to the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.session.call(func, args, kwargs or {})


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be known of a torch function before it is called.

    Args:
        name: torch's name.
        kind: "__get__" or "__set__" where it is an access to a property.
        is_question: Whether it only reads a property.
        starts_pass: Whether it starts a backward pass.
        sets_grad: Whether it sets or deletes a `.grad`.
        is_remarkable: Whether torch may pass over something in it in silence.
    """

    name: str
    kind: str
    is_question: bool
    starts_pass: bool
    sets_grad: bool
    is_remarkable: bool


def call_of(func: Any) -> Call:
    """What is to be known of a torch function."""
    name, kind = function_name(func), getattr(func, "__name__", "")
    return Call(
        name=name,
        kind=kind,
        is_question=kind == "__get__" and name not in TENSOR_PROPERTIES,
        starts_pass=func in PASSES,
        sets_grad=name == "grad" and kind in {"__set__", "__delete__"},
        is_remarkable=is_remarkable(name),
    )


def record(
    *,
    source: str | None = None,
    filename: str | None = None,
    seed: int | None = None,
    limits: RecordingLimits | None = None,
    jacobians: bool = True,
) -> Session:
    """Records what torch does in a `with` block; leaves torch as it was found.

    Tensors are known by weak references, and torch refuses to swap those that have any (`torch.utils.swap_tensors`).

    Args:
        source: The text that spans point into; read from `filename` where it is not given.
        filename: The file whose code is watched; the caller's where it is not given.
        seed: What the program's random numbers started from, to be noted.
        limits: Where the recorder stops looking.
        jacobians: Whether small backward nodes are asked for their local Jacobians; the gradients are the same.

    Returns:
        The session; its `recording` is there once the block has ended, also after an exception.
    """
    filename = filename or sys._getframe(1).f_code.co_filename
    source = source if source is not None else "".join(linecache.getlines(filename)) or None
    limits = limits or RecordingLimits()
    return Session(source, filename, seed, limits if jacobians else msgspec.structs.replace(limits, jacobians=0))

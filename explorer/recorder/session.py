"""One recording session: puts the watchers in place and takes them away again."""

from __future__ import annotations

import io
import linecache
import sys
import warnings
from types import TracebackType
from typing import Any, TextIO

import msgspec
import torch
from torch.overrides import TorchFunctionMode

from explorer.errors import ExplorerError
from explorer.model import Printed, Raised, Recording, Warned
from explorer.recorder.builder import Builder, RecordingLimits
from explorer.recorder.names import named_tensors, namespaces_of
from explorer.recorder.operations import TENSOR_PROPERTIES, Operations, function_name
from explorer.recorder.passes import Passes
from explorer.recorder.places import Place, Places
from explorer.recorder.remarks import Remarks
from explorer.recorder.values import tensors_in

PASSES = {torch.Tensor.backward, torch.autograd.backward, torch.autograd.grad}


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
        self._passes = Passes()
        self._builder = self._passes.builder = Builder(limits, self._passes.hooks)
        self._operations = Operations(self._builder, self._places)
        self._remarks = Remarks(self._builder, filename, self._place)
        self._mode = Watch(self)
        self._globals: dict[str, Any] = {}
        self._is_recording = False
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
        self._was = sys.stdout, warnings.showwarning, torch.autograd.Function.__dict__["apply"]
        sys.stdout = Tee(self, sys.stdout)
        warnings.showwarning = self._show_warning
        torch.autograd.Function.apply = self._watched_apply()  # type: ignore[method-assign]
        self._remarks.__enter__()
        self._mode.__enter__()  # type: ignore[no-untyped-call]
        self._is_recording = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_recording = False
        self._mode.__exit__(kind, error, traceback)  # type: ignore[no-untyped-call]
        self._remarks.__exit__()
        sys.stdout, warnings.showwarning, torch.autograd.Function.apply = self._was  # type: ignore[method-assign]
        self._name_tensors(self._places.here(depth=2))
        raised = None
        if isinstance(error, Exception):
            raised = Raised(
                type=type(error).__name__,
                message=str(error),
                span=self._places.raised_at(traceback),
                node_id=self._passes.failed_node,
            )
            self._builder.events.append(raised)
        recording = self._builder.recording(source=self.source, seed=self.seed, error=raised)
        self._recording = msgspec.structs.replace(recording, remarks=tuple(self._remarks.found))
        self._builder.unhook()
        self._globals = {}

    def call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls a torch function for the program, watching."""
        if not self._is_recording or self._builder.truncated:
            return func(*args, **kwargs)
        name = function_name(func)
        if func.__name__ == "__get__" and name not in TENSOR_PROPERTIES:
            return func(*args, **kwargs)
        place = self._place()
        if func in PASSES:
            self._passes.failed_node = None
            self._name_tensors(place)
            second_names = self._remarks.second_names(place)
            result = self._passes.run(func, args, kwargs, place)
            self._remarks.accumulated(second_names, place)
            return result
        if name == "grad" and func.__name__ in {"__set__", "__delete__"}:
            return self._operations.set_grad(func, args, place)
        result = self._operations.run(func, args, kwargs, place)
        self._remarks.after(name, func.__name__, args, result, place)
        return result

    def printed(self, text: str) -> None:
        """Notes text that the program wrote, one event for each `print`."""
        if not self._is_recording:
            return
        span, events = self._place().span, self._builder.events
        last = events[-1] if events else None
        if isinstance(last, Printed) and last.span == span and not last.text.endswith("\n"):
            events[-1] = Printed(text=last.text + text, span=span)
        else:
            self._builder.emit(Printed(text=text, span=span))

    def _place(self) -> Place:
        place = self._places.here(depth=3)
        if place.frame is not None:
            self._globals = place.frame.f_globals
        return place

    def _name_tensors(self, place: Place) -> None:
        namespaces = [*namespaces_of(place.frame, self._places.filename), self._globals]
        self._builder.name_tensors(named_tensors(namespaces))

    def _show_warning(self, message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if self._is_recording:
            event = Warned(category=category.__name__, message=str(message), span=self._place().span)
            self._builder.emit(event)
        self._was[1](message, category, *where, **more)

    def _watched_apply(self) -> Any:
        """`Function.apply` as one operation of the program, whatever its `forward` computes inside."""
        original = self._was[2]

        def apply(function: Any, *args: Any, **kwargs: Any) -> Any:
            bound = original.__get__(None, function)
            if not self._is_recording:
                return bound(*args, **kwargs)
            place = self._place()
            self._is_recording = False
            try:
                result = bound(*args, **kwargs)
                taken = [*tensors_in(args), *tensors_in(kwargs)]
                self._operations.note(function.__name__, taken, [], result, place)
            finally:
                self._is_recording = True
            return result

        return classmethod(apply)


class Watch(TorchFunctionMode):
    """Hands every call of a torch function to the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.session.call(func, args, kwargs or {})


class Tee(io.TextIOBase):
    """Writes through to the real output and tells the session."""

    def __init__(self, session: Session, through: TextIO) -> None:
        self.session = session
        self.through = through

    def write(self, text: str) -> int:
        self.through.write(text)
        self.session.printed(text)
        return len(text)

    def flush(self) -> None:
        self.through.flush()


def record(
    *,
    source: str | None = None,
    filename: str | None = None,
    seed: int | None = None,
    limits: RecordingLimits | None = None,
    jacobians: bool = True,
) -> Session:
    """Records what torch does in a `with` block; leaves torch as it was found.

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

"""What a program does that is no call of a torch function: it prints, warns, applies functions of its own, makes
optimizers, and has the engine run where no tensor is among the arguments, or from inside a hook.

These go through one place in the process, whoever runs. A tap is put there when the first session begins and taken
away when the last one has ended, in whatever order; it tells the sessions of the thread that came through, innermost
first.
"""

from __future__ import annotations

import gc
import io
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TextIO

import torch

from explorer.recorder.requests import Request, request_of_engine

AUTOGRAD: Any = torch.autograd
"""Whose functions look up the engine here, at every pass."""

GARBAGE_AFTER = 100_000
"""How many new objects Python's garbage collection lets pass while a session is open. A recording is nothing but new
objects that stay: looking through them every 700 took a fourth of a session's time."""


class Listener(Protocol):
    """What a session is to a tap."""

    def printed(self, text: str) -> None:
        """The program wrote text."""

    def warned(self, message: Warning | str, category: type[Warning]) -> None:
        """torch or Python warned."""

    def applied(self, apply: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        """The program applies a `torch.autograd.Function`; calls `apply` and returns what it returns."""

    def differentiated(self, run: Callable[[], Any], request: Request) -> Any:
        """The engine is to run, whoever asked for it; calls `run` and returns what it returns."""

    def given(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer was given parameters."""


class Taps:
    """The taps of this process and who listens, by thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here = threading.local()
        self._count = 0
        self._showwarning: Any = None
        self._apply: Any = None
        self._engine: Any = None
        self._give: Any = None
        self._thresholds = gc.get_threshold()

    @property
    def listeners(self) -> list[Listener]:
        """The sessions of this thread, outermost first."""
        if not hasattr(self._here, "listeners"):
            self._here.listeners = []
        return self._here.listeners  # type: ignore[no-any-return]

    def open(self, listener: Listener) -> None:
        """Begins to tell a session of this thread."""
        with self._lock:
            if self._count == 0:
                self._put()
            self._count += 1
            if not isinstance(sys.stdout, Tee):
                sys.stdout = Tee(self, sys.stdout)
        self.listeners.append(listener)

    def close(self, listener: Listener) -> None:
        """Tells a session nothing any more."""
        self.listeners.remove(listener)
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._take_away()

    def _put(self) -> None:
        self._showwarning = warnings.showwarning
        self._apply = torch.autograd.Function.__dict__["apply"]
        self._engine = AUTOGRAD._engine_run_backward
        self._give = torch.optim.Optimizer.add_param_group
        self._thresholds = gc.get_threshold()
        if 0 < self._thresholds[0] < GARBAGE_AFTER:
            gc.set_threshold(GARBAGE_AFTER, *self._thresholds[1:])
        warnings.showwarning = self._show_warning
        torch.autograd.Function.apply = classmethod(self._applying(self._apply))  # type: ignore[assignment,method-assign]
        AUTOGRAD._engine_run_backward = self._running(self._engine)
        torch.optim.Optimizer.add_param_group = self._giving(self._give)  # type: ignore[method-assign]

    def _take_away(self) -> None:
        if gc.get_threshold()[0] == GARBAGE_AFTER:
            gc.set_threshold(*self._thresholds)
        if warnings.showwarning == self._show_warning:
            warnings.showwarning = self._showwarning
        torch.autograd.Function.apply = self._apply  # type: ignore[method-assign]
        AUTOGRAD._engine_run_backward = self._engine
        torch.optim.Optimizer.add_param_group = self._give  # type: ignore[method-assign]
        while isinstance(sys.stdout, Tee):
            sys.stdout = sys.stdout.through

    def _show_warning(self, message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        for listener in reversed(self.listeners):
            listener.warned(message, category)
        self._showwarning(message, category, *where, **more)

    def _applying(self, original: Any) -> Any:
        def apply(function: Any, *args: Any, **kwargs: Any) -> Any:
            call = original.__get__(None, function)
            for listener in self.listeners:
                call = partial(listener.applied, call, function)
            return call(*args, **kwargs)

        return apply

    def _giving(self, original: Any) -> Any:
        def add_param_group(optimizer: torch.optim.Optimizer, param_group: dict[str, Any]) -> None:
            original(optimizer, param_group)
            for listener in self.listeners:
                listener.given(optimizer)

        return add_param_group

    def _running(self, original: Any) -> Any:
        def run_backward(*args: Any, **kwargs: Any) -> Any:
            run = partial(original, *args, **kwargs)
            if self.listeners:
                request = request_of_engine(sys._getframe(1), args, kwargs)
                for listener in self.listeners:
                    run = partial(listener.differentiated, run, request)
            return run()

        return run_backward


class Tee(io.TextIOBase):
    """Writes through to the real output and tells the sessions of the thread that wrote."""

    def __init__(self, taps: Taps, through: TextIO) -> None:
        self.taps = taps
        self.through = through

    def write(self, text: str) -> int:
        text = str.__str__(text)  # what is printed may be of a class that says itself how long it is
        self.through.write(text)
        for listener in self.taps.listeners:
            listener.printed(text)
        return len(text)

    def flush(self) -> None:
        self.through.flush()


TAPS = Taps()

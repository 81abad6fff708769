"""Keeps the recorder's own questions to torch from everybody who listens."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

import torch
from torch._C import DisableTorchFunction, _len_torch_dispatch_stack
from torch._C._functorch import peek_interpreter_stack
from torch.utils._python_dispatch import _disable_current_modes


def unseen() -> AbstractContextManager[object]:
    """Inside of it nobody sees or wraps a call: no outer session, no mode of the program's, no torch.func transform.

    May be entered more than once, one time after the other.
    """
    if _len_torch_dispatch_stack() == 0 and peek_interpreter_stack() is None:
        return DisableTorchFunction()
    return Hidden()


class Hidden(ExitStack):
    """Also hides from modes below torch functions, which are rare and take longer to put aside."""

    def __enter__(self) -> Hidden:
        self.enter_context(DisableTorchFunction())
        self.enter_context(torch._C._DisableFuncTorch())
        self.enter_context(_disable_current_modes())
        return self

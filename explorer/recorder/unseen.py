"""Keeps the recorder's own questions to torch from everybody who listens."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

import torch
from torch._C._functorch import peek_interpreter_stack
from torch.utils._python_dispatch import _disable_current_modes


def unseen() -> AbstractContextManager[object]:
    """Inside of it nobody sees or wraps a call: no outer session, no mode of the program's, no torch.func transform."""
    if torch._C._len_torch_dispatch_stack() == 0 and peek_interpreter_stack() is None:
        return torch._C.DisableTorchFunction()
    stack = ExitStack()
    stack.enter_context(torch._C.DisableTorchFunction())
    stack.enter_context(torch._C._DisableFuncTorch())
    stack.enter_context(_disable_current_modes())
    return stack

"""Views made without gradients and changed since: torch refuses to say their grad_fn, and the recorder does without."""

from __future__ import annotations

import pytest
import torch

from explorer.recorder import record


def test_a_padding_index_may_be_cleared() -> None:
    with record() as session:
        layer = torch.nn.Embedding(5, 2, padding_idx=0)
        layer(torch.tensor([0, 1])).sum().backward()
    assert layer.weight.grad is not None
    assert session.recording.backward_passes


def test_torch_refuses_the_view_itself_as_before() -> None:
    w = torch.ones(2, 2, requires_grad=True)
    with record():
        with torch.no_grad():
            view = w[0]
            view.fill_(0)
        with pytest.raises(RuntimeError, match="A view was created in no_grad mode"):
            view * 2
    assert not w[0].any()

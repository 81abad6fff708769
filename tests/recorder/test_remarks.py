"""What torch passes over in silence is noted, and nothing of torch is left changed."""

from __future__ import annotations

import threading

import torch
from torch.optim import optimizer

import explorer


def remarks(body):
    source = "import torch\n" + body
    with explorer.record(source=source, filename="<program>") as session:
        exec(compile(source, "<program>", "exec"), {})
    return [(remark.kind, remark.name) for remark in session.recording.remarks]


X = "x = torch.tensor([1., 2.], requires_grad=True)\n"


def test_writing_through_data_is_noted_once_for_each_write() -> None:
    assert remarks(X + "y = x.exp()\nd = y.data\nd.mul_(2)\nd[0] = 1.\nd + 1") == [("unnoticed", "y")] * 2


def test_reading_through_data_is_not_noted() -> None:
    assert remarks(X + "y = x.exp()\nprint(y.data, y.data * 2)") == []


def test_second_names_in_lists_and_dicts() -> None:
    body = "x.sum().backward()\nlist_, dict_ = [x.grad], {'g': x.grad}\nx.grad.zero_()"
    assert remarks(X + body) == [("alias", "list_[0]"), ("alias", "dict_['g']")]


def test_a_step_without_a_gradient_and_no_hook_stays_behind() -> None:
    before = dict(optimizer._global_optimizer_pre_hooks), dict(optimizer._global_optimizer_post_hooks)
    assert remarks(X + "x.sum()\ntorch.optim.SGD([x], lr=0.1).step()") == [("skipped", "x")]
    assert (dict(optimizer._global_optimizer_pre_hooks), dict(optimizer._global_optimizer_post_hooks)) == before


LAYER = "torch.nn.Linear(2, 1, bias=False)"


def test_an_unused_parameter_is_named_wherever_it_lies() -> None:
    body = (
        f"deep = [[{{'k': [[[{LAYER}]]]}}]]\nopt = torch.optim.SGD(deep[0][0]['k'][0][0][0].parameters())\nopt.step()"
    )
    assert remarks(body) == [("unused", "deep[0][0]['k'][0][0][0].weight")]


def test_every_optimizer_has_its_remarks_though_another_gets_its_address() -> None:
    body = f"layers = [{LAYER} for _ in range(5)]\nfor layer in layers:\n    torch.optim.SGD(layer.parameters()).step()"
    assert len(remarks(body)) == 5


def test_leaves_know_whether_an_optimizer_was_given_them() -> None:
    source = "import torch\na, b, c, d = (torch.ones(2, requires_grad=True) for _ in range(4))\n"
    source += "idle = torch.optim.SGD([c])\n(a * b * c * d).sum().backward()\ntorch.optim.SGD([a, b]).step()"
    with explorer.record(source=source, filename="<program>") as session:
        exec(compile(source, "<program>", "exec"), {})
    assert [leaf.is_optimized for leaf in session.recording.leaves] == [True, True, True, False]
    assert [(one.kind, one.source_id) for one in session.recording.remarks] == [
        ("idle", session.recording.leaves[2].id)
    ]
    assert torch.optim.Optimizer.add_param_group.__module__ == "torch.optim.optimizer"


def test_both_are_stretched_or_nothing_is_said() -> None:
    assert remarks(X + "x[:, None] - x") == [("stretched", None)]
    assert remarks(X + "x - 1\nx + torch.ones(3, 2)\nx @ x\nx.detach()[:, None] - x.detach()") == []


def test_gradients_are_the_same_with_and_without() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record():
        (x.exp() * x.data).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, (x.exp() * x).detach())


def test_a_leaf_that_is_gone_keeps_its_place() -> None:
    """A later tensor may have the address of one that is gone."""
    source = (
        "import torch\nx = torch.ones(1, requires_grad=True)\nx = x.detach()\nw = torch.ones(1, requires_grad=True)\n"
    )
    with explorer.record(source=source, filename="<program>") as session:
        exec(compile(source + "(w * x).backward()", "<program>", "exec"), {})
    recording = explorer.Recording.from_json(session.recording.to_json())
    assert [leaf.name for leaf in recording.leaves if leaf.requires_grad] == ["x", "w"]


def test_steps_of_other_threads_are_not_noted() -> None:
    one = torch.ones(2, requires_grad=True)
    with explorer.record() as session:
        one * 2
        thread = threading.Thread(target=torch.optim.SGD([one, torch.ones(2, requires_grad=True)]).step)
        thread.start()
        thread.join()
    assert session.recording.remarks == ()

"""The chain rule in matrices, against torch's own Jacobian of the whole function."""

from __future__ import annotations

import pytest
import torch

from checker import recorded, to_tensor
from explorer.model import Recording
from explorer.rules.chain import Chain, chain

FUNCTIONS = {
    "one path": "x.exp().sin()",
    "two paths": "x.exp() * x",
    "four paths": "(x * x) * (x + x)",
    "many paths": "((x * x) * (x * x)) * ((x * x) * (x * x))",
    "matrix": "torch.arange(6.).reshape(2, 3) @ x",
    "softmax": "torch.softmax(x, 0)",
    "several results": "torch.stack([a * b for a, b in zip(x.unbind(), x.flip(0).unbind())])",
    "one of several results": "x.exp().split([1, 2])[1]",
    "to one number": "2 * torch.dot(x, x)",
}


def chain_to(recording: Recording, leaf: str, backward_pass: int = 0) -> Chain | None:
    node_id = next(known.node_id for known in recording.leaves if known.name == leaf)
    found = [event for event in recording.backward_passes[backward_pass].steps if event.node_id == node_id]
    return chain(recording, found[0])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_whole_is_the_jacobian_of_the_function(name: str) -> None:
    code = f"x = torch.tensor([1., 2., 3.], requires_grad=True)\ny = {FUNCTIONS[name]}\ny.backward(torch.ones_like(y))"
    found = chain_to(recorded(code), "x")
    assert found is not None
    function = eval(f"lambda x: {FUNCTIONS[name]}", {"torch": torch})
    expected = torch.autograd.functional.jacobian(function, torch.tensor([1.0, 2.0, 3.0])).reshape(-1, 3)
    torch.testing.assert_close(to_tensor(found.whole), expected)
    torch.testing.assert_close(to_tensor(found.seed).reshape(-1) @ expected, to_tensor(found.gradient))


@pytest.mark.parametrize(("name", "count"), [("one path", 1), ("two paths", 2), ("four paths", 4), ("many paths", 8)])
def test_the_paths_add_up_to_the_whole(name: str, count: int) -> None:
    code = f"x = torch.tensor([1., 2., 3.], requires_grad=True)\ny = {FUNCTIONS[name]}\ny.backward(torch.ones_like(y))"
    found = chain_to(recorded(code), "x")
    assert found is not None
    assert found.path_count == count
    if count > 6:
        assert found.paths == ()
        return
    products = []
    for path in found.paths:
        product = to_tensor(path.links[0].matrix)
        for link in path.links[1:]:
            product = product @ to_tensor(link.matrix)
        products.append(product)
    torch.testing.assert_close(sum(products), to_tensor(found.whole))
    torch.testing.assert_close(sum(to_tensor(path.part) for path in found.paths)[0], to_tensor(found.gradient))


@pytest.mark.parametrize(
    "code",
    [
        "x = torch.ones(20, requires_grad=True)\n(x * x).sum().backward()",
        "x = torch.ones(3, requires_grad=True)\ny = x * 2\ny.register_hook(lambda g: g * 5)\ny.sum().backward()",
        "x = torch.ones(3, requires_grad=True)\ntorch.autograd.backward([x.sum(), x.prod()])",
    ],
    ids=["too large", "changed by a hook", "two roots"],
)
def test_what_is_not_known_is_not_shown(code: str) -> None:
    assert chain_to(recorded(code), "x") is None


def test_nothing_of_another_pass() -> None:
    code = "x = torch.ones(2, requires_grad=True)\n(x * 2).sum().backward()\n(x * 3).sum().backward()"
    second = chain_to(recorded(code), "x", 1)
    assert second is not None
    assert second.whole.values == (3.0, 3.0)

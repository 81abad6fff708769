"""Sentences on real recordings; the golden texts are in `golden/`, one line per step."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import recorded

from explorer.i18n import LANGUAGES, Language
from explorer.model import Recording
from explorer.recorder import RecordingLimits
from explorer.rules import sentence, sentences, start_sentence

GOLDEN = Path(__file__).parent / "golden"
FIRST = """
import torch
x=torch.arange(3.0)
print('x=',x)
z=x.requires_grad_(True)
print('z=',z)
m=2*torch.dot(x,x)
print('m=',m)
n=m.backward()
k=x.grad
print('n=',n)
print('k=',k)
"""
ZEROED = "kk=x.grad.zero_()\nprint('kk=',kk)\n"
SECOND = """
hh=x.sum()
print('hh=',hh)
nn=hh.backward()
print('nn=',nn)
tt=x.grad
print('tt=',tt)
"""
TUTORIAL = {"first_function": FIRST, "zeroed_between": FIRST + ZEROED + SECOND, "not_zeroed": FIRST + SECOND}
X = "x = torch.tensor([1., 2.], requires_grad=True)\n"
PACKED = X + "with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):\n"


@pytest.mark.parametrize("name", TUTORIAL)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tutorial_reads_as_it_should(name: str, language: Language) -> None:
    expected = (GOLDEN / f"{name}.{language}.txt").read_text("utf-8").splitlines()
    assert list(sentences(recorded(TUTORIAL[name]), language)) == expected


def said(program: str, limits: RecordingLimits | None = None) -> list[str]:
    """The English sentences of a program's steps."""
    return list(sentences(recorded(program, limits), "en"))[1:]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (X, "x is made, [1., 2.], and marked: from here torch notes every operation on it."),
        ("x = torch.tensor(3.)", "x is made: 3."),
        (X + "x.requires_grad_(False)", "x is no longer marked: torch stops noting operations on it."),
        (
            "torch.ones(2) * 2",
            "torch.ones(2) * 2 gives [2., 2.]; torch notes nothing, since nothing that goes in requires",
        ),
        (X + "torch.ones_like(x)", "torch.ones_like(x) gives [1., 1.]; torch notes nothing here."),
        (X + "y = x.detach()", "y = x.detach() gives [1., 2.], without a history: no gradient will pass here."),
        (
            X + "with torch.no_grad():\n    y = x * 2",
            "y = x * 2 gives [2., 4.], without a history, since torch is told",
        ),
        (X + "i = x.argmax()", "i = x.argmax() gives 1, without a history: argmax cannot be differentiated"),
        (
            X + "y = x\ny = (x *\n     2)",
            "y = x * 2 gives [2., 4.]; torch notes MulBackward0, which will need nothing but the number 2.",
        ),
        (
            "l = torch.nn.Linear(2, 1)\nl(torch.ones(3, 2))",
            "torch notes two nodes for it: TBackward0 and AddmmBackward0.",
        ),
        (
            X + "with torch.no_grad():\n    x -= 1",
            "x -= 1 changes x in place; it is now [0., 1.]. Its version is now 1.",
        ),
        (
            X + "y = x * 2\ny += 1",
            "y += 1 changes y in place; it is now [3., 5.]. torch notes AddBackward0. Its version",
        ),
        (X + "x.grad = torch.ones(2)", "x.grad is set to [1., 1.]."),
        (X + "x * x.exp()", "torch notes MulBackward0, which will need x and x.exp()."),
        (X + "x.exp()", "torch notes ExpBackward0, which will need nothing but its own result."),
        (X + "x ** 3", "torch notes PowBackward0, which will need x and exponent = 3."),
        (X + "x + x", "torch notes AddBackward0, which will need nothing from here."),
        (
            PACKED + "    y = x.exp()\ny.sum().backward()",
            "y = x.exp() gives [2.7183, 7.3891]; torch notes ExpBackward0.",
        ),
        (PACKED + "    y = x + x\ny.sum().backward()", "torch notes AddBackward0, which will need nothing from here."),
        (X + "x * torch.ones(2)", "torch notes MulBackward0, which will need nothing but a tensor of shape (2,)."),
        (X + "x.softmax(0)", "torch notes SoftmaxBackward0, which will need its own result."),
        (
            X + "w = torch.ones(2)\ntorch.layer_norm(x, (2,), w, torch.zeros(2))",
            "which will need four things it has saved.",
        ),
        (X + "x.digamma().cumprod(0)[:1].as_strided((1,), (1,))", "torch notes AsStridedBackward0."),
        ("print()", "The program prints an empty line."),
        ("print('wait...')", "The program prints “wait...”."),
        ("import warnings\nwarnings.warn('Look out. More.')", "UserWarning: “Look out”."),
    ],
)
def test_forward(program: str, expected: str) -> None:
    assert any(expected in line for line in said(program)), said(program)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("(x * x).backward(torch.ones(2))", "starts: the program puts the seed gradient [1., 1.] at MulBackward0."),
        (
            "(x * x).backward()",
            "starts at a tensor without a seed gradient, which torch makes only for a single number; its shape is (2,).",
        ),
        ("(x * 1j).sum().backward()", "which torch makes only for a real number; this one is complex."),
        ("x.detach().sum().backward()", "starts at a tensor, which has no history: there is no way back from here."),
        ("x.sum().backward(retain_graph=True)", "With retain_graph, the nodes keep what they have saved"),
        ("torch.autograd.grad(x.sum(), x)", "It returns the gradient for x and leaves every .grad as it is."),
        ("torch.autograd.grad(x.sum(), x)", "The backward pass is over. torch.autograd.grad returns [1., 1.]."),
        (
            "torch.autograd.grad(x.sum(), x, create_graph=True)",
            "With create_graph, torch also notes the backward pass itself",
        ),
        ("x.sum().backward(inputs=[x])", "It is limited to x: no other .grad changes."),
        (
            "torch.autograd.backward([x.sum(), x.prod()])",
            "starts in two places, with the seed gradients 1. at SumBackward0 and 1. at ProdBackward0.",
        ),
        (
            "(x * 3).sum().backward()",
            "MulBackward0 receives [1., 1.] and sends [3., 3.] to x. Then it lets go of what it had saved.",
        ),
        (
            "(x * x).sum().backward()",
            "MulBackward0 receives [1., 1.] and sends [1., 2.] along each of its two edges, since x went in twice.",
        ),
        ("(x * x).sum().backward()", "At x the gradients meet: [1., 2.] + [1., 2.] = [2., 4.]."),
        ("(x + x + x + x).sum().backward()", "At x, four gradients meet; their sum is [4., 4.]."),
        (
            "(x * x.exp()).sum().backward()",
            "MulBackward0 receives [1., 1.] and sends [2.7183, 7.3891] to x and [1., 2.] to ExpBackward0.",
        ),
        ("a, b = x.unbind()\na.backward()", "UnbindBackward0 receives 1. and sends [1., 0.] to x."),
        ("h = x * 2\n(h.sum() + h.prod()).backward()", "What it receives is the sum [1., 1.] + [4., 2.]."),
        ("x.sum().backward()\nx.sum().backward()", "x.grad: [1., 1.] + [1., 1.] = [2., 2.]."),
        ("x.sum().backward()\nx.grad = None", "x.grad is cleared: [1., 1.] becomes None."),
        ("x.grad = None", "x.grad is cleared, but there was nothing in it."),
        ("x.sum().backward()\nx.grad.mul_(2)", "x.grad.mul_(2) changes x.grad in place: [1., 1.] becomes [2., 2.]."),
        (
            "y = x.exp()\ny.add_(1)\ny.sum().backward()",
            "The program stops with RuntimeError at ExpBackward0: “one of the variables needed",
        ),
        ("raise ValueError", "The program stops here with ValueError."),
        ("1 / 0", "The program stops here with ZeroDivisionError: “division by zero”."),
    ],
)
def test_backward(program: str, expected: str) -> None:
    lines = said(X + program)
    assert any(expected in line for line in lines), lines


def test_a_hook_that_changes_the_gradient_is_not_called_a_sum() -> None:
    lines = said(X + "x.register_hook(lambda g: g * 10)\n(x * x).sum().backward()")
    assert not any("meet" in line for line in lines)
    arrived = "The gradient [20., 40.] arrives at x. What was to arrive is [1., 2.] + [1., 2.]; "
    assert arrived + "the program changed it to [20., 40.] on the way, as a hook does." in lines


CHANGED = "the program changed"
SQUARE = "y = x * x\n{}\ny.sum().backward()"
TWICE = "class Twice(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, a):\n        return a * 2\n"
TWICE += "    @staticmethod\n    def backward(ctx, g):\n        return g * 2\n"


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (SQUARE.format("y.register_hook(lambda g: g * 3)"), "[1., 1.]; the program changed it to [3., 3.]"),
        (
            SQUARE.format("y.register_hook(lambda g: g.mul_(3))\ny = y * 2"),
            "[2., 2.]; the program changed it to [6., 6.]",
        ),
        (
            SQUARE.format("y.grad_fn.register_prehook(lambda g: (g[0] * 3,))"),
            "[1., 1.]; the program changed it to [3., 3.]",
        ),
        (SQUARE.format("y.grad_fn.register_prehook(lambda g: (None,))"), "[1., 1.]; the program changed it to None"),
        ("x.register_hook(lambda g: g * 3)\n(x * 2).sum().backward()", "[2., 2.]; the program changed it to [6., 6.]"),
        (
            "x.register_hook(torch.nan_to_num)\n(x * torch.inf * 0).sum().backward()",
            "[nan, nan]; the program changed it to [0., 0.]",
        ),
        (
            "x.register_hook(lambda g: -g)\n(x + x + x + x).sum().backward()",
            "the sum of four gradients; the program changed it to [-4., -4.]",
        ),
        (
            "x.register_hook(lambda g: g.clamp(max=5))\n(x + x * torch.inf).sum().backward()",
            "[inf, inf] + [1., 1.]; the program changed it to [5., 5.]",
        ),
        ("a, b = x.unbind()\nb.register_hook(lambda g: g * 3)\n(a + b).backward()", "1.; the program changed it to 3."),
        ("m = x.sum()\nm.register_hook(lambda g: g * 3)\nm.backward()", "1.; the program changed it to 3."),
        (
            TWICE + "y = Twice.apply(x)\ny.register_hook(lambda g: g * 3)\ny.sum().backward()",
            "[1., 1.]; the program changed it to [3., 3.]",
        ),
        (
            "x.register_hook(lambda g: g * 3)\n(x * 2).sum().backward(inputs=[x])",
            "[2., 2.]; the program changed it to [6., 6.]",
        ),
        (
            "x.register_hook(lambda g: g * 3)\n(x ** 2).sum().backward(create_graph=True)",
            "[2., 4.]; the program changed it to [6., 12.]",
        ),
    ],
)
def test_what_came_in_is_told_apart_from_what_was_sent(program: str, expected: str) -> None:
    lines = said(X + program)
    assert [line for line in lines if CHANGED in line] == [line for line in lines if expected in line] != [], lines


@pytest.mark.parametrize(
    "program",
    [
        SQUARE.format("y.register_hook(lambda g: None)"),
        SQUARE.format("y.register_hook(lambda g: g.clone())"),
        SQUARE.format("y.grad_fn.register_prehook(lambda g: (g[0] * 1,))"),
        SQUARE.format("y.grad_fn.register_hook(lambda sent, came: (sent[0] * 3, *sent[1:]))"),
        SQUARE.format("y.retain_grad()"),
        SQUARE.format("x.register_post_accumulate_grad_hook(lambda leaf: leaf.grad.zero_())"),
        "y = x * x\ntorch.autograd.backward([y.sum(), x.prod()], inputs=[x])",
        "y = x * x\ntorch.autograd.grad(y, x, torch.eye(2), is_grads_batched=True)",
        "a, b = x.unbind()\ntorch.autograd.backward([a, b], [torch.tensor(2.), torch.tensor(3.)])",
        "g, = torch.autograd.grad((x ** 3).sum(), x, create_graph=True)\ng.sum().backward()",
        "h = x.bfloat16()\nsum(h * (1 / k) for k in range(1, 40)).sum().backward()",
        "h = x.half() * 200\n(h * 300 + h * 300).sum().backward()",
        "z = x * (1 + 1j)\n(z * 1j + z * (3 - 2j)).abs().sum().backward()",
    ],
)
def test_nothing_is_called_changed_that_arrives_as_it_was_sent(program: str) -> None:
    lines = said(X + program)
    assert not any(CHANGED in line for line in lines), lines


def test_nodes_of_one_name_are_told_apart() -> None:
    assert any(
        "to SumBackward0 of x.sum() and SumBackward0 of h" in line
        for line in said(X + "h = x.sum()\n(x.sum() + h).backward()")
    ) or any(
        "to SumBackward0 of h and SumBackward0 of x.sum()" in line
        for line in said(X + "h = x.sum()\n(x.sum() + h).backward()")
    )


def test_fallback_words_stand_close_in_chinese() -> None:
    lines = sentences(recorded(X + "x.detach().sum().backward()"), "zh")
    assert any("从某个张量开始" in line for line in lines), lines


def test_without_source_torch_s_names_are_said() -> None:
    recording = recorded(X + "m = (x * x).sum()\nm.backward()")
    blind = Recording(
        leaves=recording.leaves, nodes=recording.nodes, edges=recording.edges, events=recording.events, cuts=()
    )
    assert "m = sum(…) gives 5.; torch notes SumBackward0, which will need nothing but the shape (2,)." in sentences(
        blind, "en"
    )
    assert any(line.startswith("backward() starts") for line in sentences(blind, "en"))


def test_spans_beyond_the_source_are_survived() -> None:
    recording = recorded(X + "m = (x * x).sum()")
    shorter = Recording(leaves=recording.leaves, nodes=recording.nodes, events=recording.events, source="x")
    assert "m = sum(…) gives 5.; torch notes SumBackward0, which will need nothing but the shape (2,)." in sentences(
        shorter, "en"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_start(language: Language) -> None:
    recording = recorded(FIRST)
    assert str(len(recording.events)) in start_sentence(recording, language)
    assert start_sentence(recorded(""), language) != start_sentence(recording, language)


def test_one_step_at_a_time() -> None:
    recording = recorded(FIRST)
    steps = range(1, len(recording.events) + 1)
    assert [sentence(recording, step, "zh") for step in steps] == list(sentences(recording, "zh")[1:])
    for outside in (0, len(recording.events) + 1):
        with pytest.raises(IndexError):
            sentence(recording, outside, "en")

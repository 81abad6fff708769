from __future__ import annotations

import pytest
from recorded import recorded

from explorer.i18n import LANGUAGES, Language
from explorer.model import Span
from explorer.recorder import RecordingLimits
from explorer.rules import Notice, expression, lines_text, notice_text, notices

X = "x = torch.tensor([1., 2., 3.], requires_grad=True)\n"
W = "w = torch.ones(3, requires_grad=True)\n"
ROUNDS = "for _ in range(3):\n    (x * x).sum().backward()\n    {update}\n"
CUSTOM = """
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        {backward}
F.apply(x).sum().backward()
"""
CHECKPOINTED = """
from torch.utils.checkpoint import checkpoint
(x * checkpoint(lambda v: v * x, x * 2, use_reentrant=True)).sum().backward()
"""
ORTHOGONAL = """
layer = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(3, 3))
layer(x).sum().backward()
"""
DRAWN = "d = torch.distributions.Normal(x, 1.0)\n"


def only(program: str, limits: RecordingLimits | None = None) -> tuple[Notice, str | None]:
    """The one notice about a program, and the piece of program it points at."""
    recording = recorded(program, limits)
    (notice,) = notices(recording)
    return notice, expression(recording, notice.span)


@pytest.mark.parametrize(
    ("program", "key", "code"),
    [
        ("", "no_tensor", None),
        ("n = 1 + 1\nprint(n)", "no_tensor", None),
        ("x = torch.arange(3.0)\ny = x * x", "no_marked_leaf", "torch.arange(3.0)"),
        ("x = torch.arange(3)", "only_integers", "torch.arange(3)"),
        (X, "no_function", "torch.tensor([1., 2., 3.], requires_grad=True)"),
        (X + "m = (x * x).sum()", "no_backward", "(x * x).sum()"),
        (X + "w = torch.ones(3, requires_grad=True)\nx.sum().backward()", "unreached", None),
        (X + "(x * x.detach()).sum().backward()", "constant_behind_cut", "x.detach()"),
        (X + "y = x.detach().sum()\ny.backward()", "root_behind_cut", "x.detach().sum()"),
        (X + "with torch.no_grad():\n    y = x.sum()\ny.backward()", "root_in_no_grad", "x.sum()"),
        (X + DRAWN + "(x * d.sample()).sum().backward()", "constant_behind_sample", "d.sample()"),
        (X + DRAWN + W + "(w * d.sample()).sum().backward()", "unreached_behind_sample", "d.sample()"),
        (X + DRAWN + "z = d.sample()\nz.sum().backward()", "root_behind_sample", "d.sample()"),
        (X + CUSTOM.format(backward="return None"), "unreached_by_custom", "F.apply(x)"),
        (X + CUSTOM.format(backward="g * 2"), "unreached_by_custom", "F.apply(x)"),
        (X + "x.sum().backward()\n(x * x).sum().backward()", "accumulated", "(x * x).sum().backward()"),
        ("x = torch.zeros(1, requires_grad=True)\nx.sqrt().backward()", "bad_gradient_made", "x.sqrt()"),
        (X + "y = x * 2\ny.sum().backward()\ny.grad", "warned", "y.grad"),
    ],
)
def test_what_is_missing_or_silently_wrong(program: str, key: str, code: str | None) -> None:
    notice, found = only(program)
    assert notice.key == key
    if code is not None:
        assert found is not None
        assert code in found or found in code


@pytest.mark.parametrize(
    "program",
    [
        X + "x.sum().backward()",
        X + "x.sum().backward()\nx.grad.zero_()\nx.sum().backward()",
        X + "x.sum().backward()\nx.grad = None\nx.sum().backward()",
        X + "w = torch.ones(3, requires_grad=True)\ntorch.autograd.grad(x.sum(), x)",
        X + "w = torch.ones(3, requires_grad=True)\n(x * w).sum().backward(inputs=[x])",
        X + "y = (x * x).sum()\nprint(y.item(), x.argmax())\ny.backward()",
        X + "(x * (x > 1)).sum().backward()",
        X + "x.sum().backward()\ny = torch.ones(3, requires_grad=True)",
        X + "h = torch.autograd.functional.hessian(lambda v: v.pow(3).sum(), x.detach())\nx.sum().backward()",
        X + ROUNDS.format(update="x = (x - 0.1 * x.grad).detach().requires_grad_()"),
        X + ROUNDS.format(update="x = x.data - 0.1 * x.grad\n    x.requires_grad = True"),
        X + ROUNDS.format(update="with torch.no_grad():\n        x = x - 0.1 * x.grad\n    x.requires_grad_()"),
        X + "(x * torch.func.grad(lambda a: (a**2).sum())(x.detach())).sum().backward()",
        X + W + "x.sum().backward()\ntorch.autograd.grad((w * w * x).sum(), w)",
        X + W + "f = w * w\ny = x * 2\ny.register_hook(lambda g: torch.autograd.grad(f, w, g)[0])\ny.sum().backward()",
        X + CHECKPOINTED,
        X + ORTHOGONAL,
    ],
)
def test_nothing_to_say_about_a_sound_program(program: str) -> None:
    assert notices(recorded(program)) == ()


@pytest.mark.parametrize(
    ("expression", "call"),
    [
        ("m = (x * x).sum()", "m.backward()"),
        ("m = x * x", "m.sum().backward()"),
        ("(x * x).sum()", "((x * x).sum()).backward()"),
    ],
)
def test_the_backward_call_that_is_proposed_works(expression: str, call: str) -> None:
    notice, _ = only(X + expression)
    assert notice.values == {"call": call}
    assert recorded(X + expression + "\n" + call).grads["x"] is not None


def test_no_grad_is_to_be_cleared_that_the_name_does_not_lead_to() -> None:
    notice, _ = only(X + "x.sum().backward()\nx = x - 0.1 * x.grad\nx.sum().backward()")
    assert notice.key == "leaf_replaced"


def test_a_leaf_behind_a_cut_names_the_cut() -> None:
    notice, code = only(X + "w = torch.ones(3, requires_grad=True)\ny = w.exp().detach()\n(x * y).sum().backward()")
    assert (notice.key, notice.values) == ("unreached_behind_cut", {"leaves": ("w",), "operation": "detach"})
    assert code == "w.exp().detach()"


NETWORK = "body = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))\n" + X


@pytest.mark.parametrize(
    ("rest", "missed"),
    [
        ("for _ in range(2):\n    y = body(x).detach()\n    (x * y).sum().backward()\n    x.grad = None", 4),
        ("with torch.no_grad():\n    y = x * body[0].weight\n    y = y * body[2].bias\n(x * y).sum().backward()", 2),
        ("y = body(x).sum()\nx.sum().backward()", 4),
    ],
)
def test_leaves_that_one_cut_holds_back_are_one_notice(rest: str, missed: int) -> None:
    notice, _ = only(NETWORK + rest)
    names = notice.values["leaves"]
    assert isinstance(names, tuple)
    assert len(set(names)) == len(names) == missed


def test_of_many_leaves_a_few_are_named() -> None:
    notice = Notice(key="unreached", values={"leaves": tuple("abcdefgh")})
    assert "a, b, c and 5 more" in notice_text(notice, "en")
    assert "a、b、c 和另外 5 个" in notice_text(notice, "zh")


def test_the_first_node_that_makes_nan_is_named() -> None:
    program = "x = torch.tensor([0., 4.], requires_grad=True)\n(x.sqrt() * 0).sum().backward()"
    (notice,) = [found for found in notices(recorded(program)) if found.key.startswith("bad")]
    assert (notice.key, notice.values) == ("bad_gradient_made", {"node": "SqrtBackward0", "number": "nan"})


def test_nan_in_the_seed_is_not_blamed_on_a_node() -> None:
    notice, _ = only(X + "(x * 2).backward(torch.tensor([1., float('nan'), 1.]))")
    assert (notice.key, notice.values) == ("bad_gradient_arrived", {"node": "MulBackward0", "number": "nan"})


def test_accumulation_names_each_leaf_once() -> None:
    program = X + "b = torch.ones(3, requires_grad=True)\nfor _ in range(3):\n    (x * b).sum().backward()"
    notice, _ = only(program)
    assert notice.values["leaves"] == ("x", "b") or notice.values["leaves"] == ("b", "x")


def test_a_truncated_run_says_so() -> None:
    notice, _ = only(X + "y = x\nfor _ in range(50):\n    y = y * 2", RecordingLimits(nodes=10))
    assert (notice.key, notice.severity) == ("truncated", "warning")


def test_a_repeated_warning_is_said_once() -> None:
    program = "import warnings\nfor _ in range(3):\n    warnings.warn('Look out. More.')\n" + X + "x.sum().backward()"
    notice, _ = only(program)
    assert notice.values == {"category": "UserWarning", "message": "Look out"}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "The .grad of x and b holds the sum over several backward passes, since it was not cleared between them.",
        ),
        ("zh", "x 和 b 的 .grad 是多次反向传播的梯度之和，因为中间没有清零。"),
    ],
)
def test_notice_text(language: str, expected: str) -> None:
    notice = Notice(key="accumulated", values={"leaves": ("x", "b"), "leaf": "x"})
    assert language in LANGUAGES
    assert notice_text(notice, language).startswith(expected)


def test_a_cut_by_no_grad_is_called_so() -> None:
    notice, code = only(X + "with torch.no_grad():\n    y = x * 2\n(x * y).sum().backward()")
    assert (notice.key, notice.values, code) == ("constant_in_no_grad", {"operation": "torch.no_grad()"}, "x * 2")


CHOICE = """class Rank(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        place = x * 0 + 1
        ctx.mark_non_differentiable(place)
        return place
"""


@pytest.mark.parametrize(
    ("program", "key", "said"),
    [
        (W + "i = w.argmax()\nx[i].backward()", "unreached_behind_choice", "argmax has no derivative"),
        (CHOICE + "(x * Rank.apply(x)).sum().backward()", "constant_behind_choice", "has no derivative"),
        (
            "x.sum().backward()\ni = x.argmax()\ntry:\n    i.backward()\nexcept RuntimeError:\n    pass",
            "root_behind_choice",
            "argmax",
        ),
    ],
)
def test_what_has_no_derivative_is_called_so(program: str, key: str, said: str) -> None:
    notice, _ = only(X + program)
    assert notice.key == key
    assert said in notice_text(notice, "en")


@pytest.mark.parametrize(
    ("program", "key", "lines"),
    [
        ("{0}    y = x * 2\n{0}    z = x * 3\n(x * y * z).sum().backward()", "constant_in_no_grad", (3, 5)),
        (W + "{0}    y = w * 2\n    z = w * 3\n(x * y * z).sum().backward()", "unreached_in_no_grad", (4, 5)),
        ("y = x.detach()\nz = x.detach()\n(x * y * z).sum().backward()", "constant_behind_cut", (2, 3)),
        ("for _ in range(3):\n    (x * x.detach()).sum().backward()\n    x.grad = None", "constant_behind_cut", (3,)),
    ],
)
def test_cuts_of_one_kind_are_one_notice_with_every_line(program: str, key: str, lines: tuple[int, ...]) -> None:
    notice, _ = only(X + program.format("with torch.no_grad():\n"))
    assert (notice.key, notice.lines) == (key, lines)


def test_leaves_held_back_lead_to_the_line_that_holds_them() -> None:
    program = "for _ in range(2):\n    with torch.no_grad():\n        z = x * 3\n    (x * y * z).sum().backward()\n    x.grad = None"
    found = notices(recorded(X + W + "with torch.no_grad():\n    y = w * 2\n" + program))
    assert [(notice.key, notice.lines) for notice in found] == [
        ("unreached_in_no_grad", (4,)),
        ("constant_in_no_grad", (7,)),
    ]


@pytest.mark.parametrize(("language", "expected"), [("en", "3, 5 and 7"), ("zh", "3、5 和 7")])
def test_the_lines_of_a_notice(language: Language, expected: str) -> None:
    span, *others = (Span(line=line, column=0, end_line=line, end_column=1) for line in (3, 7, 5, 5))
    assert lines_text(Notice(key="unreached", span=span, others=tuple(others)), language) == expected


NETS = "q, target = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)\no = torch.ones(2)\n"


@pytest.mark.parametrize(
    ("program", "severity"),
    [
        (NETS + "with torch.no_grad():\n    y = target(o)\n(q(o) - y).pow(2).sum().backward()", "hint"),
        (NETS + "(q(o) - target(o).detach()).pow(2).sum().backward()", "hint"),
        (NETS + "q(target(o).argmax() + o).sum().backward()", "warning"),
        (X + W + "(x * w.detach()).sum().backward()", "warning"),
        (NETS + "o_ = torch.optim.SGD([*q.parameters(), *target.parameters()])\n(q(o) - target(o).detach()).sum().backward()\no_.step()", "warning"),
    ],
)  # fmt: skip
def test_a_network_held_back_may_be_meant_so_unless_an_optimizer_is_to_train_it(program: str, severity: str) -> None:
    found = [notice for notice in notices(recorded(program)) if notice.key.startswith("unreached")]
    assert [notice.severity for notice in found] == [severity]

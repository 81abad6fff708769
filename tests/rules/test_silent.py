"""Silent mistakes in programs of all shapes, and silence about sound programs."""

from __future__ import annotations

import pytest
from recorded import recorded

from explorer.i18n import LANGUAGES
from explorer.rules import expression, notice_text, notices

X = "x = torch.tensor([1., 2.], requires_grad=True)\n"
W = "w = torch.tensor(2., requires_grad=True)\n"
SGD = W + "opt = torch.optim.SGD([w], lr=0.1)\n"
NET = "net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))\nx = torch.ones(2)\n"
OPT = "opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
SUMMED = (
    SGD
    + "total = {0}\nfor _ in range({1}):\n    opt.zero_grad()\n    loss = w * w\n    loss.backward()\n    opt.step()\n    {2}\nprint(total)"
)
TRAIN = "for step in range(3):\n    opt.zero_grad()\n    {out}.sum().backward()\n    opt.step()\n"

WRONG = [
    ("unnoticed_change", "y.data *= 10", X + "y = x.exp()\ny.data *= 10\ny.sum().backward()"),
    ("unnoticed_change", "y.data[0] = 7", X + "y = x.exp()\ny.data[0] = 7\ny.sum().backward()"),
    ("unnoticed_change", "y.data", X + "y = x.exp()\ny.data = torch.zeros(2)\ny.sum().backward()"),
    ("unnoticed_change", "y.data.view(-1).zero_()", X + "y = x.exp()\ny.data.view(-1).zero_()\ny.sum().backward()"),
    ("unnoticed_change", "x.data.add_(1)", X + "y = (x * x).sum()\nx.data.add_(1)\ny.backward()"),
    ("grad_alias", "x.grad.zero_()", X + "(x * x).sum().backward()\ng = x.grad\nx.grad.zero_()\nprint(g)"),
    ("grad_alias", "(x * x).sum().backward()", X + "x.sum().backward()\ng = x.grad\n(x * x).sum().backward()\nprint(g)"),
    ("grad_alias", "x.sum().backward()", X + "kept = []\nfor _ in range(2):\n    x.sum().backward()\n    kept.append(x.grad)\nprint(kept)"),
    ("step_skipped", "opt.step()", SGD + "(w * w).backward()\nopt.zero_grad()\nopt.step()"),
    ("unused_parameters", "opt.step()", NET + OPT + TRAIN.format(out="net[0](x)")),
    ("unused_without_name", "opt.step()", NET + OPT + "net[1] = torch.nn.Linear(2, 2)\n" + TRAIN.format(out="net(x)")),
    ("same_graph_again", "y.backward()", X + "y = x.sum()\ny.backward()\ny.backward()"),
    ("same_graph_again", "y.backward()", X + "y = x.sum()\nfor _ in range(3):\n    y.backward()"),
    ("stale_gradient", "(w * w).backward()", SGD + "for _ in range(2):\n    (w * w).backward()\n    opt.step()"),
    ("stale_gradient", "(w * w).backward()", W + "for _ in range(2):\n    (w * w).backward()\n    with torch.no_grad():\n        w -= 0.1 * w.grad"),
    ("stale_gradient", "(w * w).backward()", W + "for _ in range(3):\n    (w * w).backward()\n    w.data = w.data - 0.1 * w.grad"),
    ("leaf_replaced", "w - 0.1 * w.grad", W + "(w * w).backward()\nw = w - 0.1 * w.grad\nw.backward()"),
    ("leaf_replaced", "x.double()", X + "x = x.double()\nx.sum().backward()"),
    ("leaf_replaced", "x * 0.1", X + "x = x * 0.1\nx.sum().backward()"),
    ("leaf_lost_mark", "w - 0.1 * w.grad", W + "(w * w).backward()\nwith torch.no_grad():\n    w = w - 0.1 * w.grad"),
    ("leaf_without_name", "torch.ones(2, requires_grad=True).double()", "x = torch.ones(2, requires_grad=True).double()\nx.sum().backward()"),
    ("leaf_without_name", "0.1 * torch.ones(2, requires_grad=True)", "x = 0.1 * torch.ones(2, requires_grad=True)\nx.sum().backward()"),
    ("column_against_row", "w * c - torch.ones(4)", W + "c = torch.ones(4, 1)\nd = w * c - torch.ones(4)\n(d**2).mean().backward()"),
    ("column_against_row", "torch.ones(4) - w * c", W + "c = torch.ones(4, 1)\nd = torch.ones(4) - w * c\n(d**2).mean().backward()"),
    ("summed_leaf", "torch.ones(5, 2) + x", X + "(torch.ones(5, 2) + x).sum().backward()"),
    ("nan_behind_where", "x.log()", "x = torch.tensor([0., 1.], requires_grad=True)\ntorch.where(x > 0, x.log(), 0.).sum().backward()"),
    ("flat_step", "torch.round(x * 2)", X + "y = torch.round(x * 2)\n((y - 1) ** 2).sum().backward()"),
    ("flat_step", "x.sign()", X + "y = x.sign()\n(y * y).mean().backward()"),
    ("squashed_twice", "torch.nn.functional.cross_entropy(p, torch.tensor([0]))", X + "p = x[None].softmax(1)\ntorch.nn.functional.cross_entropy(p, torch.tensor([0])).backward()"),
    ("squashed_twice", "y.softmax(0)", X + "y = torch.softmax(x, 0)\ny.softmax(0)[0].backward()"),
    ("squashed_twice", "torch.nn.BCEWithLogitsLoss()(x.sigmoid(), torch.ones(2))", X + "torch.nn.BCEWithLogitsLoss()(x.sigmoid(), torch.ones(2)).backward()"),
    ("left_to_no_optimizer", None, NET + "opt = torch.optim.SGD(net[0].parameters(), lr=0.1)\n" + TRAIN.format(out="net(x)")),
    ("never_stepped", "torch.optim.SGD([w], lr=0.1)", SGD + "for _ in range(2):\n    opt.zero_grad()\n    (w * w).backward()"),
    ("never_stepped", "torch.optim.Adam([x])", SGD + X + "def made():\n    return torch.optim.Adam([x])\nidle = made()\n" + TRAIN.format(out="(w * x)")),
    ("marked_root", "l.backward()", X + "l = (x * x).sum().detach().requires_grad_()\nl.backward()"),
    ("marked_root", "l.backward()", NET + OPT + "for _ in range(2):\n    opt.zero_grad()\n    l = (net(x) > 0).float().mean()\n    l.requires_grad_()\n    l.backward()\n    opt.step()"),
    ("left_to_no_optimizer", None, SGD + X + TRAIN.format(out="(w * x)")),
    ("kept_losses", "total += loss", SUMMED.format("0", 3, "total += loss")),
    ("kept_losses", "total + loss", SUMMED.format("torch.tensor(0.)", 2, "total = total + loss")),
    ("kept_losses", "total += loss / 3", SUMMED.format("torch.tensor(0.)", 3, "total += loss / 3")),
]  # fmt: skip

SOUND = [
    SUMMED.format("0", 3, "total += loss.item()"),
    SUMMED.format("torch.tensor(0.)", 3, "total += loss.detach()"),
    X + "loss = 0\nfor scale in (1, 2, 3):\n    loss += scale * x.sum()\nloss.backward()",
    X + "torch.autograd.gradcheck(lambda t: t * t.exp(), (x.detach().double().requires_grad_(),))\nx.sum().backward()",
    X + "y = x.exp() * x\nkept = x.detach().clone()\nx.data.add_(1)\nx.data.copy_(kept)\ny.sum().backward()",
    X + "y = x - x.floor()\ny.sum().backward()",
    X + "(x.softmax(0).log() * torch.ones(2).softmax(0)).sum().backward()",
    X + "x.log_softmax(0).log_softmax(0)[0].backward()",
    X + "torch.nn.functional.binary_cross_entropy(x.sigmoid(), torch.ones(2)).backward()",
    X + "y = x + (x.round() - x).detach()\n(x * 2).sum().backward()",
    SGD + X + TRAIN.format(out="x.grad = None\n    (w * x)"),
    SGD + "x = torch.ones(2, requires_grad=True)\n(w * x).sum().backward()\nopt.step()\nprint(x.grad)",
    X + "y = x.exp()\nz = y.data * 10\ny.sum().backward()",
    X + "x.data.mul_(3)\ny = x.exp()\ny.sum().backward()",
    W + "(w * w).backward()\nw.data -= 0.1 * w.grad\nw.grad = None\n(w * w).backward()",
    X + "x.sum().backward()\ng = x.grad\ng.mul_(2)\nprint(g)",
    X + "x.sum().backward()\ng = x.grad.clone()\nx.grad.zero_()\nprint(g)",
    X + "x.sum().backward()\ng = x.grad\nx.grad.zero_()\nx.sum().backward()\ng = x.grad\nprint(g)",
    X + "x.sum().backward()\ng = x.grad\nx.grad = None\nx.sum().backward()\nprint(g)",
    SGD + "for _ in range(3):\n    opt.zero_grad()\n    (w * w).backward()\n    opt.step()",
    SGD + "for _ in range(3):\n    (w * w).backward()\n    opt.step()\n    opt.zero_grad()",
    NET + OPT + TRAIN.format(out="net(x)"),
    SGD + "(w * w).backward()\nwith torch.no_grad():\n    w -= 0.1 * w.grad",
    W + "(w * w).backward()\nopt = torch.optim.SGD([w], lr=0.1)",
    SGD
    + "t = torch.ones(2, requires_grad=True)\nfor _ in range(2):\n    u = w * t * t\n    g, = torch.autograd.grad(u.sum(), t, create_graph=True)\n    opt.zero_grad()\n    g.pow(2).sum().backward()\n    opt.step()",
    "net = torch.nn.Linear(2, 2)\nhard = torch.nn.functional.gumbel_softmax(net(torch.ones(2)), hard=True)\nhard[0].backward()",
    "p = torch.nn.Linear(2, 1)\nd = torch.distributions.Normal(p(torch.ones(2)), 1.0)\na = d.sample()\n(-d.log_prob(a)).sum().backward()",
    X + "torch.autograd.functional.hvp(lambda t: (t**3).sum(), x, torch.ones(2))\n(x * x).sum().backward()",
    X + "bn = torch.nn.BatchNorm1d(2)\ny = (x * x).sum()\ny.backward()\nprint(bn(torch.ones(3, 2)).sum() > 0)",
    "x = torch.tensor(2.0, requires_grad=True)\nx.backward()",
    SGD + "opt.zero_grad()\nprint(opt.state_dict())\ny = w * w\ng = torch.autograd.grad(y, w)",
    NET + OPT + TRAIN.format(out="(net[0](x) if step < 2 else net(x))"),
    NET + OPT + TRAIN.format(out="net[0](x)") + "net[1](x).sum().backward()",
    NET + "net[1].requires_grad_(False)\n" + OPT + TRAIN.format(out="net[0](x)"),
    NET
    + "opt = torch.optim.LBFGS(net.parameters())\ndef closure():\n    opt.zero_grad()\n    y = net(x).pow(2).sum()\n    y.backward()\n    return y\nopt.step(closure)",
    "norm = torch.nn.utils.parametrizations.spectral_norm\nnet = norm(torch.nn.Linear(2, 2))\nnet(torch.ones(2)).sum().backward()",
    X + "def double(x):\n    x = x * 2\n    return x.sum()\ndouble(x).backward()",
    W + "for _ in range(3):\n    (w * w).backward()\n    w.data -= 0.1 * w.grad.data\n    w.grad.data.zero_()",
    X + "h = torch.zeros(2)\nfor _ in range(3):\n    h = torch.tanh(h + x)\nh.sum().backward()",
    X + "d = x[:, None] - x\n(d**2).mean().backward()",
    X + "d = x[:, None] - torch.ones(1, 2)\n(d**2).mean().backward()",
    "s = torch.ones(2, 2, requires_grad=True)\n(s - s.amax(1, keepdim=True)).exp().sum().backward()",
    X + "(torch.ones(5, 2) * x).mean().backward()",
    X + "y = x.sum()\ny.backward(retain_graph=True)\nx.grad = None\ny.backward()",
    "layer = torch.nn.Linear(2, 1)\nlayer.eval()\nwith torch.no_grad():\n    print(layer(torch.ones(2)))",
]


@pytest.mark.parametrize(("key", "code", "program"), WRONG)
def test_found_where_it_happens(key: str, code: str, program: str) -> None:
    recording = recorded(program)
    found = {notice.key: notice for notice in notices(recording)}
    assert key in found
    assert expression(recording, found[key].span, most=200) == code
    assert all(notice_text(found[key], language) for language in LANGUAGES)


@pytest.mark.parametrize("program", SOUND)
def test_silent_about_sound_programs(program: str) -> None:
    assert [notice.key for notice in notices(recorded(program))] == []


def test_a_parameter_changed_through_data_is_named() -> None:
    code = "net = torch.nn.Linear(2, 1)\nx = torch.ones(2, requires_grad=True)\ny = net(x)\n"
    recording = recorded(code + "net.weight.data.mul_(2)\ny.backward()")
    (found,) = (notice for notice in notices(recording) if notice.key == "unnoticed_change")
    assert found.values["tensor"] == "net.weight"


def test_a_step_that_skips_many_is_one_notice() -> None:
    program = "m = torch.nn.Linear(2, 2)\nopt = torch.optim.SGD(m.parameters(), lr=0.1)\nfor _ in range(2):\n"
    program += "    m(torch.ones(2)).sum().backward()\n    opt.zero_grad()\n    opt.step()"
    (notice,) = notices(recorded(program))
    assert (notice.key, notice.values) == ("step_skipped", {"leaves": ("m.weight", "m.bias")})


def test_a_second_pass_that_raised_has_not_worked() -> None:
    program = X + "y = (x * x).sum()\ny.backward()\ntry:\n    y.backward()\nexcept RuntimeError:\n    pass"
    assert "same_graph_again" not in {notice.key for notice in notices(recorded(program))}


def test_a_wrong_gradient_through_data_is_really_wrong() -> None:
    program = X + "y = x.exp()\n{change}\ny.sum().backward()"
    wrong, right = (recorded(program.format(change=change)).grads["x"] for change in ("y.data *= 10", ""))
    assert wrong is not None
    assert right is not None
    assert wrong.values == pytest.approx([10 * float(number) for number in right.values])

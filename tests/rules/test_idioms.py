"""Networks that get no gradient on purpose, as textbooks have them, and the same programs with a mistake in them."""

from __future__ import annotations

import pytest
from recorded import recorded

from explorer.rules import notices

HEAD = """
import copy
from torch import nn
from torch.nn import functional as F
sgd = lambda *nets: torch.optim.SGD([p for net in nets for p in net.parameters()], lr=0.1)
x, y = torch.randn(4, 2), torch.randn(4, 1)
body, head = nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.Linear(3, 1)
"""
ROUNDS = """
for _ in range(2):
    opt.zero_grad()
    {loss}.backward()
    opt.step()
"""


def rounds(setting: str, loss: str, forward: str = "") -> str:
    """Two rounds of training; `forward` stands in each before the loss."""
    before = "".join(f"    {line}\n" for line in forward.splitlines())
    return HEAD + setting + ROUNDS.format(loss=loss).replace("    opt.zero_grad()\n", f"    opt.zero_grad()\n{before}")


Q = "q, target = nn.Linear(2, 1), nn.Linear(2, 1)\nopt = sgd({trained})\n"
UNDER = "with torch.no_grad():\n    {0}"
GAN = """
G, D = nn.Linear(2, 1), nn.Linear(1, 1)
for_G, for_D = sgd(G), sgd(D)
for _ in range(2):
    fake = G(x)
    for_D.zero_grad()
    (F.softplus(-D(y)).mean() + F.softplus(D({shown})).mean()).backward()
    for_D.step()
    {cleared}.zero_grad()
    F.softplus(-D({judged})).mean().backward()
    for_G.step()
"""

SOUND = {
    "target network under no_grad": rounds(
        Q.format(trained="q"), "F.mse_loss(q(x), aim)", UNDER.format("aim = 1 + target(x)")
    ),
    "target network with detach": rounds(Q.format(trained="q"), "F.mse_loss(q(x), 1 + target(x).detach())"),
    "frozen backbone under no_grad": rounds("opt = sgd(head)\n", "F.mse_loss(head(h), y)", UNDER.format("h = body(x)")),
    "frozen backbone by its flag": rounds(
        "body.requires_grad_(False)\nopt = sgd(head)\n", "F.mse_loss(head(body(x)), y)"
    ),
    "teacher that follows": rounds(
        "teacher = copy.deepcopy(body)\nopt = sgd(body, head)\n",
        "(F.mse_loss(head(body(x)), y) + F.mse_loss(body(x), soft))",
        UNDER.format("soft = teacher(x)"),
    )
    + "    with torch.no_grad():\n        for t, s in zip(teacher.parameters(), body.parameters()):\n            t.lerp_(s, 0.1)",
    "average of weights": rounds(
        "mean = torch.optim.swa_utils.AveragedModel(head)\nopt = sgd(body, head)\n", "F.mse_loss(head(body(x)), y)"
    )
    + "    mean.update_parameters(head)\nprint(mean(body(x)))",
    "both views, one at a time": rounds(
        "opt = sgd(body)\nf = nn.Linear(3, 3)\n",
        "(1 - F.cosine_similarity(f(body(x)), body(x + 1).detach())).mean()",
    ),
    "baseline of a policy": rounds(
        "opt = sgd(body, head)\n",
        "(h.mean(1) * (y - v.detach())[:, 0] + (v - y).pow(2)[:, 0]).mean()",
        "h = body(x)\nv = head(h)",
    ),
    "generator and discriminator": HEAD + GAN.format(shown="fake.detach()", cleared="for_G", judged="fake"),
}

BROKEN = {
    "the trained network under no_grad": (
        rounds(Q.format(trained="q"), "F.mse_loss(aim, 1 + target(x))", UNDER.format("aim = q(x)")),
        ("unreached_in_no_grad", ("q.weight", "q.bias")),
    ),
    "the trained network detached": (
        rounds(Q.format(trained="q, target"), "F.mse_loss(q(x).detach(), 1 + target(x))"),
        ("unreached_behind_cut", ("q.weight", "q.bias")),
    ),
    "a backbone that is to be trained": (
        rounds("opt = sgd(body, head)\n", "F.mse_loss(head(h), y)", UNDER.format("h = body(x)")),
        ("unreached_in_no_grad", ("body.0.weight", "body.0.bias")),
    ),
    "a layer that is left out": (
        rounds("opt = sgd(body, head)\nh = head(body(x))\n", "body(x).sum()"),
        ("unreached", ("head.weight", "head.bias")),
    ),
    "a generator that never learns": (
        HEAD + GAN.format(shown="fake.detach()", cleared="for_G", judged="fake.detach()"),
        ("unreached_behind_cut", ("G.weight", "G.bias")),
    ),
    "gradients of the other's pass are used": (
        HEAD + GAN.format(shown="fake.detach()", cleared="for_G", judged="fake").replace("    for_D.zero_grad()\n", ""),
        ("stale_gradient", ("D.weight", "D.bias")),
    ),
    "detached here, under no_grad there": (
        rounds("opt = sgd(body, head)\n", "F.mse_loss(head(h * body(x).detach()), y)", UNDER.format("h = body(x)")),
        ("unreached_behind_cuts", ("body.0.weight", "body.0.bias")),
    ),
}


def warned(program: str) -> list[tuple[str, object]]:
    """What a program is warned of, and about which leaves."""
    recording = recorded(program)
    assert recording.error is None
    return [(one.key, one.values.get("leaves")) for one in notices(recording) if one.severity == "warning"]


@pytest.mark.parametrize("program", SOUND.values(), ids=SOUND)
def test_no_warning_where_it_is_meant_so(program: str) -> None:
    assert warned(program) == []


@pytest.mark.parametrize(("program", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_warning_where_training_is_broken(program: str, expected: tuple[str, object]) -> None:
    assert warned(program) == [expected]


def test_gradients_of_the_others_pass_that_nothing_was_made_of_yet_are_a_hint() -> None:
    found = notices(recorded(SOUND["generator and discriminator"].replace("range(2)", "range(1)")))
    assert [(one.key, one.severity) for one in found if one.values.get("leaves")] == [("stale_gradient", "hint")]


def test_what_holds_back_the_same_leaves_twice_is_told_with_both_lines() -> None:
    (notice,) = notices(recorded(BROKEN["detached here, under no_grad there"][0]))
    assert (notice.values["operation"], len(notice.lines)) == (("torch.no_grad()", "detach"), 2)

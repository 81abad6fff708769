"""Toggles write what a plain loop in torch would do."""

import ast
import contextlib
import io
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ProgramInvalid
from explorer.i18n import LANGUAGES, text
from explorer.program import Toggles, apply_toggles, why_not
from explorer.program.returned import RETURNING
from explorer.program.toggles import seed_literal

TUTORIAL = """\
import torch

x = torch.arange(3.0)
x.requires_grad_(True)
m = 2 * torch.dot(x, x)
m.backward()
print(x.grad)
"""


def ran(program, **given):
    scope = dict(given)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using backward\\(\\) with create_graph")
        exec(program, scope)
    return scope


def grad(program, name="x", **toggles):
    return ran(apply_toggles(program, Toggles(**toggles)))[name].grad.tolist()


def test_default_toggles_change_nothing():
    for anything in (TUTORIAL, "no python (", "x = 1\r\n"):
        assert apply_toggles(anything, Toggles()) == anything
        assert apply_toggles(anything, Toggles(between="none", new_forward=False, second="  ")) == anything


def test_the_second_function_as_in_the_tutorial():
    assert apply_toggles(TUTORIAL, Toggles(second="x.sum()", between="zero_")) == TUTORIAL.replace(
        "print",
        "\n# pass 2: a second function of the same inputs\nx.grad.zero_()\nh = x.sum()\nh.backward()\n\nprint",
    )


@pytest.mark.parametrize(("between", "expected"), [("keep", [1, 5, 9]), ("zero_", [1, 1, 1]), ("none", [1, 1, 1])])
def test_the_second_function_adds_up(between, expected):
    assert grad(TUTORIAL, second="x.sum()", between=between) == expected


@pytest.mark.parametrize("passes", range(1, 11))
@pytest.mark.parametrize("between", ["keep", "zero_", "none"])
def test_passes_equal_a_loop(passes, between):
    x = torch.arange(3.0).requires_grad_(True)
    for number in range(passes):
        if number and between == "zero_":
            x.grad.zero_()
        if number and between == "none":
            x.grad = None
        (2 * torch.dot(x, x)).backward()
    assert grad(TUTORIAL, passes=passes, between=between) == x.grad.tolist()


def test_the_same_graph_again_needs_retain_graph():
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        grad(TUTORIAL, passes=2, new_forward=False)
    assert grad(TUTORIAL, passes=3, new_forward=False, retain_graph=True) == [0, 12, 24]
    written = apply_toggles(TUTORIAL, Toggles(passes=3, new_forward=False, retain_graph=True))
    assert written.count("torch.dot") == 1
    assert written.count("m.backward(retain_graph=True)") == 3


def test_create_graph():
    leaf = ran(apply_toggles(TUTORIAL, Toggles(create_graph=True)))["x"]
    assert leaf.grad.requires_grad
    leaf.grad = None  # breaks the cycle


VECTOR = "import torch\nx = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)\ny = x * x\ny.backward()\n"


@pytest.mark.parametrize(
    ("toggles", "seed"),
    [
        ({"seed": "ones"}, torch.ones(2, 2)),
        ({"seed": "one-hot", "seed_index": 2}, torch.tensor([[0.0, 0.0], [1.0, 0.0]])),
        ({"seed": "own", "seed_values": "[[1, 2], [-3, 0.5]]"}, torch.tensor([[1.0, 2.0], [-3.0, 0.5]])),
    ],
)
@pytest.mark.parametrize("base", [VECTOR, VECTOR.replace("backward()", "backward(torch.zeros(2, 2))")])
@pytest.mark.parametrize("ending", ["y.backward", "y.T.T.backward", "(y * \n 1).backward"])
def test_seeds_equal_torchs(toggles, seed, base, ending):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (x * x).backward(seed)
    assert grad(base.replace("y.backward", ending), **toggles) == x.grad.tolist()
    assert grad(base.replace("y.backward", ending), passes=2, **toggles) == (2 * x.grad).tolist()


def test_no_seed_and_a_wrong_seed_are_for_torch_to_refuse():
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        grad(VECTOR.replace("backward()", "backward(torch.ones_like(y))"), seed="implicit")
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        grad(VECTOR, seed="own", seed_values="1, 2, 3")
    with pytest.raises(IndexError):
        grad(VECTOR, seed="one-hot", seed_index=4)


def test_a_scalar_seed():
    assert grad(TUTORIAL, seed="own", seed_values="2") == [0, 8, 16]
    assert "m.backward(torch.tensor(2.0))" in apply_toggles(TUTORIAL, Toggles(seed="own", seed_values="2"))


@pytest.mark.parametrize(
    ("call", "toggles", "written"),
    [
        (
            "m.backward()",
            {"retain_graph": True, "create_graph": True},
            "m.backward(retain_graph=True, create_graph=True)",
        ),
        ("m.backward(retain_graph=False,)", {"retain_graph": True}, "m.backward(retain_graph=True,)"),
        ("m.backward(None, False)", {"retain_graph": True}, "m.backward(None, True)"),
        ("m.backward(retain_graph=True)", {"seed": "ones"}, "m.backward(torch.ones_like(m), retain_graph=True)"),
        ("m.backward(gradient=one)", {"seed": "implicit"}, "m.backward()"),
        ("m.backward(one, True)", {"seed": "implicit"}, "m.backward(None, True)"),
        ("n = m.backward()", {"retain_graph": True}, "n = m.backward(retain_graph=True)"),
        ("torch.autograd.backward(m)", {"seed": "ones"}, "torch.autograd.backward(m, grad_tensors=torch.ones_like(m))"),
        (
            "torch.autograd.backward([m], one)",
            {"retain_graph": True},
            "torch.autograd.backward([m], one, retain_graph=True)",
        ),
        ("torch.autograd.backward(m, one)", {"seed": "implicit"}, "torch.autograd.backward(m, None)"),
    ],
)
def test_calls_as_a_teacher_would_write_them(call, toggles, written):
    program = TUTORIAL.replace("m.backward()", call).replace("x = ", "one = torch.tensor(1.0)\nx = ", 1)
    result = apply_toggles(program, Toggles(**toggles))
    assert result == program.replace(call, written)
    ran(result)


RUNS_AGAIN = {
    "a running state starts anew": (
        "w = torch.tensor(0.5, requires_grad=True)\nh = torch.tensor(1.0)\nfor t in range(3):\n    h = torch.tanh(w * h)\n",
        "h",
        "h = torch.tensor(1.0)\nfor t in range(3):\n    h = torch.tanh(w * h)\n",
    ),
    "a list is emptied": (
        "w = torch.tensor(0.5, requires_grad=True)\nparts = []\nfor t in range(3):\n    parts.append(w * t)\n"
        "y = torch.stack(parts).sum()\n",
        "y",
        "parts = []\nfor t in range(3):\n    parts.append(w * t)\ny = torch.stack(parts).sum()\n",
    ),
    "a buffer that is written to": (
        "w = torch.tensor([1.0, 2.0], requires_grad=True)\nbuffer = torch.zeros(2)\nbuffer[0] = w[1] * 3\n"
        "y = buffer.sum()\n",
        "y",
        "buffer = torch.zeros(2)\nbuffer[0] = w[1] * 3\ny = buffer.sum()\n",
    ),
    "in-place changes of a result": (
        "w = torch.tensor(2.0, requires_grad=True)\nu = w * 2\nu.add_(1)\nu += w\nprint(u)\ny = u * w\n",
        "y",
        "u = w * 2\nu.add_(1)\nu += w\ny = u * w\n",
    ),
    "a request to keep a gradient": (
        "w = torch.tensor(2.0, requires_grad=True)\nu = w * 2\nu.retain_grad()\ny = u * w\n",
        "y",
        "u = w * 2\nu.retain_grad()\ny = u * w\n",
    ),
    "what does not lead to the root stays": (
        "w = torch.tensor(2.0, requires_grad=True)\nc = torch.tensor(3.0)\nk = c * 2\nother = w * 5\n"
        "with torch.no_grad():\n    s = w * 2\ny = w * k * s\n",
        "y",
        "with torch.no_grad():\n    s = w * 2\ny = w * k * s\n",
    ),
    "functions are not defined again": (
        "w = torch.tensor(2.0, requires_grad=True)\ndef f(a):\n    return a * w\ny = f(torch.tensor(3.0))\n",
        "y",
        "y = f(torch.tensor(3.0))\n",
    ),
    "an update of a leaf is not repeated": (
        "w = torch.tensor(2.0, requires_grad=True)\ny = w * w\ny.backward()\nwith torch.no_grad():\n    w -= 0.5 * w.grad\n"
        "w.grad.zero_()\ny = w * w\n",
        "y",
        "y = w * w\n",
    ),
    "without any leaf, what computes runs again": ("w = torch.tensor(2.0)\ny = w * w\n", "y", "y = w * w\n"),
    "a leaf whose name is taken over is made again": (
        "w = torch.tensor(2.0)\nw.requires_grad_(True)\nw = w * w\n",
        "w",
        "w = torch.tensor(2.0)\nw.requires_grad_(True)\nw = w * w\n",
    ),
}


@pytest.mark.parametrize(("forward", "root", "again"), RUNS_AGAIN.values(), ids=RUNS_AGAIN)
def test_which_statements_run_again(forward, root, again):
    program = f"import torch\n{forward}{root}.backward()\n"
    written = apply_toggles(program, Toggles(passes=2))
    assert written == f"{program}\n# pass 2: the same function again\n{again}{root}.backward()\n"


@pytest.mark.parametrize("name", [name for name in RUNS_AGAIN if "leaf" not in name])
def test_two_passes_give_twice_the_gradient(name):
    forward, root, _ = RUNS_AGAIN[name]
    program = f"import torch\n{forward}{root}.backward()\n"
    once, twice = (ran(apply_toggles(program, Toggles(passes=passes)))["w"].grad for passes in (1, 2))
    torch.testing.assert_close(twice, 2 * once)


MODULE = """\
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(2, 1)
    def forward(self, x):
        return self.inner(x)
net = Net()
x = torch.ones(1, 2, requires_grad=True)
unused = torch.ones(1, requires_grad=True)
loss = net(x).sum()
loss.backward()
"""


@pytest.mark.parametrize(
    ("between", "line"), [("zero_", "net.zero_grad(set_to_none=False)"), ("none", "net.zero_grad()")]
)
def test_clearing_reaches_modules_and_asks_unreached_leaves_first(between, line):
    written = apply_toggles(MODULE, Toggles(passes=2, between=between, second="(unused * 2).sum()"))
    assert written.count(line) == 2
    scope = ran(written)
    assert scope["unused"].grad.tolist() == [2]
    cleared = scope["net"].inner.bias.grad
    assert cleared is None if between == "none" else cleared.tolist() == [0]


@pytest.mark.parametrize(
    "cut",
    [
        "y = (x.detach() * w)",
        "with torch.no_grad():\n    c = x * 1\ny = c * w",
        "y = torch.distributions.Bernoulli(x / 2).sample() * 2 * w",
    ],
)
def test_a_leaf_behind_a_cut_has_no_grad_to_zero(cut):
    program = f"import torch\nx = torch.tensor(2.0, requires_grad=True)\nw = torch.tensor(3.0, requires_grad=True)\n{cut}\ny.backward()\n"
    scope = ran(apply_toggles(program, Toggles(passes=3, between="zero_")))
    assert (scope["x"].grad, scope["w"].grad.item()) == (None, 2.0)


def test_leaves_without_a_name_cannot_be_cleared():
    program = "import torch\nps = [torch.ones(2, requires_grad=True)]\ny = ps[0].sum()\ny.backward()\n"
    assert ran(apply_toggles(program, Toggles(passes=2)))["ps"][0].grad.tolist() == [2, 2]
    with pytest.raises(ProgramInvalid) as caught:
        apply_toggles(program, Toggles(passes=2, between="zero_"))
    assert caught.value.key == "program.leaves_unknown"


@pytest.mark.parametrize(
    "program",
    [
        "import torch;x=torch.ones(2,requires_grad=True);(x*x).sum().backward() ; print(x.grad) # 名",
        "import torch\r\nx = torch.ones(2, requires_grad=True)\r\n(x * \r\n x).sum().backward()  # once\r\nprint(x.grad)\r\n",
        "import torch\nx = torch.ones(2, requires_grad=True)\ny = (x * x).sum()\ny.backward();\n\n\n# end",
        "import torch\nx = torch.ones(2, requires_grad=True)\nn = torch.autograd.backward((x * x).sum())",
        "import torch\nx = torch.ones(2, requires_grad=True)\ny = (x * x).sum(); torch.autograd.backward([y]) # é\nz = 1",
    ],
)
@pytest.mark.parametrize("new_forward", [True, False])
@pytest.mark.parametrize("seed", ["program", "ones", "one-hot", "own", "implicit"])
def test_any_layout(program, new_forward, seed):
    toggles = Toggles(
        passes=2, new_forward=new_forward, retain_graph=True, seed=seed, seed_values="1", second="x.sum()"
    )
    written = apply_toggles(program, toggles)
    assert ran(written)["x"].grad.tolist() == [5, 5]
    assert ("\r\n" in written) == ("\r\n" in program)
    assert "\n" not in written.replace("\r\n", "") or "\r\n" not in program


def test_fresh_names_hide_nothing():
    program = TUTORIAL.replace("print", "h = g = 7\nprint")
    scope = ran(apply_toggles(program, Toggles(second="x.sum() + s", passes=2)), s=1.0)
    assert (scope["h"], scope["g"], scope["s"]) == (7, 7, 1.0)


def test_comments_in_the_readers_language():
    assert "# 第 2 次反向传播：对同一输入换一个函数" in apply_toggles(TUTORIAL, Toggles(second="x.sum()"), "zh")


@pytest.mark.parametrize(
    ("toggles", "key"),
    [
        ({"passes": 0}, "program.bad_passes"),
        ({"passes": 11}, "program.bad_passes"),
        ({"second": "y = x"}, "program.bad_second"),
        ({"second": "x.sum(); import os"}, "program.bad_second"),
        ({"second": "x.sum()\nprint()"}, "program.bad_second"),
        ({"second": "x" * 501}, "program.second_too_long"),
        ({"seed": "one-hot", "seed_index": -1}, "program.bad_seed_index"),
        ({"seed": "own", "seed_values": ""}, "program.bad_seed_values"),
        ({"seed": "own", "seed_values": "one"}, "program.bad_seed_values"),
        ({"seed": "own", "seed_values": "[[1], [1, 2]]"}, "program.bad_seed_values"),
        ({"seed": "own", "seed_values": "[1]); import os #"}, "program.bad_seed_values"),
    ],
)
def test_toggles_that_are_refused(toggles, key):
    with pytest.raises(ProgramInvalid) as caught:
        apply_toggles(TUTORIAL, Toggles(**toggles))
    assert caught.value.key == key
    assert all(text(key, language, **caught.value.values) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("program", "key"),
    [
        (TUTORIAL, None),
        ("x = (", "program.why_not.unreadable"),
        ("", "program.why_not.no_backward"),
        ("if x:\n    y.backward()", "program.why_not.inside_a_block"),
        ("print(torch.autograd.grad(y, x))", "program.why_not.only_grad"),
    ],
)
def test_why_not(program, key):
    reason = why_not(program)
    assert (reason and reason.key) == key
    if key is not None:
        assert all(text(key, language, **reason.values) for language in LANGUAGES)
        with pytest.raises(ProgramInvalid, match=key):
            apply_toggles(program, Toggles(passes=2))


@pytest.mark.parametrize(
    ("program", "function"),
    [
        ("from torch.autograd import grad\ngrad(y, x)", "torch.autograd.grad"),
        ("torch.func.vmap(torch.func.grad(f))(x)", "torch.func.grad"),
        ("from torch.func import grad as slope, vmap\nvmap(slope(f))(x)", "torch.func.grad"),
        ("import torch.func as ft\ny, pull = ft.vjp(f, x)", "torch.func.vjp"),
        ("from torch import func\nfunc.jacrev(f)(x)", "torch.func.jacrev"),
        ("slope = torch.func.grad\nslope(f)(x)", "torch.func.grad"),
        ("torch.func.hessian(f)(x)\ntorch.func.grad(f)(x)", "torch.func.hessian"),
        ("torch.func.jacfwd(f)(x)", None),
        ("print(x.grad, field.grad(x))", None),
    ],
)
def test_what_returns_gradients_is_named(program, function):
    reason = why_not(f"import torch\n{program}")
    assert reason.values.get("function") == function
    assert (reason.key == "program.why_not.only_grad") is (function is not None)


RETURNED = {
    "torch.autograd.grad": "(f(x), x)",
    "torch.autograd.functional.hessian": "(f, x)",
    "torch.autograd.functional.hvp": "(f, x, x)",
    "torch.autograd.functional.jacobian": "(f, x)",
    "torch.autograd.functional.jvp": "(f, x, x)",
    "torch.autograd.functional.vhp": "(f, x, x)",
    "torch.autograd.functional.vjp": "(f, x)",
    "torch.func.grad": "(f)(x)",
    "torch.func.grad_and_value": "(f)(x)",
    "torch.func.hessian": "(f)(x)",
    "torch.func.jacrev": "(f)(x)",
    "torch.func.vjp": "(f, x)[1](torch.tensor(1.0))",
}


def test_all_that_return_gradients_are_tried():
    assert set(RETURNED) == {f"{module}.{name}" for module, names in RETURNING.items() for name in names}


@pytest.mark.parametrize("function", RETURNED)
def test_what_returns_gradients_runs_backward_and_leaves_grad_alone(function):
    seen, x = [], torch.tensor([1.0, 2.0], requires_grad=True)

    def f(point):
        result = (point * point).sum()
        result.grad_fn.register_hook(lambda sent, came: seen.append(True))
        return result

    ran(function + RETURNED[function], torch=torch, f=f, x=x)
    assert (bool(seen), x.grad) == (True, None)
    assert why_not(function + RETURNED[function]).values == {"function": function}


def test_several_roots_repeat_but_take_no_seed():
    program = TUTORIAL.replace("m.backward()", "torch.autograd.backward([m, x.sum()])")
    assert grad(program, passes=2) == [2, 10, 18]
    with pytest.raises(ProgramInvalid, match="several_roots"):
        apply_toggles(program, Toggles(seed="ones"))


@given(st.data())
def test_spoiled_programs_are_rewritten_or_refused(data):
    """Characters are taken out of a program at random: what comes back is Python, or a refusal."""
    program = data.draw(
        st.sampled_from(
            [MODULE, TUTORIAL, VECTOR, *(f"{one}{name}.backward()" for one, name, _ in RUNS_AGAIN.values())]
        )
    )
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(program)))
        program = program[:at] + data.draw(st.sampled_from(["", ";", "\n", "#", "(", "x"])) + program[at + 1 :]
    toggles = Toggles(
        passes=data.draw(st.integers(1, 3)),
        between=data.draw(st.sampled_from(["keep", "zero_", "none"])),
        seed=data.draw(st.sampled_from(["ones", "one-hot", "implicit"])),
        new_forward=data.draw(st.booleans()),
        create_graph=data.draw(st.booleans()),
    )
    with contextlib.suppress(ProgramInvalid):
        ast.parse(apply_toggles(program, toggles))


@pytest.mark.parametrize("between", ["none", "zero_"])
def test_a_leaf_that_is_made_after_the_pass_is_not_cleared(between):
    later = "z = torch.ones(2, requires_grad=True)\nlayer = torch.nn.Linear(2, 2)\n"
    assert grad(TUTORIAL + later, passes=2, between=between) == [0, 4, 8]


@pytest.mark.parametrize(("typed", "written"), [("１，２，３", "[1.0, 2.0, 3.0]"), ("１．５", "1.5")])
def test_full_width_digits_are_digits(typed, written):
    assert seed_literal(typed) == f"torch.tensor({written})"


@pytest.mark.parametrize("typed", ["nan, -inf", '[float("nan"), -math.inf]', "torch.nan, -torch.inf"])
def test_numbers_beyond_all_are_typed_as_torch_or_python_has_them(typed):
    assert seed_literal(typed) == 'torch.tensor([float("nan"), float("-inf")])'


@pytest.mark.parametrize("typed", ["a b", "[1, 0, 2", ""])
def test_a_refused_seed_is_quoted_as_it_was_typed(typed):
    with pytest.raises(ProgramInvalid) as refused:
        seed_literal(typed)
    assert refused.value.values["values"] == typed

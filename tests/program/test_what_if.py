"""Each change rewrites its one place, in whatever way the program is written, and the result is Python."""

from __future__ import annotations

import ast

import pytest
import torch

from explorer.errors import ProgramInvalid
from explorer.mistakes import mistake
from explorer.program.out_of_place import out_of_place
from explorer.program.source import read
from explorer.program.statements import statement_at
from explorer.program.what_if import Change, changed, offers
from explorer.recorder import record

HEAD = "import torch\nx = torch.tensor([1.0, 2.0], requires_grad=True)\n"


def recorded(text):
    session = record(source=text, filename="<program>")
    try:
        with session:
            exec(compile(text, "<program>", "exec"), {"__name__": "__main__"})
    except RuntimeError:
        pass
    return session.recording


def ran(text):
    scope = {}
    exec(compile(text, "<program>", "exec"), scope)
    return scope


def after_head(change, body):
    """The body with the change made in it."""
    text = changed(HEAD + body, change)
    assert text.startswith(HEAD)
    return text.removeprefix(HEAD)


@pytest.mark.parametrize(
    ("body", "line", "expected"),
    [
        ("y = x * 2\n", 3, "y = x * 2\ny = y.detach()\n"),
        ("y = x * 2", 3, "y = x * 2\ny = y.detach()"),
        ("y = x * 2  # 两倍\nz = y", 3, "y = x * 2  # 两倍\ny = y.detach()\nz = y"),
        ("y = (\n    x\n    * 2\n)\nz = y", 4, "y = (\n    x\n    * 2\n)\ny = y.detach()\nz = y"),
        ("y = x * 2; z = y", 3, "y = x * 2; y = y.detach(); z = y"),
        ("if True:\n    y = x * 2\n", 4, "if True:\n    y = x * 2\n    y = y.detach()\n"),
        ("if True: y = x * 2\n", 3, "if True: y = x * 2; y = y.detach()\n"),
        ("for _ in range(2):\n\ty = x * 2\nz = 1\n", 4, "for _ in range(2):\n\ty = x * 2\n\ty = y.detach()\nz = 1\n"),
        ("y = x * 2;\n", 3, "y = x * 2; y = y.detach();\n"),
        ("y = x \\\n    * 2\nz = y\n", 3, "y = x \\\n    * 2\ny = y.detach()\nz = y\n"),
        ("t = '甲；乙'; y = x * 2\n", 3, "t = '甲；乙'; y = x * 2; y = y.detach()\n"),
    ],
)
def test_detach(body, line, expected):
    assert after_head(Change(kind="detach", line=line, name="y"), body) == expected
    ast.parse(HEAD + expected)


def test_line_ends_stay_as_they_are():
    text = changed((HEAD + "y = x * 2\nz = y\n").replace("\n", "\r\n"), Change(kind="detach", line=3, name="y"))
    assert text.endswith("y = x * 2\r\ny = y.detach()\r\nz = y\r\n")


@pytest.mark.parametrize(
    ("body", "line", "expected"),
    [
        ("y = x * 2\n", 3, "with torch.no_grad():\n    y = x * 2\n"),
        ("y = x * 2  # 说明\n", 3, "with torch.no_grad():\n    y = x * 2  # 说明\n"),
        ("y = (x\n     * 2)\n", 3, "with torch.no_grad():\n    y = (x\n         * 2)\n"),
        ("if True:\n\ty = x * 2\n", 4, "if True:\n\twith torch.no_grad():\n\t\ty = x * 2\n"),
        ('y = (x * 2, """一\n二""")\n', 3, 'with torch.no_grad():\n    y = (x * 2, """一\n二""")\n'),
    ],
)
def test_no_grad(body, line, expected):
    assert after_head(Change(kind="no_grad", line=line), body) == expected
    assert ran(HEAD + expected)["x"].requires_grad


def test_no_grad_keeps_a_string_as_it_was():
    body = 'y = (x * 2, f"""一\n  {x.shape}\n二""")\n'
    assert ran(changed(HEAD + body, Change(kind="no_grad", line=3)))["y"][1] == ran(HEAD + body)["y"][1]


@pytest.mark.parametrize("body", ["y = x * 2; z = y\n", "if True: y = x * 2\n"])
def test_no_grad_needs_a_line_of_its_own(body):
    with pytest.raises(ProgramInvalid):
        changed(HEAD + body, Change(kind="no_grad", line=3))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("y += 1", "y = y + 1"),
        ("y -= 0.1 * w.grad", "y = y - (0.1 * w.grad)"),
        ("y *= a if b else c", "y = y * (a if b else c)"),
        ("y **= 2", "y = y ** 2"),
        ("y @= m", "y = y @ m"),
        ("y += (a +\n      b)", "y = y + (a +\n      b)"),
        ("self.w += 1", "self.w = self.w + 1"),
        ("y[0] += 1", "y = y.clone()\ny[0] += 1"),
        ("y[:, 0] = z", "y = y.clone()\ny[:, 0] = z"),
        ("y.add_(1)", "y = y.add(1)"),
        ("y.add_(1)  # 加一", "y = y.add(1)  # 加一"),
        ("y.mul_(\n    2,  # 两倍\n)", "y = y.mul(\n    2,  # 两倍\n)"),
        ("y.data.mul_(10)", "y = y.mul(10)"),
        ("y[0].add_(1)", "y = y.clone()\ny[0].add_(1)"),
        ("z = y.add_(1)", "z = y = y.add(1)"),
        ("y = y.add_(1)", "y = y.add(1)"),
        ("y.zero_()", "y = y.new_zeros(y.shape)"),
        ("y.fill_(3.0)", "y = y.new_full(y.shape, 3.0)"),
        ("y.fill_(value=3.0)", "y = y.new_full(y.shape, 3.0)"),
        ("y.copy_(a + b)", "y = (a + b).clone()"),
        ("y.T.add_(1)", "y = y.clone()\ny.T.add_(1)"),
        ("y[0].real.mul_(2)", "y = y.clone()\ny[0].real.mul_(2)"),
        ("x.grad.zero_()", "x.grad = x.grad.new_zeros(x.grad.shape)"),
        ("torch.relu_(y)", "y = torch.relu(y)"),
        ("y = F.relu(y, inplace=True)", "y = F.relu(y, inplace=False)"),
        ("F.relu(y, inplace=True)", "y = F.relu(y, inplace=False)"),
        ("if a: y += 1", "if a: y = y + 1"),
        ("if a: y[0] = 1", "if a: y = y.clone(); y[0] = 1"),
        ("'文'; y.add_(1)", "'文'; y = y.add(1)"),
    ],
)
def test_out_of_place(statement, expected):
    source = read(statement)
    text = out_of_place(source, statement_at(source, 1))
    assert text == expected
    ast.parse(text)


@pytest.mark.parametrize(
    "statement",
    ["y = x", "y.add(1)", "x.requires_grad_(True)", "y.normal_()", "z = (y.add_(1))", "print(y.add_(1))", "f(x).add_(1)", "import torch", "y.copy_(a, True)"],
)  # fmt: skip
def test_nothing_to_replace(statement):
    source = read(statement)
    with pytest.raises(ProgramInvalid):
        out_of_place(source, statement_at(source, 1))


@pytest.mark.parametrize(("kind", "grads"), [("scale", [20, 40]), ("zero", [0, 0]), ("clip", [2, 4])])
def test_hooks_on_a_result(kind, grads):
    text = changed(HEAD + "y = x * x\ny.sum().backward()\n", Change(kind=kind, line=3, name="y"))
    assert ran(text)["x"].grad.tolist() == grads


def test_hooks_come_after_the_mark():
    text = "import torch\nx = torch.arange(3.0)\nx.requires_grad_(True)\n(x * x).sum().backward()\n"
    offered = [change for change in offers(recorded(text)) if change.kind == "scale" and change.name == "x"]
    assert [change.line for change in offered] == [3]
    assert ran(changed(text, offered[0]))["x"].grad.tolist() == [0, 20, 40]


def test_a_mark_is_flipped():
    text = changed(HEAD + "y = x * 2\n", Change(kind="requires_grad", line=2, name="x"))
    assert not ran(text)["y"].requires_grad
    again = changed(text, Change(kind="requires_grad", line=2, name="x"))
    assert ran(again)["y"].requires_grad


@pytest.mark.parametrize("program", ["from torch import tensor\nx = tensor([1.0])\ny = x * 2\n", "import torch as t\nx = t.ones(1)\ny = x * 2\n"])  # fmt: skip
def test_torch_must_have_its_name(program):
    with pytest.raises(ProgramInvalid):
        changed(program, Change(kind="no_grad", line=3))
    assert "detach" in changed(program, Change(kind="detach", line=3, name="y"))


def test_a_leaf_without_a_name_is_not_offered():
    text = "import torch\ny = torch.ones(2, requires_grad=True) * 2\ny.sum().backward()\n"
    assert {change.name for change in offers(recorded(text))} == {"y", ""}


def test_what_is_offered():
    offered = offers(recorded(HEAD + "y = x.exp()\ny.add_(1)\nz = (y * x).sum()\nz.backward()\n"))
    assert [(change.kind, change.line, change.name) for change in offered if change.kind not in ("zero", "clip")] == [
        ("requires_grad", 2, "x"),
        ("scale", 2, "x"),
        ("no_grad", 3, ""),
        ("detach", 3, "y"),
        ("scale", 3, "y"),
        ("no_grad", 4, ""),
        ("detach", 4, "y"),
        ("scale", 4, "y"),
        ("out_of_place", 4, ""),
        ("no_grad", 5, ""),
        ("detach", 5, "z"),
        ("scale", 5, "z"),
    ]


ODD = [
    HEAD + "a, b = (2 * x).split(1)\n(a * b).sum().backward()\n",
    HEAD + "def f(v):\n    u = v * v  # 平方\n    return u.sum()\nf(x).backward()\n",
    HEAD + "class Model(torch.nn.Module):\n    def forward(self, v):\n        self.h = v * 2\n        return self.h.sum()\nModel()(x).backward()\n",
    HEAD + "y = 0\nfor i in range(3):\n    y = y + x[i % 2]; z = y\ny.backward()\n",
    HEAD + "s = '''\nmany\n''' ; y = x.exp(); y.sum().backward()\n",
    HEAD + "变量 = x * 2\n变量.sum().backward()\n",
    HEAD + "y = [v * 2 for v in x]\nsum(y).backward()\n",
    HEAD + "with torch.no_grad():\n    x -= 1\n(x * x).sum().backward()\n",
    HEAD + "lines = \\\n    x * \\\n    x\nlines.sum().backward()\n",
    mistake("in-place-on-a-saved-value").wrong,
    mistake("one-gradient-too-few").right,
]  # fmt: skip


@pytest.mark.parametrize("program", ODD)
def test_everything_that_is_offered_is_python_and_changes_only_by_whole_lines(program):
    offered = offers(recorded(program))
    assert offered
    for change in offered:
        text = changed(program, change)
        assert text != program
        compile(text, "<program>", "exec")
        kept = [line.strip() for line in program.splitlines()]
        gone = [line for line in kept if line not in [new.strip() for new in text.splitlines()]]
        assert len(gone) <= 1


def test_a_changed_program_runs_and_gives_torchs_gradient():
    program = HEAD + "y = x.exp()\ny.add_(1)\ny.sum().backward()\n"
    (change,) = [change for change in offers(recorded(program)) if change.kind == "out_of_place"]
    torch.testing.assert_close(ran(changed(program, change))["x"].grad, torch.tensor([1.0, 2.0]).exp())

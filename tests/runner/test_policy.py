"""Refusals point at what they refuse and say why; guards stand where the user's text stood."""

from __future__ import annotations

import ast
import dis
import re
import subprocess
import sys
from pathlib import Path

import pytest
from catalogue import entries

import explorer
from explorer.i18n import LANGUAGES, catalog
from explorer.model import Span
from explorer.runner import Completed, Failed, Rejected, Violation
from explorer.runner.names import FILENAME
from explorer.runner.policy import ProgramRejected, compile_program

RUNNER = Path(explorer.__file__).parent / "runner"


def refused(code: str) -> tuple[Violation, ...]:
    """What is refused before the program runs."""
    with pytest.raises(ProgramRejected) as rejection:
        compile_program(code)
    return rejection.value.violations


def marked(code: str, span: Span | None) -> str:
    """The text that a span covers, on one line."""
    assert span is not None
    assert span.line == span.end_line
    return code.split("\n")[span.line - 1][span.column : span.end_column]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("x = 1\ny = eval('1') + 2", "eval"),
        ("import torch\nz = 'é'; w = torch.load('x')", "torch.load"),
        ("x = [a.__dict__ for a in 'ab']", "a.__dict__"),
        ("from torch import nn, hub", "hub"),
        ("import os.path", "import os.path"),
        ("class A(B, metaclass=M): pass", "M"),
        ("x = = 1", "="),
    ],
)
def test_a_refusal_marks_what_it_refuses(code: str, text: str) -> None:
    (violation,) = refused(code)
    assert marked(code, violation.span) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("x = '学'; y = getattr(x, '_' * 2 + 'class__')", "getattr(x, '_' * 2 + 'class__')"),
        ("import torch\nt = torch\nprint(1, t.save)", "t.save"),
        ("y = '{0.__class__}'.format(1)", "'{0.__class__}'.format(1)"),
    ],
)
def test_a_refusal_at_run_time_marks_it_too(code: str, text: str) -> None:
    ending = explorer.run(code)
    assert isinstance(ending, Rejected)
    assert marked(code, ending.violations[0].span) == text


def test_every_violation_of_a_program_is_told_at_once() -> None:
    assert [violation.code for violation in refused("import os\nopen('x')\neval('1')")] == [
        "module_system",
        "name_files",
        "name_code",
    ]


def test_a_syntax_error_is_told_in_pythons_words() -> None:
    (violation,) = refused("x = (1,\ny = 2")
    assert violation.values["message"] == "'(' was never closed"
    assert violation.sentence("en").startswith("Line 1, column 5: ")
    assert "第 1 行第 5 列" in violation.sentence("zh")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "attack", [e for e in entries("attacks.toml", "attack") if "Rejected" in e.values[0]["ending"]]
)
def test_every_refusal_has_a_sentence_that_names_what_was_written(attack: dict[str, str], language: str) -> None:
    try:
        compile_program(attack["code"])
    except ProgramRejected as rejection:
        for violation in rejection.violations:
            said = violation.sentence(language)  # type: ignore[arg-type]
            assert "{" not in said.replace("{}", "")
            assert all(value in said for value in violation.values.values())


def test_every_code_has_a_sentence() -> None:
    written = "".join(
        path.read_text("utf-8") for path in map(RUNNER.joinpath, ("policy.py", "guards.py", "syntax_errors.py"))
    )
    codes = set(re.findall(r'(?:refuse\((?:\w+, )?|code=)"([a-z_]+)"', written))
    refusals = (RUNNER / "refused.toml").read_text("utf-8")
    codes |= set(re.findall(r'^([a-z]+_[a-z]+) = "', refusals, re.MULTILINE))
    codes |= set(re.findall(r'^code = "([a-z_]+)"', refusals, re.MULTILINE))
    assert len(codes) > 30
    assert {f"runner.{code}" for code in codes} <= set(catalog("en"))


def test_an_operation_points_at_the_users_expression() -> None:
    code = "import torch\nx = torch.ones(2, 2)\ny = x.t()[0].add(x[1]).sum()\nx[0, 1] += 3\n"
    ending = explorer.run(code)
    assert isinstance(ending, Completed)
    texts = {marked(code, event.span) for event in ending.recording.events}
    assert {"x.t()", "x.t()[0]", "x[1]", "x.t()[0].add(x[1])", "x.t()[0].add(x[1]).sum()", "x[0, 1]"} <= texts


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("x = [1]\nx[3].real", "x[3]"),
        ("x = 1\ny = x.nothing", "x.nothing"),
        ("class A: pass\nA().b += 1", "A().b"),
        ("def f(x):\n    return x / 0\nprint(f(1))", "x / 0"),
        ("import torch\nx = torch.ones(2, requires_grad=True)\nx.add_(1)", "x.add_(1)"),
    ],
)
def test_an_error_points_at_the_users_expression(code: str, text: str) -> None:
    ending = explorer.run(code)
    assert isinstance(ending, Failed)
    assert ending.recording.error is not None
    assert marked(code, ending.recording.error.span) == text


@pytest.mark.parametrize("program", entries("ordinary.toml", "program"))
def test_guards_stand_within_the_users_text(program: dict[str, str]) -> None:
    spans = {(node.lineno, node.end_lineno) for node in ast.walk(ast.parse(program["code"])) if hasattr(node, "lineno")}
    last = max((end or 0 for _, end in spans), default=0)
    code = compile_program(program["code"])
    assert code.co_filename == FILENAME
    for instruction in dis.get_instructions(code):
        line = instruction.positions.lineno if instruction.positions else None
        assert line is None or 0 <= line <= last


def test_an_exception_that_ends_a_program_cannot_be_kept() -> None:
    tree = ast.parse("try: f()\nexcept: pass")
    assert len(tree.body[0].handlers) == 1  # type: ignore[attr-defined]
    names = compile_program("try: f()\nexcept: pass").co_names
    assert "<ended>" in names


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\nx.y", "'int' object has no attribute 'y'"),
        ("import torch\ntorch.ones(2).grad.zero_()", "'NoneType' object has no attribute 'zero_'"),
        ("import torch\ntorch.nn.Linear(2, 1).nothing", "'Linear' object has no attribute 'nothing'"),
        ("undefined", "name 'undefined' is not defined"),
    ],
)
def test_errors_are_pythons_own(code: str, message: str) -> None:
    ending = explorer.run(code)
    assert isinstance(ending, Failed)
    assert ending.recording.error is not None
    assert ending.recording.error.message == message


@pytest.mark.parametrize(
    "code",
    [
        "import torch\nprint(type(len), type(torch), type(lambda: 0))",
        "def f(): yield\nprint(type(f()).__name__, type(f()) == type(f()), isinstance(f(), type(f())))",
        "import copy\nprint(copy.deepcopy(type) is type, copy.copy(type(len)) is type(len))",
        "from torch import nn\nprint(nn.Module.forward is nn.Module.forward, nn.Linear.forward.__name__)",
    ],
)
def test_classes_that_cannot_be_named_look_like_themselves(code: str) -> None:
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert explorer.run(code).recording.printed == plain.stdout

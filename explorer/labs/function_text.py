"""A function typed by a user: Python statements on `x` (or `x, y`), the last of them its result.

The text is only read and put into a program, which runs in a worker; nothing of it is evaluated here.
"""

from __future__ import annotations

import ast
import re
import textwrap

from explorer.errors import ProgramInvalid
from explorer.model.source import BYTE_ORDER_MARK
from explorer.model.syntax import parsed

MOST_CHARACTERS = 1_500


def function_source(typed: str, arguments: str = "x", name: str = "f") -> str:
    """The function as program text: `def f(x):` and the typed statements; the last one's value is returned.

    Args:
        typed: "torch.sin(x) * x", or several lines.
        arguments: As in the parentheses of `def`.
        name: Of the function.

    Raises:
        ProgramInvalid: Nothing was typed, it is too long, Python cannot read it, or it returns nothing.
    """
    body = textwrap.dedent(re.sub(r"\r\n?", "\n", typed.removeprefix(BYTE_ORDER_MARK)).replace("\t", "    ")).strip()
    if not body:
        raise ProgramInvalid("labs.function.empty", arguments=arguments)
    if len(body) > MOST_CHARACTERS:
        raise ProgramInvalid("labs.function.too_long", most=MOST_CHARACTERS)
    lines = body.split("\n")
    last = _statements(body)[-1]
    if isinstance(last, ast.Expr):
        start = last.lineno - 1
        column = len(lines[start].encode()[: last.col_offset].decode())
        lines[start] = f"{lines[start][:column]}return {lines[start][column:]}"
    elif not any(isinstance(node, ast.Return) for node in ast.walk(last)):
        raise ProgramInvalid("labs.function.no_result", arguments=arguments)
    return f"def {name}({arguments}):\n{textwrap.indent(chr(10).join(lines), '    ')}\n"


def imports_for(typed: str) -> str:
    """The imports that a program with this function needs: torch, and math where it is used."""
    return "import math\n\nimport torch" if "math." in typed else "import torch"


def _statements(body: str) -> list[ast.stmt]:
    """The statements of the typed text, read as the body of a function."""
    try:
        tree = parsed(body)
    except SyntaxError as error:
        raise ProgramInvalid(
            "labs.function.syntax", message=error.msg, line=error.lineno or 1, column=error.offset or 1
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ProgramInvalid(
            "labs.function.syntax", message=str(error) or "too deeply nested", line=1, column=1
        ) from error
    if not tree.body:
        raise ProgramInvalid("labs.function.only_comments")
    return tree.body

"""Accumulation and its friends: choices that write more backward passes into a program."""

from __future__ import annotations

import ast
import re
import unicodedata
from typing import Literal

from explorer.errors import ProgramInvalid
from explorer.i18n import Language
from explorer.model import Number
from explorer.model.syntax import parsed_expression
from explorer.model.values import Frozen
from explorer.program.flow import find_root
from explorer.program.nested import kind_of, read_nested, write_nested
from explorer.program.passes import write_passes
from explorer.program.returned import returning
from explorer.program.source import read

MAX_PASSES = 10
_MAX_SECOND = 500

Between = Literal["keep", "zero_", "none"]
Seed = Literal["program", "implicit", "ones", "one-hot", "own"]


class Toggles(Frozen, frozen=True, kw_only=True):
    """How often, and how, the program's last backward pass runs.

    Args:
        passes: Number of backward passes of the program's own function, 1 to 10.
        second: An expression on the same inputs ("x.sum()"), differentiated in one more pass at the end; "" for none.
        between: What happens to `.grad` between passes: nothing, `zero_()`, or `= None`.
        new_forward: Whether each pass computes the function anew; else it goes through the same graph again.
        retain_graph, create_graph: Whether every pass is asked to.
        seed: Which gradient a pass starts from: what the program says, none, ones, one 1 among zeros, or `seed_values`.
        seed_index: Where the 1 stands in the flattened root.
        seed_values: Numbers, "1, 0, 2" or "[[1, 0], [0, 1]]".
    """

    passes: int = 1
    second: str = ""
    between: Between = "keep"
    new_forward: bool = True
    retain_graph: bool = False
    create_graph: bool = False
    seed: Seed = "program"
    seed_index: int = 0
    seed_values: str = ""

    @property
    def leave_alone(self) -> bool:
        """Whether the program stays as it is."""
        is_one_pass = self.passes == 1 and not self.second.strip()
        return is_one_pass and not self.retain_graph and not self.create_graph and self.seed == "program"


def apply_toggles(text: str, toggles: Toggles, language: Language = "en") -> str:
    """The program with the passes written out, as plain PyTorch that runs anywhere.

    Args:
        text: Program text.
        toggles: The choices; the default ones return the text as it is.
        language: Of the comments that say what each pass is.

    Raises:
        ProgramInvalid: The text cannot be read or has no backward call at its top level, no leaf is known that could
            be cleared, or a toggle is not what it should be.
    """
    if toggles.leave_alone:
        return text
    check_toggles(toggles)
    if (reason := why_not(text)) is not None:
        raise reason
    source = read(text)
    root = find_root(source.tree)
    assert root is not None
    own_seed = seed_literal(toggles.seed_values) if toggles.seed == "own" else ""
    written = write_passes(source, root, toggles, own_seed, language)
    read(written)
    return written


def why_not(text: str) -> ProgramInvalid | None:
    """Why toggles do not apply to a program; None if they do."""
    try:
        tree = read(text).tree
    except ProgramInvalid:
        return ProgramInvalid("program.why_not.unreadable")
    if find_root(tree) is not None:
        return None
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if any(isinstance(func, ast.Attribute) and func.attr == "backward" for func in calls):
        return ProgramInvalid("program.why_not.inside_a_block")
    if (function := returning(tree)) is not None:
        return ProgramInvalid("program.why_not.only_grad", function=function)
    return ProgramInvalid("program.why_not.no_backward")


def check_toggles(toggles: Toggles) -> None:
    """Raises ProgramInvalid if a toggle is out of range, or no single expression, or no numbers."""
    if not 1 <= toggles.passes <= MAX_PASSES:
        raise ProgramInvalid("program.bad_passes", passes=toggles.passes, most=MAX_PASSES)
    if toggles.seed == "one-hot" and toggles.seed_index < 0:
        raise ProgramInvalid("program.bad_seed_index", index=toggles.seed_index)
    if toggles.seed == "own":
        seed_literal(toggles.seed_values)
    if toggles.second.strip():
        _check_expression(toggles.second.strip())


def seed_literal(text: str) -> str:
    """The tensor that a user's numbers stand for: "1, 2" is `torch.tensor([1.0, 2.0])`, "2" is `torch.tensor(2.0)`.

    Raises:
        ProgramInvalid: They are no numbers, or rows of different length.
    """
    nested = _read_seed(unicodedata.normalize("NFKC", text).strip())
    if nested is None or not nested[1]:
        raise ProgramInvalid("program.bad_seed_values", values=text[:60])
    shape, values = nested
    kind = "complex" if kind_of(values) == "complex" else "float"
    return f"torch.tensor({write_nested(values, shape, kind)})"


def _read_seed(text: str) -> tuple[tuple[int, ...], tuple[Number, ...]] | None:
    if not text.startswith(("[", "(")):
        numbers = [part for part in re.split(r"[\s,，、;]+", text) if part]
        text = numbers[0] if len(numbers) == 1 else f"[{', '.join(numbers)}]"
    text = re.sub(r"(?<![\"'.])\b(nan|inf)\b", r'float("\1")', text)
    try:
        return read_nested(parsed_expression(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _check_expression(second: str) -> None:
    try:
        if len(second) > _MAX_SECOND:
            raise ProgramInvalid("program.second_too_long", most=_MAX_SECOND)
        parsed_expression(second)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ProgramInvalid("program.bad_second", second=second[:60], reason=reason) from error

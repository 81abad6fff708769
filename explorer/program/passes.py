"""Writes backward passes into a program text, one after another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from explorer.errors import ProgramInvalid
from explorer.i18n import Language
from explorer.i18n import text as sentence
from explorer.program.calls import with_argument, with_root, with_seed, without_seed
from explorer.program.effects import effect_of
from explorer.program.flow import Root, find_leaves, forward_statements, reached_names
from explorer.program.names import Names
from explorer.program.source import Source

if TYPE_CHECKING:
    from explorer.program.toggles import Toggles

_CUTS = re.compile(
    r"detach|no_grad|inference_mode|\.data\b|\.item\(|\.sample\(|argmax|requires_grad_\(False|grad *= *False"
)
_LINE_REST = re.compile(r"([ \t]*;?[ \t]*(?:#[^\r\n]*)?)(?:\r\n|\r|\n|\Z)")
_SEMICOLON = re.compile(r"[ \t]*;[ \t]*")


def write_passes(source: Source, root: Root, toggles: Toggles, seed: str, language: Language) -> str:
    """The program text with every pass that the toggles ask for.

    Args:
        source: The program.
        root: Its last backward call.
        toggles: What to write; their own checks are done.
        seed: The tensor to start from, where the toggles ask for the user's own.
        language: Of the comments.

    Raises:
        ProgramInvalid: A seed for several roots, or no leaf to clear.
    """
    names = Names(source.text, toggles.second)
    setup, statement, naming = _backward_statement(source, root, toggles, seed, names)
    again = [*_forward(source, root), *naming] if toggles.new_forward else []
    clears = _clears(source, root, toggles.between) if toggles.passes > 1 or toggles.second.strip() else []
    what = "same_function" if toggles.new_forward else "same_graph"
    blocks = [
        ["", _comment(what, number, language), *clears, *again, statement] for number in range(2, toggles.passes + 1)
    ]
    if second := toggles.second.strip():
        name = names.fresh("h", "g", "s", "second")
        comment = _comment("second_function", toggles.passes + 1, language)
        blocks.append(["", comment, *clears, f"{name} = {second}", _second_call(name, toggles)])
    return _inserted(source, root, [*naming, *setup], statement, [line for block in blocks for line in block])


def _backward_statement(
    source: Source, root: Root, toggles: Toggles, seed: str, names: Names
) -> tuple[list[str], str, list[str]]:
    """Lines that make a seed, the backward statement, and the line that gives the root a name if it has none."""
    statement = _unified(source.segment(root.statement))
    naming, setup, name = [], [], source.segment(root.expression) if root.expression else ""
    if toggles.seed in ("ones", "one-hot", "own") and root.expression is None:
        raise ProgramInvalid("program.several_roots")
    needs_name = toggles.seed in ("ones", "one-hot") or (toggles.passes > 1 and not toggles.new_forward)
    if needs_name and root.expression is not None and not name.isidentifier():
        expression = f"({name})" if "\n" in _unified(name) else name
        name = names.fresh("y", "root", "output")
        naming, statement = [f"{name} = {_unified(expression)}"], with_root(statement, name)
    match toggles.seed:
        case "implicit":
            statement = without_seed(statement)
        case "ones":
            statement = with_seed(statement, f"torch.ones_like({name})")
        case "one-hot":
            one_hot = names.fresh("v", "seed", "seed_grad")
            setup = [
                f"{one_hot} = torch.zeros({name}.numel(), dtype={name}.dtype)",
                f"{one_hot}[{toggles.seed_index}] = 1.0",
            ]
            statement = with_seed(statement, f"{one_hot}.reshape({name}.shape)")
        case "own":
            statement = with_seed(statement, seed)
    for argument in _asked(toggles):
        statement = with_argument(statement, argument, "True")
    return setup, statement, naming


def _second_call(name: str, toggles: Toggles) -> str:
    arguments = [f"torch.ones_like({name})"] if toggles.seed == "ones" else []
    arguments += [f"{argument}=True" for argument in _asked(toggles)]
    return f"{name}.backward({', '.join(arguments)})"


def _asked(toggles: Toggles) -> list[str]:
    return [name for name in ("retain_graph", "create_graph") if getattr(toggles, name)]


def _forward(source: Source, root: Root) -> list[str]:
    return [_unified(source.segment(statement)) for statement in forward_statements(source, root, find_leaves(source))]


def _clears(source: Source, root: Root, between: str) -> list[str]:
    """Lines that clear every leaf's `.grad`; a leaf that a pass may not reach is asked first whether it has one."""
    if between == "keep":
        return []
    leaves = find_leaves(source)
    bound = {name for statement in forward_statements(source, root, leaves) for name in effect_of(statement).binds}
    made = {name for statement in source.tree.body[: root.index] for name in effect_of(statement).binds}
    tensors = [name for name in leaves.tensors if name in made - bound]
    modules = [name for name in leaves.modules if name in made]
    if not tensors and not modules:
        raise ProgramInvalid("program.leaves_unknown")
    if between == "none":
        return [f"{name}.grad = None" for name in tensors] + [f"{name}.zero_grad()" for name in modules]
    reached = frozenset() if _CUTS.search(source.text) else reached_names(source, root)
    lines = []
    for name in tensors:
        zero = f"{name}.grad.zero_()"
        lines += [zero] if name in reached else [f"if {name}.grad is not None:", f"    {zero}"]
    return lines + [f"{name}.zero_grad(set_to_none=False)" for name in modules]


def _comment(what: str, number: int, language: Language) -> str:
    return f"# {sentence(f'program.comment.{what}', language, number=number)}"


def _inserted(source: Source, root: Root, before: list[str], statement: str, after: list[str]) -> str:
    """The text with lines before and after the backward statement, which stands on a line of its own if it must."""
    head, tail = source.text[: source.start(root.statement)], source.text[source.end(root.statement) :]
    newline = source.newline
    if before and (cut := re.search(r"[ \t]*;[ \t]*\Z", head)):
        head = head[: cut.start()] + newline
    written = head + _joined([*before, statement], newline)
    if not after:
        return written + tail
    if rest := _LINE_REST.match(tail):
        on_line, below, goes_on = rest[1], tail[rest.end() :], rest.end() > len(rest[1])
    else:
        colon = _SEMICOLON.match(tail)
        on_line, below, goes_on = "", tail[colon.end() :] if colon else tail, True
    blank = newline if below.strip() and not re.match(r"[ \t]*[\r\n]", below) else ""
    return written + on_line + newline + _joined(after, newline) + (newline if goes_on else "") + blank + below


def _joined(lines: Iterable[str], newline: str) -> str:
    return newline.join(line.replace("\n", newline) for line in lines)


def _unified(text: str) -> str:
    return re.sub(r"\r\n?", "\n", text)

"""What if: small changes to a program that need no typing. Text in, text out; nothing but the one place changes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from explorer.errors import ProgramInvalid
from explorer.model import Modified, Operation, Recording
from explorer.model.values import Frozen
from explorer.program.edits import with_requires_grad
from explorer.program.inputs import find_inputs
from explorer.program.out_of_place import has_in_place, out_of_place
from explorer.program.source import Source, read
from explorer.program.statements import after, before_and_inside, statement_at

Kind = Literal["requires_grad", "detach", "no_grad", "out_of_place", "scale", "zero", "clip"]

HOOKS = {"scale": "10 * grad", "zero": "torch.zeros_like(grad)", "clip": "grad.clamp(-1, 1)"}
"""What the hook makes of the gradient."""

MARKING = {"requires_grad_", "requires_grad"}
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class Change(Frozen, frozen=True, kw_only=True):
    """One change that can be tried.

    Args:
        kind: "requires_grad" flips a leaf's mark; "detach" cuts behind a variable; "no_grad" wraps a statement;
            "out_of_place" computes a new tensor instead of changing one; "scale", "zero" and "clip" hook a gradient.
        line: The statement's line, from 1.
        name: The variable; "" where it is about a whole statement.
    """

    kind: Kind
    line: int
    name: str = ""


def written(change: Change) -> str:
    """A change as a link has it: "detach.5.m"."""
    return f"{change.kind}.{change.line}.{change.name}"


def changed(text: str, change: Change) -> str:
    """The program with the change made.

    Raises:
        ProgramInvalid: The text cannot be read, or has no place for this change.
    """
    source = read(text)
    match change.kind:
        case "requires_grad":
            is_on = next((found.requires_grad for found in find_inputs(text) if found.name == change.name), False)
            written = with_requires_grad(text, change.name, not is_on)
        case "detach":
            cut = f"{change.name} = {change.name}.detach()"
            written = after(source, statement_at(source, change.line, change.name), cut)
        case "no_grad":
            _check_torch(source, change)
            written = before_and_inside(source, statement_at(source, change.line), "with torch.no_grad():")
        case "out_of_place":
            written = out_of_place(source, statement_at(source, change.line))
        case "scale" | "zero" | "clip":
            _check_torch(source, change)
            hook = f"{change.name}.register_hook(lambda grad: {HOOKS[change.kind]})"
            written = after(source, statement_at(source, change.line, change.name), hook)
    read(written)
    return written


def offers(recording: Recording) -> tuple[Change, ...]:
    """The changes that can be tried on a recorded program, in the order of its lines."""
    text = recording.source or ""
    found = dict.fromkeys(_candidates(recording, text))  # a loop offers the same ones in every turn
    return tuple(sorted((one for one in found if _is_possible(text, one)), key=lambda one: one.line))


def _candidates(recording: Recording, text: str) -> Iterator[Change]:
    floating = {leaf.name for leaf in recording.leaves if leaf.value.dtype.startswith(("float", "bfloat", "complex"))}
    lines = {leaf.name: leaf.span.line for leaf in recording.leaves if leaf.span is not None}
    inputs = [found.name for found in find_inputs(text) if found.kind != "scalar"] if text else []
    for name in inputs:
        if name in floating and name in lines:
            yield Change(kind="requires_grad", line=lines[name], name=name)
    for name, line in _marked_leaves(recording).items():
        yield from (Change(kind=kind, line=line, name=name) for kind in ("scale", "zero", "clip"))
    for line, name in _results(recording):
        yield Change(kind="no_grad", line=line)
        if _NAME.fullmatch(name):
            yield from (Change(kind=kind, line=line, name=name) for kind in ("detach", "scale", "zero", "clip"))
    for line in {event.span.line for event in recording.events if isinstance(event, Modified) and event.span}:
        yield Change(kind="out_of_place", line=line)


def _marked_leaves(recording: Recording) -> dict[str, int]:
    """The line after which each leaf is marked; those alone that the program has a name for."""
    marked = {leaf.name: leaf.span.line for leaf in recording.leaves if leaf.requires_grad and leaf.span is not None}
    for event in recording.events:
        if isinstance(event, Operation) and event.name in MARKING and event.leaf_id and event.span:
            marked[recording.leaf(event.leaf_id).name] = event.span.end_line
    words = set(re.findall(r"\w+", recording.source or ""))  # where it gives no name, the recorder makes one up
    return {name: line for name, line in marked.items() if _NAME.fullmatch(name) and name.partition(".")[0] in words}


def _results(recording: Recording) -> Iterator[tuple[int, str]]:
    """(line, variable) of what torch noted in the forward pass; several variables one by one."""
    for event in recording.events:
        if isinstance(event, Operation | Modified) and event.node_ids and event.span is not None:
            last = recording.node(event.node_ids[-1])
            if last.order == 1 and last.kind != "accumulate":
                yield from ((event.span.line, name) for name in (event.variable or "").split(", "))


def _is_possible(text: str, change: Change) -> bool:
    try:
        if change.kind == "out_of_place" and not has_in_place(read(text), change.line):
            return False
        return changed(text, change) != text
    except ProgramInvalid:
        return False


def _check_torch(source: Source, change: Change) -> None:
    """Raises ProgramInvalid if the program has no name `torch` to write."""
    imported = [node for node in ast.walk(source.tree) if isinstance(node, ast.Import)]
    if not any((alias.asname or alias.name) == "torch" for node in imported for alias in node.names):
        raise ProgramInvalid("program.no_place", line=change.line)

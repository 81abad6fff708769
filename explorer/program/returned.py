"""Functions of torch that return gradients and fill no `.grad`: which of them a program uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

RETURNING = {
    "torch.autograd": ("grad",),
    "torch.autograd.functional": ("hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"),
    "torch.func": ("grad", "grad_and_value", "hessian", "jacrev", "vjp"),
}
"""By their modules. Those that have forward mode do all the work are not among them."""

_NAMES = {f"{module}.{name}" for module, names in RETURNING.items() for name in names}


def returning(tree: ast.AST) -> str | None:
    """torch's full name of the first such function in a program; None if it uses none."""
    known = dict(_known(tree))
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)]
    named.sort(key=lambda node: (node.lineno, node.col_offset))
    return next((name for node in named if (name := _full_name(node, known)) in _NAMES), None)


def _known(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """What the program calls torch's modules and functions, and their full names."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((alias.asname, alias.name) for alias in names if alias.asname)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in names)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute() as value):
                if (full := _full_name(value, {})) is not None:
                    yield name, full


def _full_name(node: ast.expr, known: dict[str, str]) -> str | None:
    match node:
        case ast.Name(id=name):
            return known.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            owner = _full_name(value, known)
            return None if owner is None else f"{owner}.{attr}"
    return None

"""Which names a program's text binds, and what they stand for."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from explorer.runner.allowed import allowed_names
from explorer.runner.names import is_dunder, mangled


def hidden_names(definition: ast.ClassDef) -> tuple[str, ...]:
    """The names with one underscore in front that a class's body binds, as Python spells them."""
    names = (mangled(name, definition.name) for name in bound_names(_own_statements(definition)))
    return tuple(sorted({name for name in names if name[0] == "_" and not is_dunder(name)}))


def _own_statements(definition: ast.ClassDef) -> Iterator[ast.AST]:
    """The syntax of a class's body without what stands in functions and classes of its own."""
    pending: list[ast.AST] = list(definition.body)
    while pending:
        node = pending.pop()
        yield node
        pending.extend(_evaluated_outside(node))


def _evaluated_outside(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a piece of syntax that are evaluated where it stands: of a function not its body."""
    match node:
        case ast.FunctionDef(args=args, decorator_list=decorators):
            yield from (*decorators, *args.defaults, *filter(None, args.kw_defaults))
        case ast.Lambda(args=args):
            yield from (*args.defaults, *filter(None, args.kw_defaults))
        case ast.ClassDef(bases=bases, decorator_list=decorators):
            yield from (*decorators, *bases)
        case _:
            yield from ast.iter_child_nodes(node)


def bound_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every name that some pieces of syntax bind."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]


def imported_modules(tree: ast.Module, bound: Counter[str]) -> dict[str, str]:
    """The names that stand for an allowed module, and for nothing else in the whole program."""
    allowed, found = allowed_names(), dict[str, str]()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                pairs = [(a.asname, a.name) if a.asname else (a.name.partition(".")[0],) * 2 for a in names]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                pairs = [(a.asname or a.name, f"{module}.{a.name}") for a in names]
            case _:
                continue
        found |= {name: module for name, module in pairs if module in allowed}
    return {name: module for name, module in found.items() if bound[name] == 1 or name == module}

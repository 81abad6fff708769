"""What statements do with names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_CHANGING = {"append", "extend", "insert", "update", "add", "pop", "setdefault"}  # methods of lists, dicts and sets
_CHANGING |= {"retain_grad", "register_hook"}  # what a tensor made anew would lack


@dataclass(frozen=True)
class Effect:
    """What a statement does with names.

    Args:
        reads: Names whose value it uses.
        binds: Names it gives a value.
        changes: Names whose object it changes in place.
        is_sure: Whether what it binds is bound whenever it runs, so that older values no longer matter.
    """

    reads: frozenset[str]
    binds: frozenset[str]
    changes: frozenset[str]
    is_sure: bool


def effect_of(statement: ast.stmt) -> Effect:
    """What a statement reads, binds and changes."""
    reads: set[str] = set()
    binds: set[str] = set()
    changes: set[str] = set()
    inner = {
        part for node in ast.walk(statement) if isinstance(node, ast.comprehension) for part in ast.walk(node.target)
    }
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                reads.add(name)
            case ast.Name(id=name) if node not in inner:  # a comprehension's variable is nothing outside of it
                binds.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                binds.add(name)
            case ast.alias(name=name, asname=asname):
                binds.add(asname or name.split(".")[0])
        changes.update(_changed(node))
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        reads -= {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
        binds, changes = {statement.name}, set()
    is_sure = isinstance(statement, ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.ClassDef)
    return Effect(frozenset(reads | changes), frozenset(binds | changes), frozenset(changes), is_sure and not changes)


def _changed(node: ast.AST) -> Iterator[str]:
    """Names whose object a node changes: `y += 1`, `y[0] = 1`, `y.add_(1)`, `rows.append(y)`; never `x.grad`."""
    match node:
        case ast.AugAssign(target=target):
            yield from _owner(target)
        case ast.Subscript(ctx=ast.Store(), value=value) | ast.Attribute(ctx=ast.Store(), value=value):
            if getattr(node, "attr", "") != "grad":
                yield from _owner(value)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=function), args=[target, *_]):
            if function.endswith("_"):
                yield from _owner(target)
        case ast.Call(func=ast.Attribute(value=value, attr=method)):
            if method.endswith("_") or method in _CHANGING:
                yield from _owner(value)


def _owner(node: ast.AST) -> Iterator[str]:
    """The name at the start of `y`, `y[0]`, `y.data`."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute) and node.attr == "grad":
            return
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name) and node.id not in ("torch", "math"):
        yield node.id

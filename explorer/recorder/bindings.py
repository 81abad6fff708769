"""How a program's text gives names: what each expression's value is assigned to."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from explorer.model import Span
from explorer.model.source import lines_of
from explorer.model.syntax import Position, names_of, pairs, parsed, position

FOLDS = {"sum", "prod", "reduce"}
"""Functions of Python's own that make one result from another."""


class Bindings(NamedTuple):
    """How a program gives names.

    Args:
        targets: For every assigned expression the names it is assigned to, one per element where it is unpacked; the
            same for these names, where Python says that it unpacks.
        fleeting: Names that only loops give, to one thing after the other.
        folds: Which of the expressions fold.
        meant: The expression that is meant where Python says that another piece is evaluated: of a method's call on a
            later line than what it is called of, `.exp()`, the part from there; of `xi in x` the whole loop; of the
            place `y[0]` that something is written to the whole assignment.
    """

    targets: Mapping[Position | None, tuple[str, ...]]
    fleeting: frozenset[str]
    folds: frozenset[Position | None]
    meant: Mapping[Position | None, Span]


@lru_cache(maxsize=4)
def bindings(source: str) -> Bindings:
    """How a program gives names; nothing is known of one that cannot be parsed."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        return Bindings({}, frozenset(), frozenset(), {})
    found = Finder(lines_of(source))
    for node in ast.walk(tree):
        found.look(node)
    return found.bindings()


class Finder:
    """Gathers what pieces of syntax tell.

    Args:
        lines: Of the program.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._targets: dict[Position | None, tuple[str, ...]] = {}
        self._looped: set[str] = set()
        self._changed: set[Position | None] = set()
        """Where something is changed in place: the name stands for what it stood for."""
        self._folds: set[Position | None] = set()
        self._meant: dict[Position | None, Span] = {}

    def look(self, node: ast.AST) -> None:
        """Notes what one piece of syntax tells of names, without what is inside of it."""
        match node:
            case ast.Assign():
                self._assigned(node)
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                self._targets[self._at(value)] = names_of(target)
            case ast.AugAssign(target=target):
                self._targets[self._at(node)] = names_of(target)
                self._changed.add(self._at(node))
            case ast.For(target=target, iter=over):
                self._loops(node, target, over)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._loops(node, node.generators[0].target, node.generators[0].iter)
            case ast.Call(func=ast.Attribute() as method) if method.lineno != method.end_lineno:
                self._called_later(node, method)

    def bindings(self) -> Bindings:
        """All that was found."""
        given = (names for where, names in self._targets.items() if where not in self._changed)
        return Bindings(self._targets, frozenset(self._looped.difference(*given)), frozenset(self._folds), self._meant)

    def _assigned(self, node: ast.Assign) -> None:
        target, value = node.targets[0], node.value
        for name, part in pairs(target, value):
            if names_of(name) == ("_",):
                continue  # what nobody wants to name
            self._targets[self._at(part)] = names_of(name)
            if isinstance(part, ast.Call) and ast.unparse(part.func).rpartition(".")[2] in FOLDS:
                self._folds.add(self._at(part))
            if isinstance(name, ast.Tuple | ast.List):
                self._targets[self._at(name)] = names_of(name)
        if isinstance(target, ast.Subscript) and len(node.targets) == 1:
            self._meant[self._at(target)] = self._between(target, value)

    def _loops(self, node: ast.expr | ast.stmt, target: ast.expr, over: ast.expr) -> None:
        self._looped |= set(names_of(target))
        self._meant[self._at(node)] = self._between(target, over)
        if isinstance(over, ast.Name):  # which Python from 3.12 on says is evaluated
            self._meant[self._at(over)] = self._between(target, over)

    def _called_later(self, call: ast.Call, method: ast.Attribute) -> None:
        """A method on a later line than what it is called of: Python tells where its name begins."""
        _, _, line, until = self._at(method)
        _, _, end_line, end_column = self._at(call)
        self._meant[line, until - len(method.attr), end_line, end_column] = self._between(call, call)

    def _at(self, node: ast.expr | ast.stmt) -> Position:
        return position(node, self._lines)

    def _between(self, first: ast.expr, last: ast.expr) -> Span:
        """Where two expressions and what is between them stand, as a recording says it."""
        (line, column, _, _), (_, _, end_line, end_column) = self._at(first), self._at(last)
        return Span(line=line, column=column, end_line=end_line, end_column=end_column)

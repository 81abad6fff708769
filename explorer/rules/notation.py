"""Expressions as LaTeX that KaTeX can set, with the program's own names and the numbers that a node kept."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from explorer.model.text import number_text
from explorer.rules.evaluation import Evaluation
from explorer.rules.functions import FUNCTIONS

LOOSE, SUM, MINUS, TERM, PRODUCT, MATRIX_PRODUCT, POWER, ATOM = range(8)
"""How firmly a piece of LaTeX holds together; what is held less firmly than its surroundings gets parentheses."""

OPERATORS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("=", r"\neq"),
    ast.NotEq: (r"\neq", "="),
    ast.Lt: ("<", r"\geq"),
    ast.LtE: (r"\leq", ">"),
    ast.Gt: (">", r"\leq"),
    ast.GtE: (r"\geq", "<"),
}
"""Each comparison and its opposite."""

IN_TEXT = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "$": r"\textdollar{}",
    **{letter: f"\\{letter}" for letter in "{}#%&_"},
}

FIRM = re.compile(r"[\w.]+(\[.*\]|\(.*\))?")
"""Code that stands for one thing: a name, an element, a call."""


class Piece(NamedTuple):
    """A piece of LaTeX.

    Args:
        latex: It.
        firmness: From `LOOSE` to `ATOM`.
    """

    latex: str
    firmness: int = ATOM

    def at_least(self, firmness: int) -> str:
        """Its LaTeX, in parentheses where it holds together less firmly."""
        return self.latex if self.firmness >= firmness else rf"\left({self.latex}\right)"


def code_name(name: str) -> Piece:
    """A name or a sub-expression of the program, as it stands there."""
    return Piece(rf"\texttt{{{escaped(name)}}}", ATOM if FIRM.fullmatch(name) else SUM)


def argument_name(name: str) -> Piece:
    """torch's name of an argument."""
    return Piece(rf"\text{{{escaped(name)}}}")


def escaped(text: str) -> str:
    """Any text, so that LaTeX shows it and does not obey it."""
    return "".join(IN_TEXT.get(letter, letter) for letter in text if letter.isprintable())


def number(value: float | complex) -> Piece:
    """A number as torch prints it, without the full stop after whole ones."""
    if isinstance(value, bool):
        return argument_name(str(value))
    if isinstance(value, complex):
        sign = "-" if math.copysign(1, value.imag) < 0 else "+"
        return Piece(rf"{number(value.real).latex} {sign} {number(abs(value.imag)).latex}\, i", SUM)
    if math.isinf(value):
        return Piece(r"\infty") if value > 0 else Piece(r"-\infty", MINUS)
    if math.isnan(value):
        return Piece(r"\text{nan}")
    digits = str(value) if isinstance(value, int) else number_text(value).removesuffix(".")
    mantissa, power, exponent = digits.partition("e")
    if not power:
        return Piece(digits, MINUS if value < 0 else ATOM)
    return Piece(rf"{mantissa} \cdot 10^{{{int(exponent)}}}", MINUS if value < 0 else PRODUCT)


WELL_KNOWN = {
    "pi": Piece(r"\pi"),
    "inf": Piece(r"\infty"),
    "i": Piece("i"),
    "xhat": Piece(r"\hat{x}"),
    "gw": Piece("g_{w}"),
}
"""Names of the rules' own that have a symbol."""


class Notation:
    """Writes the parts of an expression that has been evaluated.

    Args:
        evaluation: What each part came to: it decides which branch of a condition is written.
        symbols: What to write for a name.
    """

    def __init__(self, evaluation: Evaluation, symbols: Mapping[str, Piece]) -> None:
        self.evaluation = evaluation
        self.values = evaluation.values
        self.definitions: dict[str, Piece] = {}
        self.symbols = symbols

    def of(self, tree: ast.expr) -> Piece:
        """The LaTeX of a tree."""
        if isinstance(tree, ast.BinOp | ast.UnaryOp) and self._is_plain(tree):
            return number(self.values[tree].item())
        match tree:
            case ast.Constant(value=bool() | None | str() as word):
                return argument_name(str(word))
            case ast.Constant(value=int() | float() as constant):
                return number(constant)
            case ast.Name(id=name):
                return self._name(tree, name)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(op, left, right)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return negative(self.of(operand))
            case ast.UnaryOp(operand=operand):
                return Piece(rf"\neg {self.of(operand).at_least(ATOM)}", POWER)
            case ast.Compare():
                return self._comparison(tree, opposite=False)
            case ast.BoolOp(op=op, values=parts):
                sign = r" \land " if isinstance(op, ast.And) else r" \lor "
                return Piece(sign.join(self.of(part).at_least(SUM) for part in parts), LOOSE)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.of(body if self.values[test] else orelse)
            case ast.Tuple(elts=parts):
                return Piece(f"({', '.join(self.of(part).latex for part in parts)})")
            case ast.Subscript(value=of, slice=index):
                return Piece(f"{self.of(of).at_least(ATOM)}_{{{self.of(index).latex}}}")
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._call(name, args)
        raise TypeError(tree)

    def _is_plain(self, tree: ast.expr) -> bool:
        """Whether a piece of arithmetic has no tensor in it, so that its outcome says all."""
        names = [part for part in ast.walk(tree) if isinstance(part, ast.Name | ast.Call)]
        return isinstance(self.values.get(tree), np.generic) and not any(
            isinstance(part, ast.Call) or isinstance(self.values.get(part), np.ndarray | None) for part in names
        )

    def _name(self, tree: ast.expr, name: str) -> Piece:
        if name in self.evaluation.definitions:
            return self._defined(name)
        if name in self.symbols:
            return self.symbols[name]
        if name in WELL_KNOWN:
            return WELL_KNOWN[name]
        match self.values.get(tree):
            case bool() | str() | None as word:
                return argument_name(str(word))
            case int() | float() | complex() as plain:
                return number(plain)
            case tuple() as plain:
                return Piece(str(plain))
            case list() as several:
                return Piece(", ".join(self._listed(name, index) for index in range(len(several))))
        return argument_name(name)

    def _defined(self, name: str) -> Piece:
        """The symbol of a name that the rule defines; what it stands for where that is no longer than a symbol."""
        if name not in self.definitions:
            self.definitions[name] = self.of(self.evaluation.definitions[name])
        meaning = self.definitions[name]
        return meaning if meaning.firmness == ATOM else WELL_KNOWN.get(name, Piece(rf"\mathit{{{name}}}"))

    def equations(self) -> tuple[str, ...]:
        """What the defined names that were written stand for."""
        return tuple(
            f"{self._defined(name).latex} = {meaning.latex}"
            for name, meaning in reversed(self.definitions.items())
            if meaning.firmness != ATOM
        )

    def _listed(self, name: str, index: int) -> str:
        found = self.symbols.get("g" + str(index) if name == "gs" else f"{name}[{index}]")
        return found.latex if found else argument_name(f"{name}[{index}]").latex

    def _binary(self, op: ast.operator, left: ast.expr, right: ast.expr) -> Piece:
        values = self.values[left], self.values[right]
        if values[0] is None or values[1] is None:
            return self._one_side(op, left, right)
        first, second = self.of(left), self.of(right)
        match op:
            case ast.Add() | ast.Sub():
                sign = "+" if isinstance(op, ast.Add) else "-"
                return Piece(f"{first.at_least(SUM)} {sign} {second.at_least(TERM)}", SUM)
            case ast.Mult():
                return product(first, second, r"\odot" if all(np.size(value) > 1 for value in values) else r"\cdot")
            case ast.Div():
                return quotient(first, second)
            case ast.FloorDiv():
                return Piece(rf"\left\lfloor \frac{{{first.latex}}}{{{second.latex}}} \right\rfloor")
            case ast.Pow():
                return power(first, second)
            case ast.MatMult():
                transposed = r"^{\top}" if all(np.ndim(value) == 1 for value in values) else ""
                left_side = first.at_least(ATOM if transposed else MATRIX_PRODUCT)
                return Piece(rf"{left_side}{transposed}\, {second.at_least(MATRIX_PRODUCT)}", MATRIX_PRODUCT)
        return Piece(rf"{first.at_least(ATOM)} \bmod {second.at_least(ATOM)}", PRODUCT)

    def _one_side(self, op: ast.operator, left: ast.expr, right: ast.expr) -> Piece:
        """A sum of which one side is undefined."""
        if self.values[right] is None:
            return self.of(left)
        return negative(self.of(right)) if isinstance(op, ast.Sub) else self.of(right)

    def _comparison(self, tree: ast.expr, *, opposite: bool) -> Piece:
        if opposite and not (isinstance(tree, ast.Compare) and len(tree.ops) == 1):
            return Piece(rf"\neg {self.of(tree).at_least(ATOM)}", POWER)
        if not isinstance(tree, ast.Compare):
            return self.of(tree)
        written = self.of(tree.left).at_least(SUM)
        for op, right in zip(tree.ops, tree.comparators, strict=True):
            written += f" {OPERATORS[type(op)][opposite]} {self.of(right).at_least(SUM)}"
        return Piece(written, LOOSE)

    def _call(self, name: str, args: list[ast.expr]) -> Piece:
        if name == "where":
            return self._cases(*args)
        values = [self.values[arg] for arg in args]
        pieces = [self.of(arg) for arg in args]
        match FUNCTIONS[name].notation:
            case None:
                return pieces[0]
            case str() as template:
                return filled(template, pieces, TERM if FUNCTIONS[name].loose else POWER)
            case write:
                return filled(write(*values), pieces, TERM if FUNCTIONS[name].loose else POWER)

    def _cases(self, condition: ast.expr, chosen: ast.expr, other: ast.expr) -> Piece:
        holds, fails = self._comparison(condition, opposite=False), self._comparison(condition, opposite=True)
        rows = rf"{self.of(chosen).latex} & {holds.latex} \\ {self.of(other).latex} & {fails.latex}"
        return Piece(rf"\begin{{cases}} {rows} \end{{cases}}", MATRIX_PRODUCT)


def filled(template: str, pieces: list[Piece], firmness: int) -> Piece:
    """A notation with its arguments put in; one that is nothing but an argument keeps that argument's firmness."""
    if re.fullmatch(r"#\d", template):
        return pieces[int(template[1]) - 1]

    def argument(match: re.Match[str]) -> str:
        piece = pieces[int(match[2]) - 1]
        return piece.at_least({"#": LOOSE, "~": POWER, "!": ATOM}[match[1]])

    return Piece(re.sub(r"([#~!])(\d)", argument, template), firmness)


def negative(piece: Piece) -> Piece:
    """With a minus sign."""
    if piece.firmness == MINUS and piece.latex.startswith("-"):
        return Piece(piece.latex[1:], PRODUCT)
    return Piece(f"-{piece.at_least(TERM)}", MINUS)


def product(left: Piece, right: Piece, sign: str) -> Piece:
    """A product; a factor of 1 is not written."""
    for factor, other in ((left, right), (right, left)):
        if factor.latex == "1":
            return other
        if factor.latex == "-1":
            return negative(other)
    if left.firmness == MINUS and left.latex.startswith("-"):
        return negative(product(Piece(left.latex[1:], PRODUCT), right, sign))
    return Piece(f"{left.at_least(PRODUCT)} {sign} {right.at_least(PRODUCT)}", PRODUCT)


def quotient(left: Piece, right: Piece) -> Piece:
    """A fraction; a denominator of 1 is not written."""
    if right.latex == "1":
        return left
    if left.firmness == MINUS and left.latex.startswith("-"):
        return negative(quotient(Piece(left.latex[1:], PRODUCT), right))
    return Piece(rf"\frac{{{left.latex}}}{{{right.latex}}}", POWER)


def power(base: Piece, exponent: Piece) -> Piece:
    """A power; an exponent of 1 is not written."""
    return base if exponent.latex == "1" else Piece(f"{base.at_least(ATOM)}^{{{exponent.latex}}}", POWER)

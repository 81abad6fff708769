"""Complex numbers as Python and torch write them: `1+2j`, `1.+2.j`. Among values they are texts, as in a recording."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Callable

from explorer.errors import ProgramInvalid
from explorer.model import Number
from explorer.model.syntax import parsed_expression
from explorer.program.numerals import read_number


def is_complex(number: Number) -> bool:
    """Whether it is the text of a complex number, rather than a real one."""
    return isinstance(number, str) and number.endswith("j")


def complex_of(number: Number) -> complex:
    """The number that a text stands for; a real one as it is, with no imaginary part.

    Raises:
        ProgramInvalid: It is no number.
    """
    try:
        return complex(number)
    except (ValueError, OverflowError) as error:
        raise ProgramInvalid("program.not_a_complex_number", value=str(number)[:40]) from error


def complex_text(number: complex) -> Number:
    """The number as values have it: 3 is "3+0j"."""
    return str(complex(number)).strip("()")


def read_complex(node: ast.expr) -> Number | None:
    """The complex number an expression writes: `1 + 2j`, `-1j`, `complex("nan+0j")`; None if it is anything else."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            first, second = _part(left), _part(right)
            if first is None or second is None or not isinstance(first + second, complex):
                return None
            return complex_text(first - second if isinstance(op, ast.Sub) else first + second)
        case ast.Call(func=ast.Name(id="complex"), args=[ast.Constant(value=str() as spelled)], keywords=[]):
            return _parsed(spelled)
        case ast.Call(func=ast.Name(id="complex"), args=[real, imaginary], keywords=[]):
            x, y = read_number(real), read_number(imaginary)
            return None if x is None or y is None else complex_text(complex(x, y))
    number = _imaginary(node)
    return None if number is None else complex_text(number)


def write_complex(number: Number) -> str:
    """The number so that Python reads it again, the signs of its zeros included.

    Raises:
        ProgramInvalid: It is no number.
    """
    return _written(number, _read)


def typed(number: Number) -> str:
    """What a user types for the number, with as many digits as a field has room for."""
    return _written(f"{complex_of(number):.12g}", _read_or_parsed)


def read_typed(text: str) -> Number:
    """The complex number that a user typed: what Python reads, or what torch prints (`nan+infj`).

    Raises:
        ProgramInvalid: It is no number.
    """
    number = _read_or_parsed(unicodedata.normalize("NFKC", text).strip())
    if number is None:
        raise ProgramInvalid("program.not_a_complex_number", value=text[:40])
    return complex_text(complex_of(number))


def _read_or_parsed(text: str) -> Number | None:
    number = _read(text)
    return _parsed(text) if number is None else number


def _read(text: str) -> Number | None:
    try:
        node = parsed_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    number = read_number(node)
    return read_complex(node) if number is None else number


def _written(number: Number, read: Callable[[str], Number | None]) -> str:
    """The plainest text from which the number is read: in sums, Python loses the signs of zeros."""
    text = str(complex_text(complex_of(number)))
    return next((one for one in (text, f"0{text}", text.removeprefix("-0")) if read(one) == text), f'complex("{text}")')


def _part(node: ast.expr) -> complex | None:
    number = read_number(node)
    return _imaginary(node) if number is None else number


def _imaginary(node: ast.expr) -> complex | None:
    match node:
        case ast.Constant(value=complex() as number):
            return number
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=ast.Constant(value=complex() as number)):
            return -number if isinstance(op, ast.USub) else number
    return None


def _parsed(text: str) -> Number | None:
    try:
        return complex_text(complex(text))
    except ValueError:
        return None

"""What the calls that make tensors say about them, read without running anything."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence

from explorer.model import Number
from explorer.model.values import Frozen
from explorer.program.complex_numerals import complex_of, complex_text, is_complex
from explorer.program.nested import read_element, read_nested
from explorer.program.numerals import float32_of, read_number

DTYPES = {
    **{name: name for name in ("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "bool")},
    **{name: name for name in ("uint8", "int8", "int16", "int32", "int64")},
    **{"half": "float16", "float": "float32", "double": "float64", "short": "int16", "int": "int32", "long": "int64"},
    **{"cfloat": "complex64", "cdouble": "complex128"},
}
"""torch's names for types of elements, aliases with what they stand for."""

BUILTINS = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
"""What torch takes Python's own types for: not for its types of the same names."""

_CASTS = ("half", "float", "double", "short", "int", "long", "bool", "bfloat16", "cfloat", "cdouble")
CASTS = {name: DTYPES[name] for name in _CASTS}
"""Methods that give a tensor another type."""

KEPT_KEYWORDS = ("dtype", "requires_grad", "device", "pin_memory")
"""Keywords that `torch.tensor` takes as well."""

MAX_ELEMENTS = 4096
"""Larger constructors are not spelled out."""


class Made(Frozen, frozen=True, kw_only=True):
    """What a call makes.

    Args:
        values: Row-major elements; None where only running tells.
        shape: Sizes; None where only running tells.
        dtype: The type that follows from the arguments when no keyword says one; None where only running tells.
        sizes: The arguments that say the sizes, as indices of positional arguments or the name of a keyword.
    """

    values: tuple[Number, ...] | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    sizes: tuple[int, ...] | str = ()


def read_call(name: str, call: ast.Call) -> Made | None:
    """What `torch.<name>(…)` makes; None if that is no constructor, or its literal holds more than numbers."""
    return _READERS[name](name, call) if name in _READERS else None


def keyword(call: ast.Call, name: str) -> ast.keyword | None:
    """The call's keyword argument of that name."""
    return next((word for word in call.keywords if word.arg == name), None)


def dtype_named(node: ast.expr) -> str | None:
    """The type that `torch.float64`, or a bare `float64` or `float`, names."""
    if isinstance(node, ast.Attribute):
        return DTYPES.get(node.attr)
    return (DTYPES | BUILTINS).get(node.id) if isinstance(node, ast.Name) else None


def implied_dtype(values: Sequence[Number]) -> str:
    """The type torch chooses for numbers."""
    if any(map(is_complex, values)):
        return "complex64"
    if any(isinstance(value, float) for value in values) or not values:
        return "float32"
    return "bool" if all(isinstance(value, bool) for value in values) else "int64"


def as_dtype(values: Sequence[Number], dtype: str | None) -> tuple[Number, ...]:
    """Numbers as a tensor of that type holds them, as far as Python can tell; casts keep real parts."""
    if dtype is None:
        return tuple(values)
    if "complex" in dtype:
        return tuple(complex_text(complex_of(value)) for value in values)
    if dtype == "bool":
        return tuple(bool(complex_of(value)) for value in values)
    values = [complex_of(value).real if is_complex(value) else value for value in values]
    if "float" in dtype:
        return tuple(float(value) for value in values)
    if "int" in dtype:
        return tuple(int(value) if math.isfinite(float(value)) else value for value in values)
    return tuple(values)


def _tensor(name: str, call: ast.Call) -> Made | None:
    read = read_nested(call.args[0]) if len(call.args) == 1 else None
    if read is None:
        return None
    shape, values = read
    return Made(values=values, shape=shape, dtype=implied_dtype(values))


def _filled(name: str, call: ast.Call) -> Made:
    """ones, zeros, empty, rand, randn."""
    shape, sizes = _sizes(call, tuple(range(len(call.args))))
    element = {"ones": 1.0, "zeros": 0.0}.get(name)
    values = _repeated(element, shape)
    return Made(values=values, shape=shape, dtype="float32", sizes=sizes)


def _full(name: str, call: ast.Call) -> Made:
    shape, sizes = _sizes(call, (0,))
    fill = keyword(call, "fill_value")
    node = fill.value if fill else call.args[1] if len(call.args) > 1 else None
    element = read_element(node) if node else None
    dtype = None if element is None else implied_dtype((element,))
    return Made(values=_repeated(element, shape), shape=shape, dtype=dtype, sizes=sizes)


def _randint(name: str, call: ast.Call) -> Made:
    shape, sizes = _sizes(call, (len(call.args) - 1,))
    return Made(shape=shape, dtype="int64", sizes=sizes)


def _eye(name: str, call: ast.Call) -> Made:
    numbers = [read_number(argument) for argument in call.args]
    sizes = [number for number in numbers if isinstance(number, int) and number >= 0]
    if len(sizes) != len(numbers) or len(sizes) not in (1, 2) or keyword(call, "m") is not None:
        return Made(dtype="float32")
    rows, columns = sizes[0], sizes[-1]
    if rows * columns > MAX_ELEMENTS:
        return Made(shape=(rows, columns), dtype="float32")
    values = tuple(float(i == j) for i in range(rows) for j in range(columns))
    return Made(values=values, shape=(rows, columns), dtype="float32")


def _arange(name: str, call: ast.Call) -> Made:
    numbers = [read_number(argument) for argument in call.args]
    given = dict(zip(("end",) if len(numbers) == 1 else ("start", "end", "step"), numbers, strict=False))
    given |= {str(word.arg): read_number(word.value) for word in call.keywords if word.arg in ("start", "end", "step")}
    start, end, step = given.get("start", 0), given.get("end"), given.get("step", 1)
    if start is None or end is None or step is None:
        return Made()
    dtype = implied_dtype((int(start) if isinstance(start, bool) else start, end, step))
    count = (end - start) / step if step else math.nan
    if not 0 <= count <= MAX_ELEMENTS:
        return Made(dtype=dtype)
    values = tuple(start + i * step for i in range(math.ceil(count)))
    return Made(values=_as_held(values, call, dtype), shape=(len(values),), dtype=dtype)


def _linspace(name: str, call: ast.Call) -> Made:
    word = keyword(call, "steps")
    node = word.value if word else call.args[2] if len(call.args) > 2 else None
    sizes: tuple[int, ...] | str = "steps" if word else (2,) if node else ()
    ends = [read_number(argument) for argument in call.args[:2]]
    steps = read_number(node) if node else None
    if not isinstance(steps, int) or not 0 <= steps <= MAX_ELEMENTS or len(ends) < 2 or None in ends:
        return Made(dtype="float32", sizes=sizes)
    start, end = (float(number) for number in ends if number is not None)
    step = (end - start) / max(steps - 1, 1)  # torch rounds it first: its elements may differ in the last bit
    values = [start + i * step if i < steps // 2 else end - (steps - 1 - i) * step for i in range(steps)]
    values[:1] = [start] * min(steps, 1)
    return Made(values=_as_held(values, call, "float32"), shape=(steps,), dtype="float32", sizes=sizes)


_READERS: dict[str, Callable[[str, ast.Call], Made | None]] = {
    "tensor": _tensor,
    **dict.fromkeys(("ones", "zeros", "empty", "rand", "randn"), _filled),
    "full": _full,
    "randint": _randint,
    "eye": _eye,
    "arange": _arange,
    "linspace": _linspace,
}


def _sizes(call: ast.Call, positions: tuple[int, ...]) -> tuple[tuple[int, ...] | None, tuple[int, ...] | str]:
    """The sizes, and which arguments say them."""
    if (word := keyword(call, "size")) is not None:
        return read_sizes([word.value]), "size"
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None, positions
    return read_sizes([call.args[i] for i in positions if 0 <= i < len(call.args)]), positions


def read_sizes(nodes: Sequence[ast.expr], lowest: int = 0) -> tuple[int, ...] | None:
    """Sizes from `2, 3` or `(2, 3)`; None if they are anything but whole numbers from the lowest allowed."""
    if len(nodes) == 1 and isinstance(nodes[0], ast.Tuple | ast.List):
        nodes = nodes[0].elts
    numbers = [read_number(node) for node in nodes]
    sizes = tuple(number for number in numbers if isinstance(number, int) and number >= lowest)
    return sizes if len(sizes) == len(nodes) else None


def _repeated(element: Number | None, shape: tuple[int, ...] | None) -> tuple[Number, ...] | None:
    if element is None or shape is None or math.prod(shape) > MAX_ELEMENTS:
        return None
    return (element,) * math.prod(shape)


def _as_held(values: Sequence[float], call: ast.Call, implied: str) -> tuple[float, ...]:
    """Computed numbers as a tensor of the call's type holds them, with the fewest digits that say so."""
    word = keyword(call, "dtype")
    if (dtype_named(word.value) if word else implied) != "float32":
        return tuple(values)
    return tuple(float32_of(value) for value in values)

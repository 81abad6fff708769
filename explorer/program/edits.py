"""Edits of a program's inputs: each rewrites the expression that makes one input and nothing else."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

from explorer.errors import ProgramInvalid
from explorer.model import Number
from explorer.program.arguments import set_argument, set_keyword
from explorer.program.complex_numerals import is_complex
from explorer.program.constructors import DTYPES, KEPT_KEYWORDS, Made, keyword
from explorer.program.inputs import dtype_of, find_inputs
from explorer.program.nested import kind_of, read_element, resized, write_element, write_nested
from explorer.program.numerals import as_real
from explorer.program.places import Mark, Place, cast_dtype, find_places
from explorer.program.source import Source, read

_MAX_SIZES = 8


def with_values(text: str, name: str, values: Sequence[Number], shape: Sequence[int]) -> str:
    """The program with other numbers in an input.

    Args:
        text: Program text.
        name: The input.
        values: Row-major elements.
        shape: Sizes; () for one number.

    Raises:
        ProgramInvalid: No such input, unreadable text, or as many values as the shape does not hold.
    """
    source, place = _found(text, name)
    if len(values) != math.prod(_checked(shape)):
        raise ProgramInvalid("program.values_do_not_fit", count=len(values), shape=str(tuple(shape)))
    if place.number is not None:
        return _with_number(source, place, values, shape)
    return _with_base(source, place, _tensor_call(source, place, values, shape))


def with_shape(text: str, name: str, shape: Sequence[int], current_values: Sequence[Number] | None = None) -> str:
    """The program with another size of an input.

    Elements keep their place and new places count on; `torch.ones`, `torch.randn` and their like get other sizes.

    Args:
        text: Program text.
        name: The input.
        shape: New sizes.
        current_values: The elements as they are now, where only running tells; else those in the text.

    Raises:
        ProgramInvalid: No such input, unreadable text, a plain number, or sizes below 0.
    """
    source, place = _found(text, name)
    shape = _checked(shape)
    made = _made(place)
    if (base := _resized_constructor(source, place, made, shape)) is not None:
        return _with_base(source, place, _with_casts(source, place, base))
    found = next(found for found in find_inputs(text) if found.name == name)
    values = found.values if current_values is None else current_values
    old = found.shape
    if values is None or old is None or len(values) != math.prod(old):
        old = (len(values),) if values else ()
        values = values or (0.0,)
    return with_values(text, name, resized(values, old, shape), shape)


def with_dtype(text: str, name: str, dtype: str) -> str:
    """The program with another type of an input's elements ("float64", without `torch.`).

    Raises:
        ProgramInvalid: No such input, no such type, a plain number, or unreadable text.
    """
    source, place = _found(text, name)
    _made(place)
    if dtype not in DTYPES.values():
        raise ProgramInvalid("program.unknown_dtype", dtype=dtype)
    if dtype_of(source, place) == dtype:
        return text
    assert place.call is not None
    if casts := _casts(place):
        method = casts[-1].func
        assert isinstance(method, ast.Attribute)
        start = source.end(method) - len(method.attr)
        return source.replaced([(start, source.end(casts[-1]), f"to(torch.{dtype})")])
    return source.replaced([set_keyword(source, place.call, "dtype", f"torch.{dtype}")])


def with_requires_grad(text: str, name: str, requires_grad: bool) -> str:
    """The program with an input marked, or no longer marked.

    Raises:
        ProgramInvalid: No such input, a plain number, or unreadable text.
    """
    source, place = _found(text, name)
    _made(place)
    assert place.call is not None
    is_on = bool(place.marks) and place.marks[-1].is_on
    if is_on == requires_grad:
        return text
    if place.marks:
        return source.replaced([_flipped(source, place.marks[-1], requires_grad)])
    if place.links:  # a keyword in the chain's first call would mark a tensor that is not the input
        end = source.end(place.expression)
        return source.replaced([(end, end, ".requires_grad_(True)")])
    return source.replaced([set_keyword(source, place.call, "requires_grad", "True")])


def _found(text: str, name: str) -> tuple[Source, Place]:
    source = read(text)
    place = next((place for place in find_places(source) if place.name == name), None)
    if place is None:
        raise ProgramInvalid("program.unknown_input", name=name)
    return source, place


def _made(place: Place) -> Made:
    if place.made is None:
        raise ProgramInvalid("program.plain_number", name=place.name)
    return place.made


def _checked(shape: Sequence[int]) -> tuple[int, ...]:
    if len(shape) > _MAX_SIZES or any(size < 0 for size in shape):
        raise ProgramInvalid("program.bad_shape", shape=str(tuple(shape)))
    return tuple(shape)


def _with_number(source: Source, place: Place, values: Sequence[Number], shape: Sequence[int]) -> str:
    assert place.number is not None
    if shape:
        raise ProgramInvalid("program.plain_number", name=place.name)
    written = write_element(values[0], _number_kind(place.number, values[0]))
    return source.replaced([(source.start(place.number), source.end(place.number), written)])


def _number_kind(old: ast.expr, new: Number) -> str:
    number = read_element(old)
    if number is not None and is_complex(number):
        return "complex"
    return "int" if isinstance(number, int) and as_real(new) % 1 == 0 else "float"


def _with_base(source: Source, place: Place, base: str) -> str:
    """Another call in place of the constructor and the methods that shape it."""
    return source.replaced([(source.start(place.expression), source.end(place.expression), base)])


def _casts(place: Place) -> list[ast.Call]:
    return [link for link in place.links if cast_dtype(link) is not None]


def _with_casts(source: Source, place: Place, base: str) -> str:
    """A constructor with the casts that the old one had; changes of shape have been seen to."""
    methods = [(link.func, link) for link in _casts(place)]
    return base + "".join(
        f".{method.attr}{source.text[source.end(method) : source.end(link)]}"
        for method, link in methods
        if isinstance(method, ast.Attribute)
    )


def _tensor_call(source: Source, place: Place, values: Sequence[Number], shape: Sequence[int]) -> str:
    """The input as a literal, of the type that it has with its casts: through a cast, 0.1 would lose digits."""
    assert place.call is not None
    dtype, implied = dtype_of(source, place), _made(place).dtype if values else "float32"
    words = {str(word.arg): source.segment(word.value) for word in place.call.keywords if word.arg in KEPT_KEYWORDS}
    if dtype is not None and ("dtype" in words or dtype != implied):
        is_said = not _casts(place) and "dtype" in words
        words["dtype"] = words["dtype"] if is_said else f"torch.{dtype}"
    written = [f"{name}={value}" for name, value in words.items()]
    prefix = source.segment(place.call.func).removesuffix(place.constructor)
    if not values:
        return f"{prefix}zeros({', '.join([repr(tuple(shape)), *written])})"
    return f"{prefix}tensor({', '.join([write_nested(values, shape, _kind(dtype, values)), *written])})"


def _kind(dtype: str | None, values: Sequence[Number]) -> str:
    if dtype is None:
        return kind_of(values)
    return next((kind for kind in ("complex", "bool", "int") if kind in dtype), "float")


def _resized_constructor(source: Source, place: Place, made: Made, shape: tuple[int, ...]) -> str | None:
    """The constructor's call with other sizes, where it has arguments that say them."""
    call = place.call
    assert call is not None
    if place.constructor == "arange":
        return _resized_arange(source, call, shape)
    if made.sizes == () and place.constructor in ("ones", "zeros", "empty", "rand", "randn") and not call.args:
        return None
    if made.sizes == () or (place.constructor == "linspace" and len(shape) != 1):
        return None
    if isinstance(made.sizes, str):
        word = keyword(call, made.sizes)
        assert word is not None
        old: list[ast.expr] = [word.value]
    else:
        old = [call.args[i] for i in made.sizes if 0 <= i < len(call.args)]
    if not old:
        return None
    new = str(shape[0]) if place.constructor == "linspace" else _written_sizes(shape, old, made.sizes)
    start = source.start(call)
    change = (source.start(old[0]) - start, source.end(old[-1]) - start)
    segment = source.segment(call)
    return segment[: change[0]] + new + segment[change[1] :]


def _written_sizes(shape: tuple[int, ...], old: Sequence[ast.expr], sizes: tuple[int, ...] | str) -> str:
    """`2, 3` where the sizes stood as arguments of their own, `(2, 3)` where they stood in a tuple or must."""
    bare = shape and sizes != "size" and (len(old) > 1 or isinstance(old[0], ast.Constant)) and sizes[:1] == (0,)
    return ", ".join(map(str, shape)) if bare else repr(shape)


def _resized_arange(source: Source, call: ast.Call, shape: tuple[int, ...]) -> str | None:
    """`torch.arange(3.0)` for another number of elements; None for every other way to call it."""
    match call.args:
        case [ast.Constant(value=(int() | float()) as end)] if len(shape) == 1 and not keyword(call, "start"):
            if keyword(call, "step") is not None or isinstance(end, bool):
                return None
            start, segment = source.start(call), source.segment(call)
            number = call.args[0]
            new = repr(type(end)(shape[0]))
            return segment[: source.start(number) - start] + new + segment[source.end(number) - start :]
    return None


def _flipped(source: Source, mark: Mark, requires_grad: bool) -> tuple[int, int, str]:
    if mark.flag is not None:
        return source.start(mark.flag), source.end(mark.flag), str(requires_grad)
    assert mark.call is not None
    if mark.call.args:  # torch.nn.Parameter(tensor)
        return set_argument(source, mark.call, "requires_grad", 1, str(requires_grad))
    end = source.end(mark.call) - 1
    return end, end, str(requires_grad)

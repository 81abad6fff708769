"""Where a program's inputs stand in its syntax tree, and what marks them with requires_grad."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from explorer.program.constructors import CASTS, Made, dtype_named, keyword, read_call, read_sizes
from explorer.program.nested import read_element
from explorer.program.source import Source


@dataclass(frozen=True)
class Mark:
    """A place that decides about requires_grad.

    Args:
        flag: The expression that says so; None where a call says it by having no argument.
        call: The call of `requires_grad_()`.
    """

    flag: ast.expr | None
    call: ast.Call | None = None

    @property
    def is_on(self) -> bool:
        """Whether it marks; an expression that only running can evaluate counts as yes."""
        return not isinstance(self.flag, ast.Constant) or bool(self.flag.value)


@dataclass(frozen=True)
class Place:
    """Where an input stands in the syntax tree.

    Args:
        name: The variable.
        number: The expression, if it is a plain number.
        call: The constructor's call, if it is a tensor.
        constructor: Its name.
        made: What the call makes.
        links: Calls of methods on it that change shape or type, the first one first.
        wrapper: The `torch.nn.Parameter(…)` around it.
        marks: What decides about requires_grad, in the order it runs.
    """

    name: str
    number: ast.expr | None = None
    call: ast.Call | None = None
    constructor: str = ""
    made: Made | None = None
    links: tuple[ast.Call, ...] = ()
    wrapper: ast.Call | None = None
    marks: tuple[Mark, ...] = ()

    @property
    def expression(self) -> ast.expr:
        """The number, or the call with the methods that shape it."""
        expression = self.links[-1] if self.links else self.call or self.number
        assert expression is not None
        return expression


def find_places(source: Source) -> tuple[Place, ...]:
    """Where the inputs stand."""
    places: dict[str, Place] = {}
    imported = _imported_from_torch(source.tree)
    for name, value in _assignments(source.tree):
        place = None if name in places else _place(name, value)
        if place is not None and not (
            place.call and isinstance(place.call.func, ast.Name) and place.constructor not in imported
        ):
            places[name] = place
    for name, mark in _later_marks(source.tree):
        if name in places and places[name].call is not None:
            places[name] = replace(places[name], marks=(*places[name].marks, mark))
    return tuple(places.values())


def _imported_from_torch(tree: ast.Module) -> set[str]:
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "torch"]
    return {alias.name for node in imports for alias in node.names if alias.asname is None}


def read_mark(statement: ast.stmt) -> tuple[str, Mark] | None:
    """The name and mark of `x.requires_grad_(…)`, `z = x.requires_grad_(…)` or `x.requires_grad = …`."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr="requires_grad")], value=flag):
            return name, Mark(flag)
        case ast.Expr(value=value) | ast.Assign(value=value):
            match value:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="requires_grad_")):
                    return name, _method_mark(value)
    return None


def starts_backward(node: ast.AST) -> bool:
    """Whether a backward pass is started anywhere inside."""
    return any(
        isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("backward", "grad")
        for call in ast.walk(node)
    )


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                for target, value in zip(names, values, strict=True):
                    if isinstance(target, ast.Name):
                        yield target.id, value


def _place(name: str, value: ast.expr) -> Place | None:
    number = read_element(value)
    if number is not None:
        return None if isinstance(number, bool) else Place(name, number=value)
    marks: list[Mark] = []
    while isinstance(value, ast.Call) and _method(value) == "requires_grad_":
        marks.insert(0, _method_mark(value))
        value = value.func.value  # type: ignore[attr-defined]
    wrapper = None
    if isinstance(value, ast.Call) and _torch_name(value.func) in (
        "nn.Parameter",
        "nn.parameter.Parameter",
        "Parameter",
    ):
        wrapper, marks = value, [*_wrapper_marks(value), *marks]
        value = value.args[0] if value.args else value
    links: list[ast.Call] = []
    while isinstance(value, ast.Call) and _method(value) in ("reshape", "view", "to", *CASTS):
        links.insert(0, value)
        value = value.func.value  # type: ignore[attr-defined]
    if not isinstance(value, ast.Call) or (constructor := _torch_name(value.func)) is None:
        return None
    made = read_call(constructor, value)
    if made is None or not all(_link_is_plain(link) for link in links):
        return None
    if wrapper is None and (word := keyword(value, "requires_grad")) is not None:
        if links:  # the chain's end is no leaf
            return None
        marks.insert(0, Mark(word.value))
    return Place(name, None, value, constructor, made, tuple(links), wrapper, tuple(marks))


def _torch_name(func: ast.expr) -> str | None:
    """What comes after `torch.`, or a bare name that was imported from it."""
    match func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="torch"), attr=name):
            return name
        case ast.Attribute(value=ast.Name(id="nn"), attr=name):
            return f"nn.{name}"
        case ast.Attribute(value=ast.Attribute() as inner, attr=name):
            outer = _torch_name(inner)
            return None if outer is None else f"{outer}.{name}"
    return None


def _method(call: ast.Call) -> str | None:
    """The name of the method called, unless it is a function of torch's."""
    if isinstance(call.func, ast.Attribute) and not isinstance(call.func.value, ast.Name):
        return call.func.attr
    return None


def _method_mark(call: ast.Call) -> Mark:
    return Mark(call.args[0] if call.args else call.keywords[0].value if call.keywords else None, call)


def _wrapper_marks(wrapper: ast.Call) -> Iterator[Mark]:
    word = keyword(wrapper, "requires_grad")
    yield Mark(word.value if word else wrapper.args[1] if len(wrapper.args) > 1 else None, wrapper)


def _link_is_plain(link: ast.Call) -> bool:
    match _method(link):
        case "reshape" | "view":
            return not link.keywords and read_sizes(link.args, lowest=-1) is not None
        case "to":
            return cast_dtype(link) is not None
    return not link.args and not link.keywords


def cast_dtype(link: ast.Call) -> str | None:
    """The type a link gives the tensor; None if it changes the shape."""
    name = _method(link)
    if name == "to":
        return dtype_named(link.args[0]) if len(link.args) == 1 and not link.keywords else None
    return CASTS.get(name or "")


def _later_marks(tree: ast.Module) -> list[tuple[str, Mark]]:
    marks = []
    for statement in tree.body:
        if starts_backward(statement):
            break
        if (found := read_mark(statement)) is not None:
            marks.append(found)
    return marks

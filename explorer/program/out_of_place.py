"""`y.add_(1)` in, `y = y.add(1)` out: statements that change a tensor in place, made to compute a new one."""

from __future__ import annotations

import ast

from explorer.errors import ProgramInvalid
from explorer.program.source import Source
from explorer.program.statements import before, statement_at

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
}
WITHOUT_TWIN = {"requires_grad_", "retain_grad_", "set_", "resize_", "normal_", "uniform_", "bernoulli_", "random_"}
WITHOUT_TWIN |= {"exponential_", "geometric_", "cauchy_", "log_normal_", "share_memory_", "apply_", "map_"}
"""Methods that only work in place."""

VIEWS = {"T", "mT", "H", "mH", "real", "imag"}
"""Attributes that are views of their tensor."""

_ATOMS = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript)


def has_in_place(source: Source, line: int) -> bool:
    """Whether the statement at a line changes something in place that could be computed anew."""
    try:
        return out_of_place(source, statement_at(source, line)) != source.text
    except ProgramInvalid:
        return False


def out_of_place(source: Source, statement: ast.stmt) -> str:
    """The text with the statement computing a new tensor, under the same name.

    Raises:
        ProgramInvalid: It changes nothing in place, or there is no other way to write it.
    """
    match statement:
        case ast.AugAssign(target=ast.Name() | ast.Attribute() as target, op=op, value=value) if type(op) in OPERATORS:
            name = source.segment(target)
            new = f"{name} = {name} {OPERATORS[type(op)]} {_operand(source, value)}"
            return source.replaced([(source.start(statement), source.end(statement), new)])
        case ast.AugAssign(target=ast.Subscript() as target) | ast.Assign(targets=[ast.Subscript() as target]):
            name = _owner(target)
            return before(source, statement, f"{name} = {name}.clone()")
        case ast.Expr(value=ast.Call() as call):
            return _call(source, statement, call, None)
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
            return _call(source, statement, call, name)
    raise _refused(statement)


def _call(source: Source, statement: ast.stmt, call: ast.Call, assigned: str | None) -> str:
    """A call of `y.add_(…)`, `torch.relu_(y)` or `relu(y, inplace=True)`; what it returns may be assigned."""
    for word in call.keywords:
        if word.arg == "inplace" and isinstance(word.value, ast.Constant) and word.value.value is True:
            changes = [(source.start(word.value), source.end(word.value), "False")]
            name = _owner(call.args[0]) if call.args else ""
            return source.replaced([*changes, *_assignment(source, statement, call, name, assigned)])
    match call.func:
        case ast.Attribute(value=ast.Name(id="torch"), attr=method) if is_in_place(method) and call.args:
            name = _owner(call.args[0])
            changes = [_renamed(source, call.func, method.removesuffix("_"))]
        case ast.Attribute(value=owner, attr=method) if is_in_place(method) and _is_view(owner):
            return before(source, statement, f"{_owner(owner)} = {_owner(owner)}.clone()")
        case ast.Attribute(value=owner, attr=method) if is_in_place(method):
            name = _owner(owner)
            changes = _twin(source, call, method, name)
            if source.segment(owner) != name:  # y.data.mul_(2): the data of y, not y
                changes.append((source.start(owner), source.end(owner), name))
        case _:
            raise _refused(statement)
    return source.replaced([*changes, *_assignment(source, statement, call, name, assigned)])


def _twin(source: Source, call: ast.Call, method: str, name: str) -> list[tuple[int, int, str]]:
    """The change from a method that works in place to one that does not."""
    assert isinstance(call.func, ast.Attribute)
    given = [*call.args, *(word.value for word in call.keywords)]
    match method, given:
        case "zero_", []:
            twin = f"{name}.new_zeros({name}.shape)"
        case "fill_", [value]:
            twin = f"{name}.new_full({name}.shape, {source.segment(value)})"
        case "copy_", [value]:
            twin = f"{_operand(source, value)}.clone()"
        case (("zero_" | "fill_" | "copy_"), _):
            raise _refused(call)
        case _:
            return [_renamed(source, call.func, method.removesuffix("_"))]
    return [(source.start(call), source.end(call), twin)]


def _renamed(source: Source, func: ast.Attribute, name: str) -> tuple[int, int, str]:
    return source.end(func) - len(func.attr), source.end(func), name


def _assignment(
    source: Source, statement: ast.stmt, call: ast.Call, name: str, assigned: str | None
) -> list[tuple[int, int, str]]:
    """`name = ` before the call, unless the result is given that name already."""
    if assigned == name:
        return []
    start = source.start(call)
    if assigned is None and start != source.start(statement):
        raise _refused(statement)
    if assigned is not None and not source.text[:start].rstrip().endswith("="):
        raise _refused(statement)  # brackets around the call: an assignment cannot stand in them
    return [(start, start, f"{name} = ")]


def _operand(source: Source, value: ast.expr) -> str:
    segment = source.segment(value)
    return segment if isinstance(value, _ATOMS) and "\n" not in segment else f"({segment})"


def _owner(node: ast.expr) -> str:
    """The variable that a change goes to: `y` of `y`, `y[0]`, `y.T`, `y.data`; `x.grad` of `x.grad`."""
    while _is_view(node) or (isinstance(node, ast.Attribute) and node.attr == "data"):
        node = node.value  # type: ignore[attr-defined]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
        return f"{_owner(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    raise _refused(node)


def _is_view(node: ast.expr) -> bool:
    """Whether it is a part or a view of a tensor, to which nothing can be assigned in its stead: `y[0]`, `y.T`."""
    return isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr in VIEWS)


def is_in_place(method: str) -> bool:
    """Whether a method changes its tensor, by torch's way of naming, and has a twin that does not."""
    return method.endswith("_") and not method.startswith("_") and method not in WITHOUT_TWIN


def _refused(node: ast.stmt | ast.expr) -> ProgramInvalid:
    return ProgramInvalid("program.no_place", line=node.lineno)

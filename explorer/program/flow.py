"""What a program's top-level statements read, bind and change: enough to tell which of them make a root."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.program.effects import Effect, effect_of
from explorer.program.places import find_places, read_mark
from explorer.program.source import Source


@dataclass(frozen=True)
class Root:
    """A top-level statement that starts a backward pass.

    Args:
        index: Which statement of the module it is.
        statement: That statement.
        call: The call of `backward`.
        expression: The tensor that the pass starts from; None where it starts from several.
        is_method: `root.backward()` in contrast to `torch.autograd.backward(root)`.
    """

    index: int
    statement: ast.stmt
    call: ast.Call
    expression: ast.expr | None
    is_method: bool


@dataclass(frozen=True)
class Leaves:
    """The leaves that a program marks by name.

    Args:
        tensors: Names of tensors.
        modules: Names of modules, whose parameters are leaves.
    """

    tensors: tuple[str, ...]
    modules: tuple[str, ...]


def find_root(tree: ast.Module) -> Root | None:
    """The last backward call at the top level."""
    for index in range(len(tree.body) - 1, -1, -1):
        statement = tree.body[index]
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        match value:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="autograd") | ast.Attribute(attr="autograd"), attr="backward")
            ):
                return Root(index, statement, value, _only_root(value), False)
            case ast.Call(func=ast.Attribute(value=root, attr="backward")):
                return Root(index, statement, value, root, True)
    return None


def find_leaves(source: Source) -> Leaves:
    """The tensors that are marked with requires_grad, and the modules, in order of appearance."""
    marked = [place.name for place in find_places(source) if place.marks and place.marks[-1].is_on]
    classes = {node.name for node in source.tree.body if isinstance(node, ast.ClassDef) and _is_module_class(node)}
    modules = []
    for statement in source.tree.body:
        if (found := read_mark(statement)) is not None and found[1].is_on:
            marked.append(found[0])
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=func) as call):
                if _makes_module(func, classes):
                    modules.append(name)
                elif _is_marked_at_once(call):
                    marked.append(name)
    known = {place.name: place for place in find_places(source)}
    unmarked = {name for name, place in known.items() if place.marks and not place.marks[-1].is_on}
    return Leaves(tuple(name for name in dict.fromkeys(marked) if name not in unmarked), tuple(dict.fromkeys(modules)))


def forward_statements(source: Source, root: Root, leaves: Leaves) -> tuple[ast.stmt, ...]:
    """The statements to run again for a new graph of the same root: those that lead from the leaves to it.

    What only makes the inputs, or does not depend on a leaf, is left out, unless a statement that runs again
    changes it: the start of a running sum is set anew.
    """
    body = source.tree.body[: root.index]
    effects = [effect_of(statement) for statement in body]
    needed = _slice(effects, effect_of(root.statement).reads)
    marks = {i for i, statement in enumerate(body) if read_mark(statement) is not None}
    makes = {i for i, statement in enumerate(body) if _only_makes(statement, leaves)}
    origins = {*leaves.tensors, *leaves.modules} or {place.name for place in find_places(source) if place.call}
    tainted = _tainted(effects, origins)
    updates = {i for i, effect in enumerate(effects) if effect.changes and effect.binds <= set(leaves.tensors)}
    again = {i for i in needed - marks - makes - updates if effects[i].reads & tainted[i]}
    return tuple(body[i] for i in sorted(_closed(again, needed, effects)))


def setup_statements(source: Source, root: Root, forward: Sequence[ast.stmt]) -> tuple[ast.stmt, ...]:
    """The other statements that make what the forward statements and the root read: inputs, settings, definitions.

    Where one of them reads a `.grad`, what filled it belongs to it: all statements before the root are needed then.
    """
    effects = [effect_of(statement) for statement in forward]
    bound = {name for effect in effects for name in effect.binds}
    wanted = _read_first(set(range(len(forward))), effects) | (effect_of(root.statement).reads - bound)
    others = [statement for statement in source.tree.body[: root.index] if statement not in forward]
    needed = [others[i] for i in sorted(_slice([effect_of(statement) for statement in others], frozenset(wanted)))]
    if any(isinstance(node, ast.Attribute) and node.attr == "grad" for one in needed for node in ast.walk(one)):
        return tuple(source.tree.body[: root.index])
    return tuple(needed)


def reached_names(source: Source, root: Root) -> frozenset[str]:
    """Names that the root's value may depend on."""
    effects = [effect_of(statement) for statement in source.tree.body[: root.index]]
    wanted = effect_of(root.statement).reads
    return wanted.union(*(effects[i].reads for i in _slice(effects, wanted)))


def _slice(effects: list[Effect], wanted: frozenset[str]) -> set[int]:
    """Indices of the statements that the wanted names' values come from."""
    names, needed = set(wanted), set()
    for i in range(len(effects) - 1, -1, -1):
        effect = effects[i]
        if effect.binds & names:
            needed.add(i)
            if effect.is_sure:
                names -= effect.binds
            names |= effect.reads
    return needed


def _tainted(effects: list[Effect], origins: set[str]) -> list[set[str]]:
    """For every statement, the names that depend on an origin when it starts."""
    tainted, before = set(origins), []
    for effect in effects:
        before.append(set(tainted))
        if effect.reads & tainted:
            tainted |= effect.binds
    return before


def _closed(again: set[int], needed: set[int], effects: list[Effect]) -> set[int]:
    """The statements to run again, with those that give their names a first value."""
    while True:
        bound = {name for i in again for name in effects[i].binds}
        more = {i for i in needed - again if effects[i].binds & bound & _read_first(again, effects)}
        if not more:
            return again
        again |= more


def _read_first(again: set[int], effects: list[Effect]) -> set[str]:
    """Names that the statements read before one of them has surely bound them."""
    read: set[str] = set()
    bound: set[str] = set()
    for i in sorted(again):
        read |= effects[i].reads - bound
        if effects[i].is_sure:
            bound |= effects[i].binds
    return read


def _only_makes(statement: ast.stmt, leaves: Leaves) -> bool:
    """Whether a statement makes an input, a leaf or a definition instead of computing with one."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef():
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
            return name in leaves.modules or (name in leaves.tensors and _is_marked_at_once(call))
    return False


def _is_marked_at_once(call: ast.Call) -> bool:
    """`….requires_grad_()`, or any call with `requires_grad=True`, or `torch.nn.Parameter(…)`."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("requires_grad_", "Parameter"):
        return True
    words = [word for word in call.keywords if word.arg == "requires_grad"]
    return any(isinstance(word.value, ast.Constant) and word.value.value is True for word in words)


def _makes_module(func: ast.expr, classes: set[str]) -> bool:
    match func:
        case ast.Name(id=name):
            return name in classes
        case ast.Attribute(value=ast.Name(id="nn") | ast.Attribute(value=ast.Name(id="torch"), attr="nn"), attr=name):
            return name[:1].isupper() and name != "Parameter"
    return False


def _is_module_class(node: ast.ClassDef) -> bool:
    return any(
        (base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")) == "Module" for base in node.bases
    )


def _only_root(call: ast.Call) -> ast.expr | None:
    """The one tensor given to `torch.autograd.backward`."""
    root = call.args[0] if call.args else next((word.value for word in call.keywords if word.arg == "tensors"), None)
    if isinstance(root, ast.List | ast.Tuple):
        return root.elts[0] if len(root.elts) == 1 else None
    return root

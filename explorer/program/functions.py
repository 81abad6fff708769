"""A program with leaves and one backward root as a function of its leaves, in text."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from explorer.errors import ProgramInvalid
from explorer.model.values import Frozen
from explorer.program.constructors import keyword
from explorer.program.effects import effect_of
from explorer.program.flow import Root, find_leaves, find_root, forward_statements, setup_statements
from explorer.program.inputs import find_inputs
from explorer.program.names import Names
from explorer.program.source import Source, read
from explorer.program.toggles import why_not

_RANDOM = re.compile(
    r"\b(?:\w*dropout\w*|rand\w*|r?sample|bernoulli_?|multinomial|poisson|gumbel_softmax|rrelu_?"
    r"|\w*normal_?|uniform_|exponential_)\("
)
_RANDOM_MODULE = re.compile(r"dropout|transformer|RReLU", re.IGNORECASE)
_SETTINGS = ("manual_seed", "set_default_dtype")


class ProgramFunction(Frozen, frozen=True, kw_only=True):
    """The text of a function that computes a program's root from its leaves.

    Args:
        name: What it is called.
        setup: Lines that make what it reads.
        definition: Lines of its definition.
        leaves: Names of leaves, its first parameters.
        modules: Names of modules whose parameters follow, each module's in the order of `named_parameters()`.
        tensors: Names of tensors of floating point that it reads besides.
        others: Names of what else it reads, and only running tells what that is.
        fixed_modules: Names of modules whose parameters are no parameters of it: the program does more than call them.
        unused: Names of leaves that the root does not depend on.
    """

    name: str
    setup: tuple[str, ...]
    definition: tuple[str, ...]
    leaves: tuple[str, ...]
    modules: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    fixed_modules: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def function_of(text: str) -> ProgramFunction:
    """The function that a program's last backward pass differentiates.

    A seed gradient is multiplied in, so that the function's gradient is what the pass computes. Random numbers are
    drawn from the same seed in every call.

    Args:
        text: Program text.

    Raises:
        ProgramInvalid: It cannot be read, has no backward call at its top level, starts it from several tensors, or
            marks no real leaf by name that the root depends on.
    """
    source, root = _with_root(text)
    forward = forward_statements(source, root, find_leaves(source))
    modules = find_leaves(source).modules
    called = tuple(name for name in modules if _is_only_called(name, [*forward, root.statement]))
    if called:
        source, root = _with_root(_with_functional_calls(source, [*forward, root.statement], called))
        forward = forward_statements(source, root, find_leaves(source))
    return _written(source, root, forward, called)


def _with_root(text: str) -> tuple[Source, Root]:
    source = read(text)
    root = find_root(source.tree)
    if root is None:
        raise why_not(text) or ProgramInvalid("program.why_not.no_backward")
    if root.expression is None:
        raise ProgramInvalid("program.several_roots")
    return source, root


def _written(source: Source, root: Root, forward: Sequence[ast.stmt], called: tuple[str, ...]) -> ProgramFunction:
    leaves = find_leaves(source)
    setup = setup_statements(source, root, forward)
    reads = frozenset[str]().union(*(effect_of(statement).reads for statement in (*forward, *setup, root.statement)))
    used = tuple(name for name in leaves.tensors if name in reads)
    if not used and not called:
        raise ProgramInvalid("program.no_leaf")
    inputs = {one.name: one for one in find_inputs(source.text)}
    if name := next((name for name in used if name in inputs and "complex" in (inputs[name].dtype or "")), None):
        raise ProgramInvalid("program.complex_leaf", name=name)
    made = [name for name in _made_by(setup) if name not in {*used, *leaves.modules}]
    tensors = tuple(name for name in made if name in inputs and "float" in (inputs[name].dtype or ""))
    name = Names(source.text).fresh("f", "g", "function")
    return ProgramFunction(
        name=name,
        setup=tuple(line for statement in _with_settings(source, root, setup) for line in _lines(source, statement)),
        definition=tuple(
            _definition(source, root, name, forward, used, called, _is_random(source, root, forward, setup))
        ),
        leaves=used,
        modules=called,
        tensors=tensors,
        others=tuple(name for name in made if name not in inputs),
        fixed_modules=tuple(name for name in leaves.modules if name in reads and name not in called),
        unused=tuple(name for name in leaves.tensors if name not in used),
    )


def _definition(
    source: Source,
    root: Root,
    name: str,
    forward: Sequence[ast.stmt],
    leaves: Sequence[str],
    modules: Sequence[str],
    is_random: bool,
) -> Iterator[str]:
    assert root.expression is not None
    body = [line for statement in forward for line in _lines(source, statement)]
    result = source.segment(root.expression)
    if (seed := _seed(root)) is not None:
        result = f"(({result}) * {source.segment(seed)}).sum()"
    parameters = [*leaves, *(["*parameters"] if modules else [])]
    yield f"def {name}({', '.join(parameters)}):"
    if is_random:
        yield "    torch.manual_seed(0)"
    if modules:
        yield "    parameters = iter(parameters)"
    for module in modules:
        yield f"    {_weights(module)} = {{name: next(parameters) for name, _ in {module}.named_parameters()}}"
    for line in body:
        yield textwrap.indent(line, "    ")
    yield f"    return ({result})" if "\n" in result else f"    return {result}"


def _is_random(source: Source, root: Root, forward: Iterable[ast.stmt], setup: Iterable[ast.stmt]) -> bool:
    """Whether a call draws random numbers: in what it computes itself, in a definition, or in a module."""
    definitions = [statement for statement in setup if isinstance(statement, ast.FunctionDef | ast.ClassDef)]
    own = (*forward, root.statement, *definitions)
    return any(_RANDOM.search(source.segment(statement)) for statement in own) or any(
        _RANDOM_MODULE.search(source.segment(statement)) for statement in setup
    )


def _seed(root: Root) -> ast.expr | None:
    """The gradient that the pass starts from."""
    name, position = ("gradient", 0) if root.is_method else ("grad_tensors", 1)
    word = keyword(root.call, name)
    seed = word.value if word else root.call.args[position] if len(root.call.args) > position else None
    if isinstance(seed, ast.List | ast.Tuple) and len(seed.elts) == 1:
        seed = seed.elts[0]
    return None if isinstance(seed, ast.Constant) else seed


def _with_settings(source: Source, root: Root, needed: Iterable[ast.stmt]) -> list[ast.stmt]:
    """The statements with those in between that decide about random numbers and types, in order."""
    needed = list(needed)
    return [s for s in source.tree.body[: root.index] if s in needed or _is_setting(s)]


def _is_setting(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))):
            return name in _SETTINGS
    return False


def _made_by(statements: Iterable[ast.stmt]) -> list[str]:
    """Names that statements give a value, in order; not what they import or define."""
    definitions = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
    found = (effect_of(statement).binds for statement in statements if not isinstance(statement, definitions))
    return list(dict.fromkeys(name for names in found for name in sorted(names)))


def _lines(source: Source, statement: ast.stmt) -> list[str]:
    """A statement's text with its decorators, line by line; two blank lines set a definition apart."""
    start = min([source.start(statement), *(source.start(one) - 1 for one in getattr(statement, "decorator_list", ()))])
    lines = re.sub(r"\r\n?", "\n", source.text[start : source.end(statement)]).split("\n")
    return ["", "", *lines, "", ""] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else lines


def _is_only_called(module: str, statements: Iterable[ast.AST]) -> bool:
    """Whether all that statements do with a module is to call it with positional arguments, at least once."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    uses = sum(isinstance(node, ast.Name) and node.id == module for node in nodes)
    return 0 < uses == sum(_is_call_of(node, (module,)) for node in nodes)


def _is_call_of(node: ast.AST, modules: Sequence[str]) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as arguments, keywords=[]):
            return name in modules and not any(isinstance(one, ast.Starred) for one in arguments)
    return False


def _with_functional_calls(source: Source, statements: Iterable[ast.AST], modules: Sequence[str]) -> str:
    """The text with `layer(x)` as `torch.func.functional_call(layer, layer_weights, (x,))` in some statements."""
    changes = []
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, ast.Call) and _is_call_of(node, modules):
            name = source.segment(node.func)
            opened, end = source.text.index("(", source.end(node.func)) + 1, source.end(node) - 1
            comma = "" if source.text[opened:end].rstrip().endswith(",") else ","
            call = f"torch.func.functional_call({name}, {_weights(name)}, ("
            changes += [(source.start(node), opened, call), (end, end, f"{comma})")]
    return source.replaced(changes)


def _weights(module: str) -> str:
    return f"{module}_weights"

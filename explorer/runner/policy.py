"""The language of programs: what is refused before a program runs, and where a guard stands when it does.

Four kinds of syntax become calls of guards (`explorer.runner.guards`), each at the position of what it replaces, so
that spans still point at the user's text: reading an attribute, `o.a` → `read(o, "a")` and `o.__class__` → `type(o)`;
writing one, `o.a = v` → `writable(o, "a").a = v`; importing from a module; and defining a class, which is noted as the
program's own. The guards go by names that no program can spell. Everything that has no rule here or in RestrictedPython
is refused.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any, TypeVar

from RestrictedPython.transformer import RestrictingNodeTransformer

from explorer.runner.allowed import (
    allowed_names,
    refusal_of_attribute,
    refusal_of_builtin,
    refusal_of_member,
    refusal_of_module,
)
from explorer.runner.bindings import bound_names, hidden_names, imported_modules
from explorer.runner.endings import Violation
from explorer.runner.names import ASSIGNABLE, DEFINABLE, FILENAME, GUARDED, READABLE, is_dunder, mangled
from explorer.runner.positions import Lines
from explorer.runner.syntax_errors import violation_of

Node = TypeVar("Node", bound=ast.AST)

READ, WRITABLE, CHANGEABLE, MEMBER = "<read>", "<writable>", "<changeable>", "<member>"
OWN, ENDED, TYPE = "<own>", "<ended>", "<type>"
"""Names of the guards; no program can spell them."""

SYNTAX_CODES = {"TryStar": "syntax_try_star", "Await": "syntax_async"}
"""Why a kind of syntax is refused, where there is more to say than that nobody has looked at it."""

PATTERNS_OF_ITSELF = frozenset(
    {"bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"}
)
"""Classes whose pattern with one part, `case int(n)`, matches the object itself and reads no attribute."""


class ProgramRejected(Exception):
    """A program is not in the language."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__(violations)
        self.violations = violations


def compile_program(source: str) -> CodeType:
    """Checks a program and compiles it with its guards in place.

    Raises:
        ProgramRejected: It is not Python, or not in the language that programs may be written in.
    """
    try:
        tree = ast.parse(source, FILENAME)
        policy = Policy(source, tree)
        with _annotations_left_alone(tree):
            tree = policy.visit(tree)
        if policy.violations:
            raise ProgramRejected(*policy.violations)
        code: CodeType = compile(ast.fix_missing_locations(tree), FILENAME, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ProgramRejected(violation_of(error)) from None
    except (RecursionError, MemoryError):
        raise ProgramRejected(Violation(code="too_deep")) from None
    except ValueError as error:
        raise ProgramRejected(Violation(code="not_text", values={"message": str(error)})) from None
    return code


class Policy(RestrictingNodeTransformer):
    """Collects violations and puts guards in place."""

    def __init__(self, source: str, tree: ast.Module) -> None:
        super().__init__()
        self.violations: list[Violation] = []
        self._lines = Lines(source)
        bound = Counter(bound_names(ast.walk(tree)))
        self._bound = frozenset(bound)
        self._modules = imported_modules(tree, bound)
        self._class: str | None = None

    # What RestrictedPython's own rules call.

    def error(self, node: ast.AST, info: str) -> None:
        """Notes a refusal by a rule of RestrictedPython's."""
        self.refuse(node, "syntax_refused", name=type(node).__name__)

    def warn(self, node: ast.AST, info: str) -> None:
        """A warning says nothing that the error does not say too."""

    def not_allowed(self, node: ast.AST) -> None:
        """Notes that a kind of syntax has no rule."""
        kind = type(node).__name__
        code = "syntax_async" if kind.startswith("Async") else SYNTAX_CODES.get(kind)
        if code is None:
            self.refuse(node, "syntax_refused", name=kind)
        else:
            self.refuse(node, code)

    def check_name(self, node: ast.AST, name: str | None, allow_magic_methods: bool = False) -> None:
        """Refuses to bind Python's own names, other than the methods a class may define."""
        if name is not None and is_dunder(name) and name not in DEFINABLE | ASSIGNABLE:
            self.refuse(node, "name_hidden", name=name)

    def refuse(self, node: ast.AST, code: str, **values: str) -> None:
        """Notes a violation."""
        self.violations.append(Violation(code=code, span=self._lines.span_of(node), values=values))

    # Names.

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        """Builtins that are refused by name; hidden names."""
        if isinstance(node.ctx, ast.Load):
            code = refusal_of_builtin(node.id) if node.id not in self._bound else None
            if code is not None:
                self.refuse(node, code, name=node.id)
            elif is_dunder(node.id) and node.id not in READABLE | ASSIGNABLE:
                self.refuse(node, "name_hidden", name=node.id)
        else:
            self.check_name(node, node.id)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:  # noqa: N802
        """Names are checked, the statement is free."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:  # noqa: N802
        """Names are checked, the statement is free."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """A parameter's name."""
        self.check_name(node, node.arg)
        return self._contents(node)

    # Attributes and items.

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        """`o.a` → `read(o, "a")`, `o.__class__` → `type(o)`; stored to or deleted: `writable(o, "a").a`."""
        node.attr = mangled(node.attr, self._class)
        if node.attr == "__class__" and isinstance(node.ctx, ast.Load):
            return self._contents(_type_of(node))
        self._check_attribute(node)
        self._contents(node)
        if isinstance(node.ctx, ast.Load):
            return self._guarded(READ, node)
        node.value = self._guarded(WRITABLE, node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:  # noqa: N802
        """Items are free: no container that holds other than a program's own things can be reached."""
        return self._contents(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:  # noqa: N802
        """`o.a += v` → `changeable(o, "a").a += v`, where `o` is evaluated once, as Python does."""
        if not isinstance(node.target, ast.Attribute):
            return self._contents(node)
        target = node.target
        target.attr = mangled(target.attr, self._class)
        self._check_attribute(target)
        self._contents(target)
        target.value = self._guarded(CHANGEABLE, target)
        node.value = self.visit(node.value)
        return node

    def _check_attribute(self, node: ast.Attribute) -> None:
        name = node.attr
        if (code := refusal_of_attribute(name)) is not None:
            self.refuse(node, code, name=name)
        elif is_dunder(name) and name not in READABLE | GUARDED | {"__version__"}:
            self.refuse(node, "attribute_hidden", name=name)
        elif isinstance(node.ctx, ast.Load) and (module := self._module(node.value)) is not None:
            self._check_member(node, module, name)

    def _check_member(self, node: ast.AST, module: str, name: str) -> None:
        if name not in allowed_names()[module]:
            code, values = refusal_of_member(module, name)
            self.refuse(node, code, **values)

    def _module(self, node: ast.expr) -> str | None:
        """The allowed module that an expression names, if it is plain to see."""
        match node:
            case ast.Name(id=name):
                return self._modules.get(name)
            case ast.Attribute(value=value, attr=attr) if (module := self._module(value)) is not None:
                return f"{module}.{attr}" if f"{module}.{attr}" in allowed_names() else None
        return None

    def _guarded(self, guard: str, node: ast.Attribute) -> ast.expr:
        call = ast.Call(
            func=ast.Name(id=guard, ctx=ast.Load()), args=[node.value, ast.Constant(value=node.attr)], keywords=[]
        )
        _placed(call, node)
        return call

    # Statements that RestrictedPython rewrites or refuses, and that are free here.

    def _contents(self, node: Node) -> Node:
        visited: Node = self.node_contents_visit(node)
        return visited

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:  # noqa: N802
        """Free, but for `In [1]: x`, which Python takes for an annotation of an element."""
        match node.target:
            case ast.Subscript(value=ast.Name(id="In" | "Out" as name), slice=ast.Constant(value=int(number))) if (
                name not in self._bound
            ):
                self.refuse(node.target, "syntax_prompt", prompt=f"{name} [{number}]:")
                return node
        return self._contents(node)

    visit_Call = visit_Assign = visit_For = visit_comprehension = visit_With = _contents  # noqa: N815
    visit_Lambda = visit_Module = visit_NamedExpr = _contents  # noqa: N815
    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _contents  # noqa: N815

    def visit_Try(self, node: ast.Try) -> ast.AST:  # noqa: N802
        """Puts `except Ended: raise` first, so that no clause of the program's keeps what ends it."""
        self._contents(node)
        if node.handlers:
            ended = ast.ExceptHandler(type=ast.Name(id=ENDED, ctx=ast.Load()), name=None, body=[ast.Raise()])
            node.handlers.insert(0, _placed(ended, node.handlers[0]))
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:  # noqa: N802
        """The name that the exception goes by."""
        self.check_name(node, node.name)
        return self._contents(node)

    visit_Match = visit_match_case = visit_MatchSingleton = visit_MatchSequence = visit_MatchOr = _contents  # noqa: N815

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:  # noqa: N802
        """Numbers and texts; a dotted name would be read unseen."""
        self._check_matched(node.value)
        return node

    def _check_matched(self, value: ast.expr) -> None:
        for part in ast.walk(value):
            if isinstance(part, ast.Attribute):
                self.refuse(value, "syntax_match_value", value=ast.unparse(value))
                return

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:  # noqa: N802
        """The name that a matched part goes by."""
        self.check_name(node, node.name)
        return self._contents(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:  # noqa: N802
        """The name that the rest of a sequence goes by."""
        self.check_name(node, node.name)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:  # noqa: N802
        """The name that the rest of a mapping goes by; its keys are values."""
        self.check_name(node, node.rest)
        for key in node.keys:
            self._check_matched(key)
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:  # noqa: N802
        """A class alone; its parts would be attributes that are read unseen."""
        name = node.cls.id if isinstance(node.cls, ast.Name) else None
        parts = len(node.patterns) + len(node.kwd_patterns)
        of_itself = name in PATTERNS_OF_ITSELF - self._bound and len(node.patterns) == parts
        if name is None or (parts and not of_itself):
            self.refuse(node, "syntax_match")
            return node
        return self._contents(node)

    # Definitions.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        """A function's name: a class may define the methods behind operators and statements."""
        if is_dunder(node.name) and node.name not in DEFINABLE | GUARDED:
            self.refuse(node, "method_hidden", name=node.name)
        return self._contents(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802
        """A class becomes one of the program's own; no metaclasses."""
        self.check_name(node, node.name)
        for keyword in node.keywords:
            self.refuse(keyword.value, "class_keyword", name=keyword.arg or "**")
        hidden: list[ast.expr] = [ast.Constant(value=name) for name in hidden_names(node)]
        outer, self._class = self._class, node.name
        self._contents(node)
        self._class = outer
        own = ast.Call(func=ast.Name(id=OWN, ctx=ast.Load()), args=hidden, keywords=[])
        node.decorator_list.append(_placed(own, node))
        return node

    # Imports.

    def visit_Import(self, node: ast.Import) -> ast.AST:  # noqa: N802
        """Modules of the allow list."""
        for alias in node.names:
            self._check_module(node, alias.name)
            self.check_name(node, alias.asname or alias.name)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST]:  # noqa: N802
        """Names that the allow list has for the module: `from m import a` → `a = member("m", "a")`."""
        module = "." * node.level + (node.module or "")
        if not self._check_module(node, module):
            return node
        for alias in node.names:
            if alias.name == "*":
                self.refuse(node, "star_import", name=module)
            else:
                self._check_member(alias, module, alias.name)
                self.check_name(alias, alias.asname or alias.name)
        return node if module == "__future__" else [_member(module, alias) for alias in node.names]

    def _check_module(self, node: ast.AST, name: str) -> bool:
        if name in allowed_names():
            return True
        code, values = refusal_of_module(name)
        self.refuse(node, code, **values)
        return False


@contextmanager
def _annotations_left_alone(tree: ast.Module) -> Iterator[None]:
    """Where annotations are texts that nobody evaluates, they stay as they were written."""
    aside = [(node, field) for node in ast.walk(tree) for field in ("annotation", "returns") if hasattr(node, field)]
    kept = [(node, field, getattr(node, field)) for node, field in aside] if _has_lazy_annotations(tree) else []
    for node, field, _ in kept:
        setattr(node, field, None)
    yield
    for node, field, annotation in kept:
        setattr(node, field, annotation)


def _has_lazy_annotations(tree: ast.Module) -> bool:
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__")
    return any(alias.name == "annotations" for node in imports for alias in node.names)


def _placed(new: Any, old: ast.AST) -> Any:
    """A new piece of syntax, all of it standing where an old one stood."""
    for node in ast.walk(new):
        if not hasattr(node, "lineno") and "lineno" in node._attributes:
            ast.copy_location(node, old)
    return new


def _member(module: str, alias: ast.alias) -> ast.AST:
    name = ast.Name(id=alias.asname or alias.name, ctx=ast.Store())
    arguments: list[ast.expr] = [ast.Constant(value=module), ast.Constant(value=alias.name)]
    value = ast.Call(func=ast.Name(id=MEMBER, ctx=ast.Load()), args=arguments, keywords=[])
    assigned: ast.AST = _placed(ast.Assign(targets=[name], value=value), alias)
    return assigned


def _type_of(node: ast.Attribute) -> ast.expr:
    call = ast.Call(func=ast.Name(id=TYPE, ctx=ast.Load()), args=[node.value], keywords=[])
    placed: ast.expr = _placed(call, node)
    return placed

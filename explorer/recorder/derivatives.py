"""PyTorch's own derivative formulas, from the `derivatives.yaml` that its wheel carries, by the name of the node.

The file is a plain list of entries, read here line by line: the wheel brings the file but no YAML parser.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from explorer.model import TorchRule

FILE = "packaged/autograd/derivatives.yaml"
COPY = "_copy"
"""The node of a view's copying twin has the view's formula: `create_view_copy_from_view_derivative` in torchgen."""

NAME = re.compile(r"- name: (?P<schema>.+)")
KEY = re.compile(r"(?P<indent> *)(?P<key>[\w, ]+):(?: (?P<value>.*))?")
ARGUMENT = re.compile(r"(\w+)(?:=.*)?$")
IN_ENTRY, IN_DISPATCH, IN_KEY = 2, 4, 6
"""How far keys are indented: formulas of an entry, dispatch keys, formulas below a dispatch key."""


def torch_rules_of(node_names: Iterable[str]) -> dict[str, TorchRule]:
    """The entries that torch generated these kinds of nodes from; some nodes are not generated."""
    rules = torch_rules()
    found = {name: rules.get(name.removesuffix(COPY)) for name in node_names}
    return {name: rule for name, rule in found.items() if rule is not None}


@cache
def torch_rules() -> dict[str, TorchRule]:
    """Every entry of `derivatives.yaml` that differentiates, by the name that torchgen gives its node.

    The name is the operation's in title case, "Backward", the dispatch key unless it is the default, and how many
    entries before have the same so far: `create_differentiability_info` in torchgen's `load_derivatives.py`.
    """
    path = derivatives_path()
    if path is None:
        return {}
    seen: Counter[str] = Counter()
    found: dict[str, TorchRule] = {}
    for schema, dispatch_key, formulas in _entries(path.read_text("utf-8")):
        arguments = arguments_of(schema)
        # Keys that are no arguments name results: formulas of forward-mode differentiation.
        derivatives = tuple(
            (names, formula)
            for names, formula in formulas
            if names.split(",")[0].strip() in arguments and formula.lower() != "non_differentiable"
        )
        if derivatives:
            prefix = node_prefix(schema) + ("" if dispatch_key == "Default" else dispatch_key)
            found[f"{prefix}{seen[prefix]}"] = TorchRule(operation=schema, derivatives=derivatives)
            seen[prefix] += 1
    return found


def derivatives_path() -> Path | None:
    """Where the wheel keeps the file; None for a torch without it."""
    spec = importlib.util.find_spec("torchgen")
    folders = spec.submodule_search_locations if spec else None
    paths = [Path(folder) / FILE for folder in folders or ()]
    return next((path for path in paths if path.is_file()), None)


def arguments_of(schema: str) -> tuple[str, ...]:
    """The names of an operation's arguments."""
    inside = schema[schema.index("(") + 1 : schema.rindex(" -> ")].rstrip().removesuffix(")")
    matches = (ARGUMENT.search(argument.strip()) for argument in _split(inside))
    return tuple(match[1] for match in matches if match)


def node_prefix(schema: str) -> str:
    """What a node's name begins with: "MulBackward" for "mul.Tensor(…)"; `_create_op_prefix` in torchgen."""
    operation = schema.split("(")[0].split(".")[0]
    title = "".join(part.title() for part in operation.split("_"))
    return (title + "Backward").replace("ForwardBackward", "Backward")


def _split(arguments: str) -> Iterator[str]:
    """The arguments of a schema: commas inside brackets, as in a default `[0, 1]`, separate nothing."""
    start = depth = 0
    for place, letter in enumerate(arguments):
        depth += (letter in "[(") - (letter in ")]")
        if letter == "," and depth == 0:
            yield arguments[start:place]
            start = place + 1
    yield arguments[start:]


def _entries(text: str) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """(schema, dispatch key, formulas by names of arguments) for every entry, one for each dispatch key."""
    schema, dispatch_key, formulas = "", "Default", list[tuple[str, str]]()
    indent_of_keys = IN_ENTRY
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if (named := NAME.fullmatch(line)) is not None:
            yield from [(schema, dispatch_key, _finished(formulas))] if schema else []
            schema, dispatch_key, formulas, indent_of_keys = named["schema"].strip(), "Default", [], IN_ENTRY
            continue
        key = KEY.fullmatch(line.rstrip())
        indent = len(line) - len(line.lstrip())
        if key is None or indent > indent_of_keys:
            names, value = formulas[-1]
            formulas[-1] = names, f"{value} {line.strip()}"
        elif key["key"] == "dispatch":
            indent_of_keys = IN_KEY
        elif indent == IN_DISPATCH:
            yield from [(schema, dispatch_key, _finished(formulas))] if formulas else []
            dispatch_key, formulas = key["key"], []
        else:
            formulas.append((key["key"], key["value"] or ""))
    yield schema, dispatch_key, _finished(formulas)


def _finished(formulas: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The formulas without YAML's quotes and without what is no formula, in torchgen's order."""
    unquoted = [(names, value.strip()) for names, value in formulas if names != "output_differentiability"]
    return [
        (names, value[1:-1] if value[:1] in "\"'" and value[-1:] == value[:1] else value) for names, value in unquoted
    ]

"""The allow list, read from `allowed.toml`, and the reasons for refusals, read from `refused.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

TENSOR = "Tensor"
"""The group that holds the attributes of torch.Tensor."""

ALIKE, LONGEST_NAME = 0.85, 60
"""How much of two names must agree for one to be taken for a misspelling of the other, and how long it may be."""


@cache
def allowed_names() -> Mapping[str, frozenset[str]]:
    """For each module that may be imported the names it offers; `TENSOR` for the attributes of tensors."""
    return _names_of(_read("allowed.toml")["group"])


@cache
def assignable_names() -> Mapping[str, frozenset[str]]:
    """For each module that has such names those that a program may assign to."""
    return _names_of(group for group in _read("allowed.toml")["group"] if group.get("assignable"))


def allowed_modules() -> tuple[str, ...]:
    """The modules that may be imported."""
    return tuple(name for name in allowed_names() if name != TENSOR)


def refusal_of_module(name: str) -> tuple[str, dict[str, str]]:
    """Why a module cannot be imported: the code of a violation, and what the placeholders of its sentence stand for."""
    refused, parent = _refused("modules"), name
    while parent not in refused:
        parent, dot, _ = parent.rpartition(".")
        if not dot:
            return "module_unknown", {"name": name}
        if parent in allowed_names():
            return "module_inside", {"name": name, "parent": parent}
    return refused[parent], {"name": name}


def refusal_of_builtin(name: str) -> str | None:
    """Why a builtin is refused; None if it is not one that is."""
    return _refused("builtins").get(name)


def refusal_of_member(module: str, name: str) -> tuple[str, dict[str, str]]:
    """Why a module's name is refused: the code of a violation, and what the placeholders of its sentence stand for."""
    values = {"name": f"{module}.{name}"}
    if (code := _refused("members").get(f"{module}.{name}") or _refused("attributes").get(name)) is not None:
        return code, values
    if (similar := _similar_member(module, name)) is not None:
        return "member_similar", {**values, "similar": f"{module}.{similar}"}
    return "member_unknown" if module.partition(".")[0] == "torch" else "member_of_library", values


def _similar_member(module: str, name: str) -> str | None:
    """The name of a module's that somebody may have meant."""
    spelled = {allowed.lower(): allowed for allowed in sorted(allowed_names()[module])}
    close = get_close_matches(name.lower(), spelled, 1, ALIKE) if len(name) < LONGEST_NAME else []
    return spelled[close[0]] if close else None


def refusal_of_attribute(name: str) -> str | None:
    """Why an attribute is refused on every object; None if it is not."""
    return _refused("attributes").get(name)


def refusal_of_tensor(name: str) -> str:
    """Why an attribute of tensors is refused."""
    return _refused("tensors").get(name, "tensor_unknown")


def refused_bases() -> tuple[str, ...]:
    """Classes that no class of a program's may be derived from, by module and name."""
    return tuple(_refused("bases"))


def refused_of_classes() -> tuple[tuple[str, frozenset[str], str], ...]:
    """Names that are refused of a library's class and all below it: (module and class, names, code)."""
    return tuple((of["class"], frozenset(of["names"].split()), of["code"]) for of in _read("refused.toml")["of_class"])


def _names_of(groups: Iterable[dict[str, Any]]) -> dict[str, frozenset[str]]:
    names: dict[str, frozenset[str]] = {}
    for group in groups:
        names[group["module"]] = names.get(group["module"], frozenset()) | frozenset(group["names"].split())
    return names


@cache
def _refused(table: str) -> Mapping[str, str]:
    return {name: code for code, names in _read("refused.toml")[table].items() for name in names.split()}


@cache
def _read(file: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("explorer.runner").joinpath(file).read_text("utf-8"))

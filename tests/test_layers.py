"""Who may import whom: the table of ARCHITECTURE.md, checked."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "explorer"

# Each layer may import those above it, and only the third-party packages beside it.
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "model": {"msgspec"},
    "i18n": set(),
    "rules": {"msgspec", "numpy"},
    "program": {"msgspec"},
    "recorder": {"torch", "numpy", "msgspec", "cachetools"},
    "render": {"graphviz", "plotly", "pygraphviz", "msgspec"},
    "runner": {"RestrictedPython", "msgspec"},
    "content": set(),
    "gallery": {"msgspec"},
    "mistakes": {"msgspec"},
    "labs": {"plotly", "numpy", "msgspec"},
    "ui": {"streamlit", "plotly", "msgspec", "cachetools"},
}
APART = {"recorder": {"runner"}, "render.layout": {"runner"}}
"""What runs in the worker alone, and the one layer that may import it."""

PROGRAMS = {PACKAGE / folder / "programs" for folder in ("gallery", "mistakes")}  # content, not code of ours
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py" and not PROGRAMS & set(p.parents))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, and the line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{name.name}", node.lineno) for name in node.names)


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    order = list(LAYERS)
    here = layer_of(path)
    for module, line in imports(path):
        parts = module.split(".")
        where = f"{path.relative_to(ROOT)}:{line} imports {module}"
        if parts[0] != "explorer":
            third_party = parts[0] not in sys.stdlib_module_names
            assert not third_party or parts[0] in LAYERS[here], where
        elif len(parts) > 1 and parts[1] in order:
            assert order.index(parts[1]) <= order.index(here), where


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_runs_in_the_worker_is_imported_there_alone(path: Path) -> None:
    for module, line in imports(path):
        for apart, allowed in APART.items():
            inside = f"explorer.{apart}"
            own = ".".join(path.relative_to(ROOT).with_suffix("").parts).startswith(inside)
            if module == inside or module.startswith(inside + "."):
                assert own or layer_of(path) in allowed, f"{path.relative_to(ROOT)}:{line} imports {module}"


def test_pygraphviz_is_imported_in_one_place() -> None:
    users = [path.name for path in MODULES if any(name.startswith("pygraphviz") for name, _ in imports(path))]
    assert users == ["layout.py"]


@pytest.mark.parametrize("module", ["explorer", "explorer.runner", "explorer.ui"])
def test_the_server_never_imports_torch(module: str) -> None:
    code = f"import sys, {module}; print('torch' in sys.modules, 'pygraphviz' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["False", "False"]

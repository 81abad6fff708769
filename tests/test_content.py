"""What the gallery and the mistakes share; how each searches and refuses stands in its own tests."""

from __future__ import annotations

from pathlib import Path

from explorer.content import programs_in


def test_what_python_compiles_beside_the_programs_is_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "one.py").write_text("import torch\n")
    assert programs_in(tmp_path) == {"one": "import torch\n"}

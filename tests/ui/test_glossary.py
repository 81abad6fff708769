"""The glossary: entries that are true, in both languages, and none that stands in another's way."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from checker import recorded
from explorer.i18n import LANGUAGES, Language
from explorer.runner import Completed, run
from explorer.ui.glossary.entries import examples, glossary, glossary_of

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"
CUSTOM = (
    "class Double(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        return 2 * x\n\n"
    "    @staticmethod\n    def backward(ctx, grad):\n        return 2 * grad\n\nDouble.apply(x)\n"
)


@pytest.mark.parametrize("key", examples())
def test_a_line_of_code_gives_what_stands_behind_it(key: str) -> None:
    code, _, answer = examples()[key].partition("  # ")
    found = repr(eval(code, {"torch": torch, "x": torch.arange(3.0, requires_grad=True)}))
    assert found.split() == answer.split()


def test_every_line_of_code_can_be_tried_on_the_page() -> None:
    lines = "\n".join(f"print({code.partition('  # ')[0]})" for code in examples().values())
    assert isinstance(run(f"import torch\nx = torch.arange(3.0, requires_grad=True)\n{lines}\n"), Completed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_leads_to_one_entry(language: Language) -> None:
    entries = glossary(language)
    found = Counter(word for entry in entries for word in entry["match"].split("|"))
    assert found.most_common(1)[0][1] == 1
    assert examples().keys() <= {entry["key"] for entry in entries}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_that_names_a_tensor_is_no_word_of_the_glossary(language: Language) -> None:
    names = {"leaf", "seed", "notes", "叶子", "梯度"}
    program = (
        "leaf = torch.nn.Linear(3, 1)\n叶子 = 2 * leaf(x)\nseed = torch.ones(1)\n梯度 = seed * 2\nnotes = 梯度 + 1"
    )
    found = {word for entry in glossary_of(recorded(f"{X}{program}"), language) for word in entry["match"].split("|")}
    every = {word for entry in glossary(language) for word in entry["match"].split("|")}
    assert every - found == names & every


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_node_has_its_name_explained(language: Language) -> None:
    recording = recorded(f"{X}y = 2 * x\ny[0] = 1\ny.cpu().to(torch.float64)\n{CUSTOM}")
    entries = {entry["name"]: entry for entry in glossary_of(recording, language)}
    assert {node.name for node in recording.nodes} <= entries.keys()
    assert entries["MulBackward0"]["code"].startswith("self: mul_tensor_backward(grad, other")
    assert "mul.Tensor" in entries["MulBackward0"]["text"]
    assert "torch.autograd.Function" in entries["DoubleBackward"]["text"]
    assert entries["CopySlices"]["key"] == "copy_slices"

"""What the insight panel is given, for every step of every function: complete, in both languages, and true."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from checker import recorded
from explorer.gallery import functions
from explorer.i18n import LANGUAGES
from explorer.model import Recording
from explorer.ui.glossary.entries import glossary, terms_of
from explorer.ui.insight import content
from explorer.ui.panels.subject import subject_of

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"


def shown(recording: Recording, selected: str, step: int | None = None, language: str = "en") -> dict[str, Any]:
    """The panel for a part of the picture."""
    subject = subject_of(recording, selected)
    assert subject is not None
    step = len(recording.events) if step is None else step
    return content(recording, subject.node, subject.leaf, step, language)  # type: ignore[arg-type]


def check_sums(grids: list[dict[str, Any]]) -> int:
    """Every sum of products of printed numbers gives the printed number, to rounding; how many there are."""
    count = 0
    for one in grids:
        for cell, found in enumerate(one["sums"]):
            if found is None:
                continue
            factors = [[number(grids, factor) for factor in term] for term in found["terms"]]
            products = [math.prod(term) for term in factors]
            slack = 2e-4 * sum(
                abs(product) / min(map(abs, term), default=1)
                for product, term in zip(products, factors, strict=True)
                if product
            )
            expected = float(one["cells"][cell])
            if all(map(math.isfinite, products)):
                assert sum(products) == pytest.approx(expected, rel=2e-4, abs=2e-4 + slack)
            count += 1
    return count


def number(grids: list[dict[str, Any]], factor: list[int] | str) -> float:
    return float(factor) if isinstance(factor, str) else float(grids[factor[0]]["cells"][factor[1]])


@pytest.mark.parametrize("function", functions(), ids=lambda function: function.id)
def test_every_step_of_the_gallery(function: Any) -> None:
    recording = recorded(function.code)
    count = 0
    last = len(recording.events)
    for step in range(last - 30 if function.is_loop else 0, last + 1):
        for node in recording.nodes[-12:] if function.is_loop else recording.nodes:
            found = shown(recording, node.id, step, LANGUAGES[step % 2])
            json.dumps(found, allow_nan=False)
            count += check_sums(found["numbers"]["grids"])
    assert count > 0


def test_only_gradients_of_one_pass_meet() -> None:
    recording = recorded(
        "x = torch.arange(3.)\nx.requires_grad_()\nm = x.dot(x)\nm.backward()\nh = x.sum()\nh.backward()"
    )
    by_name = {node.name: node.id for node in recording.nodes}
    *_, one, other = shown(recording, by_name["DotBackward0"])["numbers"]["grids"]
    assert one["note"] == other["note"] == "one of 2 that meet there"
    assert one["symbol"] == "→ x"
    *_, alone = shown(recording, by_name["SumBackward0"])["numbers"]["grids"]
    assert (alone["note"], alone["symbol"]) == ("", "∂h/∂x")


def test_a_program_without_any_gradient() -> None:
    recording = recorded("x = torch.ones(3)\ny = x * 2")
    found = shown(recording, recording.leaves[0].id)
    assert "requires_grad is False" in found["numbers"]["notes"][0]
    assert "no tensors" in found["saved"]["memory"]["text"]


def test_a_large_matrix_says_so() -> None:
    recording = recorded("x = torch.ones(20, requires_grad=True)\nx.exp().sum().backward()")
    node = next(node for node in recording.nodes if node.name == "ExpBackward0")
    assert "20 elements" in shown(recording, node.id)["jacobian"]["reason"]


def test_a_function_of_the_program_says_why_there_is_no_matrix() -> None:
    code = next(function.code for function in functions() if function.id == "custom-function")
    recording = recorded(code)
    node = next(node for node in recording.nodes if node.kind == "custom")
    assert "not called a second time" in shown(recording, node.id)["jacobian"]["reason"]


@pytest.mark.parametrize(
    ("code", "node", "hidden_by", "word"),
    [
        (
            "y = x * 2\ny.grad_fn.register_hook(lambda sent, came: (9 * sent[0], None))\ny.sum().backward()",
            "Mul",
            "hook",
            "hook",
        ),
        ("torch.func.vmap(torch.func.grad(torch.sum))(x.detach().expand(2, 3))", "Sum", "batch", "vmap"),
    ],
)
def test_what_a_hook_or_a_batch_hides_is_put_down_to_it(code: str, node: str, hidden_by: str, word: str) -> None:
    recording = recorded(X + code)
    found = shown(recording, next(one.id for one in recording.nodes if one.name == f"{node}Backward0"))
    assert found["numbers"]["unexplained"] == hidden_by
    assert word in found["words"][f"no_sum_{hidden_by}"]
    assert word in found["jacobian"]["reason"]
    assert "nan" not in found["jacobian"]["reason"]


def test_accumulation_adds_element_by_element() -> None:
    recording = recorded(f"{X}(x * x).sum().backward()\nx.sum().backward()")
    leaf = next(leaf for leaf in recording.leaves if leaf.name == "x")
    before, arrived, after = shown(recording, leaf.id)["numbers"]["grids"]
    assert (before["cells"], arrived["cells"], after["cells"]) == (["2.", "4.", "6."], ["1."] * 3, ["3.", "5.", "7."])
    assert after["sums"][1]["terms"] == [[[0, 1]], [[1, 1]]]


def test_a_tensor_saved_twice_is_drawn_once() -> None:
    recording = recorded(f"{X}(x * x).sum().backward()")
    node = next(node for node in recording.nodes if node.name == "MulBackward0")
    titles = [one["title"] for one in shown(recording, node.id)["numbers"]["grids"]]
    assert titles == ["upstream gradient", "saved: other", "sent on to x", "sent on to x"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_has_an_entry(language: Any) -> None:
    keys = {entry["key"] for entry in glossary(language)}
    recording = recorded(f"{X}(g,) = torch.autograd.grad((x ** 3).sum(), x, create_graph=True)\ng.sum().backward()")
    assert {term for node in (*recording.nodes, None) for term in terms_of(node)} <= keys
    assert {"leaf", "grad_fn", "accumulate_grad", "name_zero", "saved", "retain_graph", "vjp", "order"} <= keys

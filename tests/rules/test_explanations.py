"""`explain` on real recordings: formulas agree with torch's numbers, or are not there."""

from __future__ import annotations

import msgspec
import pytest
from recorded import recorded

from explorer.model import Accumulated, NodeRan, Recording
from explorer.rules import Explanation, Verdict, explain
from explorer.rules.notation import number

X = "x = torch.tensor([1., 2., 3.], requires_grad=True)\n"


def explained(program: str, node: str) -> Explanation:
    """The explanation of the first step at which a node of that name ran."""
    recording = recorded(program)
    return explain(recording, step_of(recording, node), "en")


def step_of(recording: Recording, node: str) -> int:
    return next(
        step
        for step, event in enumerate(recording.events, 1)
        if isinstance(event, NodeRan) and recording.node(event.node_id).name == node
    )


@pytest.mark.parametrize(
    ("program", "node", "formula"),
    [
        ("m = 2 * torch.dot(x, x)\nm.backward()", "MulBackward0", r"g_{\texttt{torch.dot(x, x)}} = 2 \cdot g"),
        ("m = 2 * torch.dot(x, x)\nm.backward()", "DotBackward0", r"g_{\texttt{x}} = g \cdot \texttt{x}"),
        ("(x ** 3).sum().backward()", "PowBackward0", r"g_{\texttt{x}} = 3 \cdot \texttt{x}^{2} \odot g"),
        ("(x ** 2).sum().backward()", "PowBackward0", r"g_{\texttt{x}} = 2 \cdot \texttt{x} \odot g"),
        ("x.sum().backward()", "SumBackward0", r"g_{\texttt{x}} = g \cdot \mathbf{1}_{3}"),
        (
            "b = torch.ones((), requires_grad=True)\n(x + b).sum().backward()",
            "AddBackward0",
            r"\begin{aligned} g_{\texttt{x}} &= g \\[0.4em] g_{\texttt{b}} &= \textstyle\sum_{\text{dim } 0} g \end{aligned}",
        ),
        (
            "my_b = torch.ones(3)\n(my_b * x).sum().backward()",
            "MulBackward0",
            r"g_{\texttt{x}} = \texttt{my\_b} \odot g",
        ),
    ],
)
def test_the_formula_with_the_program_s_names(program: str, node: str, formula: str) -> None:
    explanation = explained(X + program, node)
    assert explanation.formula == formula
    assert explanation.verified is True
    assert explanation.largest_difference == 0.0


def test_no_formula_where_torch_s_number_is_another() -> None:
    recording = recorded(X + "(x * 2).sum().backward()")
    step = step_of(recording, "MulBackward0")
    ran = recording.events[step - 1]
    assert isinstance(ran, NodeRan)
    sent = msgspec.structs.replace(ran.grad_inputs[0], values=(2.0, 2.0, 2.001))
    forged = msgspec.structs.replace(ran, grad_inputs=(sent, None))
    events = tuple(forged if event is ran else event for event in recording.events)
    assert explain(recording, step, "en").verified
    found = explain(msgspec.structs.replace(recording, events=events), step, "en")
    assert (found.formula, found.verdict) == (None, Verdict.DISAGREES)


def test_no_formula_where_there_is_no_rule() -> None:
    recording = recorded(X + "(x * 2).sum().backward()")
    nodes = tuple(msgspec.structs.replace(node, name=f"My{node.name}") for node in recording.nodes)
    found = explain(msgspec.structs.replace(recording, nodes=nodes), step_of(recording, "MulBackward0"), "en")
    assert (found.formula, found.verdict) == (None, Verdict.NO_RULE)


HOOKED = "y = x * 2\ny.grad_fn.register_hook({})\ny.sum().backward()"
HOOKS = {
    "replaced": "lambda sent, came: (sent[0] * 10, None)",
    "in place": "lambda sent, came: sent[0].data.mul_(10) is None or None",
}


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_the_formula_of_a_node_whose_own_hook_changed_what_it_computed(hook: str) -> None:
    recording = recorded(X + HOOKED.format(hook))
    step = step_of(recording, "MulBackward0")
    ran = recording.events[step - 1]
    assert isinstance(ran, NodeRan)
    assert (ran.computed[0].values, ran.grad_inputs[0].values) == ((2.0,) * 3, (20.0,) * 3)
    found = explain(recording, step, "en")
    assert (found.formula, found.before_hook) == (r"g_{\texttt{x}} = 2 \cdot g", True)
    assert "It had computed [2., 2., 2.]; the program’s hook on it made that [20., 20., 20.]." in found.sentence


def test_the_formula_of_a_node_that_got_its_hook_while_the_pass_ran() -> None:
    late = "b = y * 1\nb.register_hook(lambda g: y.grad_fn.register_hook(hook) and None)\nb.sum().backward()"
    recording = recorded(f"{X}hook = {HOOKS['replaced']}\ny = x.exp()\n{late}".replace(", None)", ",)"))
    found = explain(recording, step_of(recording, "ExpBackward0"), "en")
    assert (found.verified, found.before_hook) == (True, True)


def test_of_a_hook_that_only_looks_nothing_is_said() -> None:
    recording = recorded(X + HOOKED.format("lambda sent, came: None"))
    found = explain(recording, step_of(recording, "MulBackward0"), "en")
    assert (found.verified, found.before_hook) == (True, False)
    assert "hook" not in found.sentence


def test_no_formula_where_the_program_has_packed_what_it_needs() -> None:
    packing = (
        "with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 1, lambda t: t):\n    y = (x.exp() + x).sum()\n"
    )
    recording = recorded(X + packing + "y.backward()")
    assert explain(recording, step_of(recording, "ExpBackward0"), "en").verdict is Verdict.PACKED
    assert explain(recording, step_of(recording, "AddBackward0"), "en").verified


BATCHES = {
    "vmap of grad": "torch.func.vmap(torch.func.grad(lambda row: row.exp().sum()))(x.detach().expand(2, 3))",
    "jacrev": "torch.func.jacrev(lambda row: row.exp().sum())(x.detach())",
    "is_grads_batched": "torch.autograd.grad(x.exp().sum(), x, torch.ones(2), is_grads_batched=True)",
}


@pytest.mark.parametrize("program", BATCHES.values(), ids=BATCHES)
def test_no_formula_where_a_node_ran_for_a_batch_and_the_formula_is_one_example_s(program: str) -> None:
    recording = recorded(X + program)
    assert explain(recording, step_of(recording, "SumBackward0"), "en").verdict is Verdict.BATCHED
    assert explain(recording, step_of(recording, "ExpBackward0"), "en").verified


def test_what_runs_without_a_batch_is_not_said_to_have_one() -> None:
    for program in ("torch.func.grad(lambda row: row.sum())(x.detach())", "x.sum().backward()"):
        recording = recorded(X + program)
        assert not any(event.batched for event in recording.events if isinstance(event, NodeRan))
        assert explain(recording, step_of(recording, "SumBackward0"), "en").verified


def test_no_formula_where_not_all_elements_are_known() -> None:
    for node in ("MulBackward0", "AccumulateGrad"):
        explanation = explained("x = torch.ones(5000, requires_grad=True)\n(x * x).sum().backward()", node)
        assert (explanation.formula, explanation.verified, explanation.slots) == (None, None, ())
        assert explanation.verdict is Verdict.NOT_KEPT


def test_torch_s_own_rule_stands_beside_every_node_that_torch_generated() -> None:
    rule = explained(X + "m = 2 * torch.dot(x, x)\nm.backward()", "DotBackward0").torch_rule
    assert rule is not None
    assert rule.operation == "dot(Tensor self, Tensor tensor) -> Tensor"
    assert rule.derivatives == (("self", "grad * tensor.conj()"), ("tensor", "grad * self.conj()"))
    assert explained(X + "x.digamma().sum().backward()", "DigammaBackward0").torch_rule is not None
    assert explained(X + "x.sum().backward()", "AccumulateGrad").torch_rule is None


def test_accumulation_is_a_formula_too() -> None:
    recording = recorded(X + "x.sum().backward()\n(2 * x).sum().backward()")
    formulas = [
        explain(recording, step, "en").formula
        for step, event in enumerate(recording.events, 1)
        if isinstance(event, Accumulated)
    ]
    assert formulas == [r"\texttt{x.grad} \leftarrow g", r"\texttt{x.grad} \leftarrow \texttt{x.grad} + g"]
    assert explain(recording, step_of(recording, "AccumulateGrad"), "en").formula == formulas[0]


def test_definitions_of_a_rule_stand_below_it() -> None:
    program = "y = torch.layer_norm(x, (3,), torch.tensor([1., 2., 3.], requires_grad=True))\ny.prod().backward()"
    explanation = explained(X + program, "NativeLayerNormBackward0")
    assert explanation.formula is not None
    assert r"\hat{x} &= \left(\texttt{x} - \text{result1}\right) \cdot \text{result2}" in explanation.formula


@pytest.mark.parametrize(
    ("program", "node", "forward"),
    [
        ("m = x.dot(x)\nm.backward()", "DotBackward0", r"\texttt{m} = \texttt{x}^{\top}\, \texttt{x}"),
        ("y = x.sigmoid()\ny.sum().backward()", "SigmoidBackward0", r"\texttt{y} = \frac{1}{1 + e^{-\texttt{x}}}"),
        ("y = x.max()\ny.backward()", "MaxBackward1", r"\texttt{y} = \max \texttt{x}"),
        ("y = x * 3\ny.sum().backward()", "MulBackward0", r"\texttt{y} = \texttt{x} \cdot 3"),
        ("y = x[1:]\ny.sum().backward()", "SliceBackward0", r"\texttt{y} = \texttt{x}[1:]"),
        ("y = x + torch.rand(3)\ny.sum().backward()", "AddBackward0", None),  # what was added is saved nowhere
        ("y = x * 3\ny.data += 1\ny.sum().backward()", "MulBackward0", r"\texttt{y} = \texttt{x} \cdot 3"),
    ],
)
def test_the_operation_as_far_as_it_gives_the_tensor_that_torch_made(
    program: str, node: str, forward: str | None
) -> None:
    assert explained(X + program, node).forward == forward


def test_the_operation_is_shown_where_it_is_noted_too() -> None:
    recording = recorded(X + "y = x.exp()")
    assert explain(recording, len(recording.events), "en").forward == r"\texttt{y} = e^{\texttt{x}}"


def test_an_operation_that_does_not_give_torch_s_tensor_is_not_shown() -> None:
    recording = recorded(X + "y = x.exp()\ny.sum().backward()")
    other = msgspec.structs.replace(recording.leaves[0].value, values=(1.0, 2.0, 3.1))
    leaves = (msgspec.structs.replace(recording.leaves[0], value=other),)
    step = step_of(recording, "ExpBackward0")
    assert explain(recording, step, "en").forward == r"\texttt{y} = e^{\texttt{x}}"
    assert explain(msgspec.structs.replace(recording, leaves=leaves), step, "en").forward is None


def test_each_of_several_results_has_its_own_name_in_a_formula() -> None:
    found = explained(X + "a, b, _ = x\ny = a * b\ny.sum().backward()", "MulBackward0")
    assert found.forward == r"\texttt{y} = \texttt{a} \cdot \texttt{b}"
    assert [slot.formula for slot in found.slots] == [
        r"g_{\texttt{a}} = \texttt{b} \cdot g",
        r"g_{\texttt{b}} = \texttt{a} \cdot g",
    ]


def test_a_call_that_notes_several_nodes_names_only_its_result() -> None:
    program = "layer = torch.nn.Linear(3, 1)\nlayer(x.reshape(1, 3)).sum().backward()"
    formula = explained(X + program, "AddmmBackward0").formula
    assert formula is not None
    assert r"g_{\text{mat2}}" in formula


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (1 + 2j, r"1 + 2\, i"),
        (-1e-5j, r"-0 - 1.0000 \cdot 10^{-5}\, i"),
        (complex("nan+infj"), r"\text{nan} + \infty\, i"),
        (1e300, r"1.0000 \cdot 10^{300}"),
        (1e-60, r"1.0000 \cdot 10^{-60}"),
    ],
)
def test_numbers_are_mathematics(value: float | complex, latex: str) -> None:
    assert number(value).latex == latex

"""What torch does, as the recorder tells it; plain torch is the oracle."""

from __future__ import annotations

import pytest
import torch

from checker import check_recording, events_of, expression, nodes_ran, recorded, to_tensor
from explorer.model import (
    Accumulated,
    BackwardEnded,
    BackwardStarted,
    GradCleared,
    Modified,
    NodeRan,
    Operation,
    Printed,
    Warned,
)
from explorer.recorder import RecordingLimits, SessionUnfinished, record

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"

PROGRAMS = {
    "dot": X + "m = 2 * torch.dot(x, x)\nm.backward()",
    "shared use": X + "y = (x * x + x).sum()\ny.backward()",
    "fan-out": X + "a = x.exp()\nb = a.sin() + a.cos() * a\nb.sum().backward()",
    "broadcast": X + "w = torch.ones(4, 3, requires_grad=True)\n(w + x).sum().backward()",
    "matmul": X + "w = torch.eye(3, requires_grad=True)\n((w @ x) ** 2).mean().backward()",
    "softmax": X + "F.softmax(x, 0)[0].backward()",
    "cross-entropy": X + "F.cross_entropy(x.reshape(1, 3), torch.tensor([1])).backward()",
    "layer norm": X + "F.layer_norm(x, (3,)).pow(3).sum().backward()",
    "conv": "w = torch.ones(1, 1, 2, 2, requires_grad=True)\nF.conv2d(torch.ones(1, 1, 3, 3), w).sum().backward()",
    "split": X + "a, b, c = x\n(a * b + c).backward()",
    "unbind, one unused": X + "a, b, c = x.unbind()\n(a * b).backward()",
    "cat": X + "y = torch.cat([x, x * 2])\ny.prod().backward()",
    "stack": X + "torch.stack([x, x]).max().backward()",
    "index": X + "x[torch.tensor([0, 0, 2])].sum().backward()",
    "in place": X + "y = x * 1\ny += x\ny[0] = 5\ny.mul_(2)\ny.sum().backward()",
    "view": X + "y = x * 1\nv = y[1:]\nv.mul_(3)\ny.sum().backward()",
    "two passes": X + "for _ in range(2):\n    (x * x).sum().backward()",
    "same graph twice": X + "y = (x * x).sum()\ny.backward(retain_graph=True)\ny.backward()",
    "zeros between": X + "(x * x).sum().backward()\nx.grad.zero_()\nx.sum().backward()",
    "none between": X + "(x * x).sum().backward()\nx.grad = None\nx.sum().backward()",
    "seed": X + "y = x * x\ny.backward(torch.tensor([1.0, 0.0, 2.0]))",
    "two roots": X + "torch.autograd.backward([(x * x).sum(), x.prod()])",
    "grad": X + "g = torch.autograd.grad((x * x).sum(), x)",
    "double": X + "(g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)\ng.sum().backward()",
    "third order": X
    + "y = (x**4).sum()\nfor _ in range(3):\n    (g,) = torch.autograd.grad(y, x, create_graph=True)\n    y = g.sum()",
    "detach": X + "(x * x.detach()).sum().backward()",
    "no_grad": X + "with torch.no_grad():\n    w = x * 2\n(x * w).sum().backward()",
    "leaf in place": X
    + "(x * x).sum().backward()\nwith torch.no_grad():\n    x -= 0.1 * x.grad\n(x * x).sum().backward()",
    "unused": X + "w = torch.ones(3, requires_grad=True)\nx.sum().backward()",
    "nan": X + "torch.where(x > 2, x, (x - 1).sqrt()).sum().backward()",
    "complex": "z = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)\n(z * z.conj()).real.sum().backward()",
    "double precision": X + "y = x.double()\n(y * y).sum().backward()",
    "half": "x = torch.ones(3, dtype=torch.bfloat16, requires_grad=True)\n(x * x).sum().backward()",
    "empty": "x = torch.ones(0, requires_grad=True)\nx.sum().backward()",
    "tensor hook": X + "x.register_hook(lambda g: g)\n(x * 2).sum().backward()",
    "checkpoint": X + "from torch.utils.checkpoint import checkpoint\n"
    "checkpoint(lambda a: a.exp().sin(), x, use_reentrant=False).sum().backward()",
    "print": X + "print('x =', x, end='!')\nprint(f'{x.sum():.2f}', (x * x).sum().item())\n(x * x).sum().backward()",
    "model": "model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))\n"
    "optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)\n"
    "for _ in range(3):\n    optimizer.zero_grad()\n    model(torch.ones(4, 2)).pow(2).mean().backward()\n    optimizer.step()",
    "rnn": "w = torch.eye(2, requires_grad=True)\nh = torch.ones(2)\nfor _ in range(4):\n    h = torch.tanh(w @ h)\nh.sum().backward()",
    "custom": "class Double(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, a):\n"
    "        ctx.save_for_backward(a)\n        return a * 2\n    @staticmethod\n    def backward(ctx, g):\n"
    "        (a,) = ctx.saved_tensors\n        return g * 2\n" + X + "Double.apply(x).sum().backward()",
    "error: second pass": X + "y = (x * x).sum()\ny.backward()\ny.backward()",
    "error: changed in place": X + "y = x.exp()\ny.add_(1)\ny.sum().backward()",
    "error: not connected": X + "(x.detach() * 2).sum().backward()",
    "error: no scalar": X + "(x * x).backward()",
    "error: Python's": X + "y = x * x\ny.sum().backward()\n1 / 0",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_recording_is_what_torch_does(name: str) -> None:
    recording = check_recording(PROGRAMS[name])
    assert (recording.error is not None) == name.startswith("error")
    assert not recording.truncated


def test_tutorial_numbers() -> None:
    recording = check_recording(
        "x = torch.arange(3.0)\nx.requires_grad_(True)\nm = 2*torch.dot(x, x)\nm.backward()\nh = x.sum()\nh.backward()"
    )
    first, second = (one.accumulated[0] for one in recording.backward_passes)
    assert (first.before, first.after.values) == (None, (0.0, 4.0, 8.0))
    assert second.before == first.after
    assert (second.incoming.values, second.after.values) == ((1.0, 1.0, 1.0), (1.0, 5.0, 9.0))


def test_every_edge_has_its_own_number() -> None:
    recording = check_recording(X + "y = torch.tensor([4.0, 5.0, 6.0], requires_grad=True)\ntorch.dot(x, y).backward()")
    dot = recording.backward_passes[0].steps[0]
    assert [grad.values for grad in dot.grad_inputs if grad] == [(4.0, 5.0, 6.0), (1.0, 2.0, 3.0)]
    assert [edge.slot for edge in recording.edges_from(dot.node_id)] == [0, 1]


def test_both_edges_of_a_square_are_kept() -> None:
    recording = recorded(X + "(x * x).sum().backward()")
    product = next(node for node in recording.nodes if node.name == "MulBackward0")
    assert len(recording.edges_from(product.id)) == 2


def test_engine_runs_higher_sequence_numbers_first() -> None:
    recording = recorded(X + "a = x * 2\nb = x * 3\n(a.sin() + b.cos()).sum().backward()")
    ran = [recording.node(step.node_id) for step in recording.backward_passes[0].steps]
    numbers = [node.sequence_nr for node in ran if node.kind == "operation"]
    assert numbers == sorted(numbers, reverse=True)


def test_names_and_sub_expressions() -> None:
    recording = recorded(X + "m = 2*torch.dot(x, x)")
    made = {expression(recording, node.span): (node.name, node.variable) for node in recording.nodes if node.span}
    assert made == {"torch.dot(x, x)": ("DotBackward0", None), "2*torch.dot(x, x)": ("MulBackward0", "m")}


def test_columns_count_characters() -> None:
    recording = recorded(X + "s = '中文'; y = x * 2")
    assert expression(recording, events_of(recording, Operation)[-1].span) == "x * 2"


def test_parameters_are_named_by_path() -> None:
    recording = recorded("model = nn.Sequential(nn.Linear(2, 1))\nmodel(torch.ones(1, 2)).sum().backward()")
    assert set(recording.grads) == {"model.0.weight", "model.0.bias"}


def test_a_result_found_later_gets_its_name() -> None:
    recording = recorded(X + "def f(a):\n    return a * 2\ny = f(x)\ny.sum().backward()")
    assert "y" in {node.variable for node in recording.nodes}


def test_saved_tensors_say_which_variable_they_are() -> None:
    recording = recorded(X + "y = x.exp()\nz = y * x")
    saved = {part.name: part for node in recording.nodes if node.name == "MulBackward0" for part in node.saved}
    assert saved["other"].leaf_id == recording.leaves[0].id
    assert recording.node(str(saved["self"].node_id)).name == "ExpBackward0"


def test_a_negative_dimension_is_shown_as_written() -> None:
    recording = recorded(X + "y = F.softmax(x, dim=-1)")
    assert ("dim", "-1") in {(part.name, part.text) for node in recording.nodes for part in node.saved}


@pytest.mark.parametrize(("retain", "freed"), [("", True), ("retain_graph=True", False)])
def test_saved_tensors_are_freed_unless_retained(retain: str, freed: bool) -> None:
    recording = recorded(X + f"(x * x).sum().backward({retain})")
    product = next(
        step for step in events_of(recording, NodeRan) if recording.node(step.node_id).name == "MulBackward0"
    )
    assert product.freed is freed


def test_a_node_that_saves_nothing_frees_nothing() -> None:
    assert not any(step.freed for step in events_of(recorded(X + "x.sum().backward()"), NodeRan))


def test_clearing() -> None:
    recording = recorded(X + "x.sum().backward()\nx.grad.zero_()\nx.sum().backward()\nx.grad = None")
    assert [(event.to, event.before.values) for event in events_of(recording, GradCleared)] == [
        ("zeros", (1.0, 1.0, 1.0)),
        ("none", (1.0, 1.0, 1.0)),
    ]
    assert recording.grads == {"x": None}


@pytest.mark.parametrize(("argument", "to"), [("", "none"), ("set_to_none=False", "zeros")])
def test_optimizer_clearing(argument: str, to: str) -> None:
    recording = recorded(X + f"o = torch.optim.SGD([x])\nx.sum().backward()\no.zero_grad({argument})")
    assert [event.to for event in events_of(recording, GradCleared)] == [to]


def test_a_replaced_or_scaled_grad_is_told() -> None:
    recording = recorded(X + "x.sum().backward()\nx.grad *= 3\nx.grad = torch.zeros(3)")
    assert [event.after.values for event in events_of(recording, Modified) if event.of_grad] == [(3.0,) * 3, (0.0,) * 3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("y = x.detach()", "detach"), ("y = x.data", "detach"), ("y = x > 2", "not differentiable")],
)
def test_cuts(line: str, reason: str) -> None:
    recording = recorded(X + line)
    assert [(cut.reason, cut.variable, cut.sources) for cut in recording.cuts] == [(reason, "y", ("l0",))]


def test_a_cut_knows_who_would_have_sent_a_gradient_there() -> None:
    recording = recorded(X + "c = x.detach()\nd = c + 1\ny = x * d")
    (cut,) = recording.cuts
    assert [(recording.node(node_id).name, slot) for node_id, slot in cut.consumers] == [("MulBackward0", 1)]


NET = "net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))\n"
FROZEN = "with torch.no_grad():\n    h = net(x)\n"


def test_a_module_without_gradients_is_one_cut() -> None:
    recording = recorded(X + NET + FROZEN + "y = (x * h).sum()\ny.backward()")
    (cut,) = recording.cuts
    assert (cut.reason, cut.variable, cut.value.shape) == ("no_grad", "h", (1,))
    parameters = {f"net.{name}" for name in ("0.weight", "0.bias", "2.weight", "2.bias")}
    assert {recording.leaf(source).name for source in cut.sources} == {*parameters, "x"}
    assert [(recording.node(node_id).name, slot) for node_id, slot in cut.consumers] == [("MulBackward0", 1)]


@pytest.mark.parametrize(
    ("use", "cuts"),
    [
        ("print(h.mean())", 0),
        ("g = h.exp()", 0),
        ("with torch.enable_grad():\n    y = h + x", 1),
        ("try:\n    h.backward()\nexcept RuntimeError:\n    pass", 1),
        ("try:\n    h.exp().backward()\nexcept RuntimeError:\n    pass", 1),
    ],
)
def test_what_a_module_computes_without_gradients_is_a_cut_where_it_matters(use: str, cuts: int) -> None:
    assert len(recorded(X + NET + FROZEN + use).cuts) == cuts


def test_an_optimizer_cuts_nothing() -> None:
    step = "torch.optim.SGD([x], lr=0.1, weight_decay=0.1, momentum=0.9, foreach=False).step()\n"
    assert recorded(X + "(x * x).sum().backward()\n" + step + "(x * x).sum().backward()").cuts == ()


def test_functions_that_take_only_the_shape_do_not_cut() -> None:
    assert recorded(X + "y = torch.zeros_like(x) + x.new_ones(3)").cuts == ()


def test_what_print_computes_is_not_recorded() -> None:
    recording = recorded(X + "print(x)\nprint(f'{x}')\nstr(x)")
    assert len(events_of(recording, Operation)) == 1
    assert len(events_of(recording, Printed)) == 2


def test_warnings_are_in_torchs_words() -> None:
    with pytest.warns(UserWarning, match="leaf"):
        recording = recorded(X + "y = x * 2\ny.sum().backward()\ny.grad")
    (warned,) = events_of(recording, Warned)
    assert "not a leaf Tensor" in warned.message
    assert expression(recording, warned.span) == "y.grad"


@pytest.mark.parametrize(
    ("code", "place", "node"),
    [
        (X + "y = (x * x).sum()\ny.backward()\ny.backward()", "y.backward()", "MulBackward0"),
        (X + "y = x.exp()\ny.add_(1)\ny.sum().backward()", "y.sum().backward()", "ExpBackward0"),
        (X + "x.add_(1)", "x.add_(1)", None),
    ],
)
def test_errors_point(code: str, place: str, node: str | None) -> None:
    recording = recorded(code)
    assert recording.error is not None
    assert expression(recording, recording.error.span) == place
    assert (recording.error.node_id and recording.node(recording.error.node_id).name) == node


def test_a_caught_error_does_not_end_the_program() -> None:
    recording = recorded(X + "y = (x * x)\ntry:\n    y.backward()\nexcept RuntimeError:\n    y.sum().backward()")
    assert recording.error is None
    assert [bool(event.error) for event in events_of(recording, BackwardEnded)] == [True, False]
    assert recording.grads["x"] is not None


def test_create_graph_builds_nodes_of_higher_order() -> None:
    recording = recorded("x = torch.tensor(3.0, requires_grad=True)\ny = x**3\ny.backward(create_graph=True)")
    second = [node for node in recording.nodes if node.order == 2]
    assert second
    assert {recording.node(str(node.made_by)).name for node in second} <= {"PowBackward0", "AccumulateGrad"}


def test_grad_returns_what_the_program_gets() -> None:
    recording = recorded(X + "g = torch.autograd.grad((x * x).sum(), x)")
    (ended,) = events_of(recording, BackwardEnded)
    assert to_tensor(ended.returned[0]).tolist() == [2.0, 4.0, 6.0]
    assert recording.backward_passes[0].accumulated == ()


def test_backward_limited_to_inputs() -> None:
    recording = recorded(X + "w = torch.ones(3, requires_grad=True)\n(x * w).sum().backward(inputs=[w])")
    assert events_of(recording, BackwardStarted)[0].inputs == ("w",)
    assert recording.grads["x"] is None


def test_limits_end_in_a_recording_that_says_so() -> None:
    code = "import torch\nx = torch.ones(3, requires_grad=True)\ny = x\nfor _ in range(50):\n    y = y * 1.01\ny.sum().backward()"
    for limits in (RecordingLimits(events=10), RecordingLimits(nodes=10)):
        session = record(source=code, filename="<program>", limits=limits)
        with session:
            exec(compile(code, "<program>", "exec"), {})
        assert session.recording.truncated
        assert len(session.recording.events) <= 53
        assert len(session.recording.nodes) <= 10 or limits.nodes > 10


def test_large_tensors_are_sampled() -> None:
    code = "import torch\nx = torch.arange(10_000.0)"
    session = record(source=code, filename="<program>", limits=RecordingLimits(values=100, sample=100))
    with session:
        exec(compile(code, "<program>", "exec"), {})
    value = session.recording.leaves[0].value
    assert (len(value.values), value.complete, value.stats.max) == (100, False, 9999.0)
    assert value.values == tuple(map(float, value.indices or ()))


def test_random_numbers_are_not_touched() -> None:
    torch.manual_seed(1)
    with record():
        x = torch.ones(3, requires_grad=True)
        (x * torch.rand(3)).sum().backward()
    after = torch.rand(1)
    torch.manual_seed(1)
    torch.rand(3)
    assert torch.equal(after, torch.rand(1))


def test_trusted_code_is_recorded_where_it_stands() -> None:
    with record() as session:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = (x * x).sum()
        y.backward()
    assert session.recording.grads["x"] is not None
    assert nodes_ran(session.recording) == ["SumBackward0", "MulBackward0", "AccumulateGrad"]


def test_torch_is_left_as_it_was_found() -> None:
    import gc
    import sys
    import warnings

    def found() -> tuple[object, ...]:
        tapped = torch.autograd.Function.__dict__["apply"], torch.autograd._engine_run_backward
        return sys.stdout, warnings.showwarning, *tapped, gc.get_threshold()

    before = found()
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(ZeroDivisionError), record():
        y = x * 2
        1 / 0
    assert before == found()
    assert torch.overrides._get_current_function_mode() is None
    y.sum().backward()
    assert x.grad is not None


def test_a_session_is_read_after_it_has_ended() -> None:
    session = record()
    with pytest.raises(SessionUnfinished), session:
        _ = session.recording


def test_long_chains_need_no_recursion() -> None:
    limits = RecordingLimits(events=50_000, nodes=20_000, values=1)
    with record(limits=limits) as session:
        x = torch.ones(1, requires_grad=True)
        y = x
        for _ in range(5_000):
            y = y * 1.0
        y.backward()
    assert len(session.recording.nodes) == 5_001
    assert len(events_of(session.recording, NodeRan)) == 5_001
    assert len(events_of(session.recording, Accumulated)) == 1


def test_half_a_character_is_spelled_out() -> None:
    assert recorded('print("\\ud800")').printed == "\\ud800\n"
    recording = recorded('raise ValueError("\\ud800")')
    assert recording.error is not None
    assert recording.error.message == "\\ud800"
    assert type(recording).from_json(recording.to_json()) == recording

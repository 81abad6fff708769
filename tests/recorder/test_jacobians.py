"""Local Jacobians as the recorder asks for them; `torch.func` and plain runs are the oracle."""

from __future__ import annotations

import contextlib
import io

import pytest
import torch
from test_recorder import PROGRAMS

from checker import PRELUDE, events_of, recorded, run_plain, to_tensor
from explorer.model import NodeRan, Recording
from explorer.recorder import RecordingLimits, record

X = "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"


def jacobians(code: str, name: str) -> list[torch.Tensor | None]:
    """The matrices of the first node of that name that ran."""
    recording = recorded(code)
    ran = next(run for run in events_of(recording, NodeRan) if recording.node(run.node_id).name == name)
    assert ran.jacobian is not None
    return [None if matrix is None else to_tensor(matrix) for matrix in ran.jacobian]


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("torch.exp(x)", "ExpBackward0"),
        ("x * 3", "MulBackward0"),
        ("F.softmax(x, 0)", "SoftmaxBackward0"),
        ("x.cumsum(0)", "CumsumBackward0"),
        ("x.sum()", "SumBackward0"),
        ("x.expand(4, 3)", "ExpandBackward0"),
        ("x[torch.tensor([0, 0, 2])]", "IndexBackward0"),
        ("x.flip(0)", "FlipBackward0"),
        ("F.layer_norm(x, (3,))", "NativeLayerNormBackward0"),
    ],
)
def test_it_is_the_jacobian_of_the_function(expression: str, name: str) -> None:
    function = eval(f"lambda x: {expression}", {"torch": torch, "F": torch.nn.functional})
    expected = torch.autograd.functional.jacobian(function, torch.tensor([1.0, 2.0, 3.0])).reshape(-1, 3)
    found = jacobians(f"{X}y = {expression}\ny.backward(torch.ones_like(y))", name)
    assert found[0] is not None
    torch.testing.assert_close(found[0], expected)


def test_each_slot_has_its_own() -> None:
    one, other = jacobians(f"{X}w = torch.ones(2, 3, requires_grad=True)\n(w @ x).sum().backward()", "MvBackward0")
    assert one is not None
    assert other is not None
    assert (one.shape, other.shape) == ((2, 6), (2, 3))


def test_rows_of_several_outputs_follow_each_other() -> None:
    matrix = jacobians(f"{X}a, b, c = x.unbind()\n(a + 2 * c).backward()", "UnbindBackward0")[0]
    assert matrix is not None
    assert matrix.tolist() == [[1, 0, 0], [0, 0, 1]], "no row for the output that got no gradient"


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_are_the_same_with_and_without(name: str) -> None:
    with_, without = (recorded_with(PROGRAMS[name], jacobians=asked) for asked in (True, False))
    assert gradients(with_) == gradients(without)
    assert with_.grads == without.grads
    assert with_.printed == without.printed
    assert not any(run.jacobian for run in events_of(without, NodeRan))


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_product_with_what_came_in_is_what_was_sent_on(name: str) -> None:
    for run in events_of(recorded(PROGRAMS[name]), NodeRan):
        for matrix, sent in zip(run.jacobian or (), run.grad_inputs, strict=False):
            if matrix is None or sent is None:
                continue
            came = torch.cat([to_tensor(grad).reshape(-1) for grad in run.grad_outputs if grad is not None])
            if to_tensor(matrix).isfinite().all() and came.isfinite().all():
                expected = to_tensor(sent).reshape(-1).float()
                torch.testing.assert_close(came.float() @ to_tensor(matrix).float(), expected, rtol=1e-2, atol=1e-5)


def recorded_with(code: str, *, jacobians: bool) -> Recording:
    torch.manual_seed(0)
    code = PRELUDE + code
    session = record(source=code, filename="<program>", jacobians=jacobians)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception), session:
        exec(compile(code, "<program>", "exec"), {})
    return session.recording


def gradients(recording: Recording) -> list[object]:
    return [(run.node_id, run.grad_outputs, run.grad_inputs) for run in events_of(recording, NodeRan)]


def test_large_nodes_are_left_alone() -> None:
    recording = recorded("x = torch.ones(17, requires_grad=True)\nx.exp().sum().backward()")
    by_name = {recording.node(run.node_id).name: run.jacobian for run in events_of(recording, NodeRan)}
    assert by_name["ExpBackward0"] is None
    assert by_name["SumBackward0"] == (None,), "one row, but seventeen columns"


def test_a_function_of_the_program_is_called_once() -> None:
    code = (
        "calls = []\nclass Double(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, x):\n        return 2 * x\n"
        "    @staticmethod\n    def backward(ctx, g):\n        calls.append(g)\n        return 2 * g\n"
        f"{X}Double.apply(x).sum().backward()\nprint(len(calls))"
    )
    recording = recorded(code)
    assert recording.printed == "1\n"
    custom = next(node.id for node in recording.nodes if node.kind == "custom")
    assert next(run for run in events_of(recording, NodeRan) if run.node_id == custom).jacobian is None


def test_saved_tensors_that_the_program_unpacks_are_left_alone() -> None:
    code = (
        f"{X}unpacked = []\ndef unpack(t):\n    unpacked.append(t)\n    return t\n"
        "with torch.autograd.graph.saved_tensors_hooks(lambda t: t, unpack):\n    y = x.exp()\n"
        "y.sum().backward()\nprint(len(unpacked))"
    )
    assert recorded(code).printed == run_plain(PRELUDE + code)[1] == "1\n"


def test_hooks_of_the_program_run_once_and_random_numbers_go_on() -> None:
    code = (
        f"{X}calls = []\ny = F.dropout(x * 2, 0.5)\ny.register_hook(lambda g: calls.append(g))\n"
        "y.grad_fn.register_hook(lambda *_: calls.append(1))\ny.sum().backward()\nprint(len(calls), torch.rand(2))"
    )
    assert recorded(code).printed == run_plain(PRELUDE + code)[1]


def test_a_second_derivative_is_the_same() -> None:
    code = f"{X}(g,) = torch.autograd.grad((x ** 3).sum(), x, create_graph=True)\n(g * g).sum().backward()"
    recording = recorded(code)
    assert len(recording.nodes) == len(recorded_with(code, jacobians=False).nodes), "asking adds nothing to the graph"


def test_no_more_are_asked_for_than_the_limit_says() -> None:
    with record(limits=RecordingLimits(jacobians=2)) as session:
        x = torch.ones(2, requires_grad=True)
        x.exp().exp().exp().sum().backward()
    assert sum(run.jacobian is not None for run in events_of(session.recording, NodeRan)) == 2


def test_a_node_with_a_large_input_is_not_asked_at_all() -> None:
    recording = recorded("x = torch.ones(5000, requires_grad=True)\n(x * x).sum().backward()")
    assert all(run.jacobian is None for run in events_of(recording, NodeRan))


def test_anomaly_detection_finds_what_it_finds_without() -> None:
    code = f"{X}torch.autograd.set_detect_anomaly(True)\n((x - x).sqrt() * 0).sum().backward()"
    with_, without = (recorded_with(code, jacobians=asked) for asked in (True, False))
    torch.autograd.set_detect_anomaly(False)
    assert with_.error is not None
    assert without.error is not None
    assert with_.error.message == without.error.message
    assert gradients(with_) == gradients(without)

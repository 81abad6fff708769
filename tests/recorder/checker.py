"""One checker that carries the recorder's tests: what was recorded is what plain torch does, and torch is unharmed."""

from __future__ import annotations

import contextlib
import gc
import io
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch.autograd.graph import GradientEdge, get_gradient_edge

from explorer.model import Accumulated, BackwardPass, NodeRan, Recording, TensorValue
from explorer.recorder import RecordingLimits, Session, record
from explorer.recorder.builder import Builder

PRELUDE = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def run_plain(code: str) -> tuple[dict[str, Any], str, Exception | None]:
    """Runs a program with nobody watching: its variables, what it printed, what it raised."""
    variables: dict[str, Any] = {"__name__": "__main__"}
    torch.manual_seed(0)
    raised = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            exec(compile(code, "<program>", "exec"), variables)
        except Exception as error:
            raised = error
    return variables, printed.getvalue(), raised


def run_recorded(code: str, limits: RecordingLimits | None = None) -> tuple[Session, dict[str, Any], str]:
    """The same while the recorder watches."""
    variables: dict[str, Any] = {"__name__": "__main__"}
    torch.manual_seed(0)
    session = record(source=code, filename="<program>", seed=0, limits=limits)
    builder = weakref.ref(session._builder)
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(Exception), session:
        exec(compile(code, "<program>", "exec"), variables)
    check_nothing_left(builder)
    return session, variables, printed.getvalue()


def recorded(code: str) -> Recording:
    """The recording of a program, its imports put in front."""
    return run_recorded(PRELUDE + code)[0].recording


def check_recording(code: str, *, sums: bool = True) -> Recording:
    """Runs a program plain and recorded and compares everything that can be compared.

    Args:
        code: The program, without its imports.
        sums: Whether gradients arrive as they were sent; a hook of the program may change them on their way.
    """
    code = PRELUDE + code
    with heard() as plain_warnings:
        plain, plain_printed, plain_error = run_plain(code)
    with heard() as recorded_warnings:
        session, variables, printed = run_recorded(code)
    recording = session.recording
    assert {*map(first_line, recorded_warnings)} <= {*map(first_line, plain_warnings)}  # torch says some only once
    assert printed == recording.printed == plain_printed
    check_error(recording, plain_error)
    check_same_gradients(plain, variables, recording)
    check_order(recording, engine_log(code))
    if sums:
        check_sums(recording)
    assert Recording.from_json(recording.to_json()) == recording
    return recording


def heard() -> Any:
    """What warns in a `with` block, however often."""
    return warnings.catch_warnings(record=True, action="always")


def first_line(warning: warnings.WarningMessage) -> str:
    """What a warning says, without a traceback."""
    return str(warning.message).splitlines()[0]


def check_error(recording: Recording, plain_error: Exception | None) -> None:
    """The same exception, or none."""
    if plain_error is None:
        assert recording.error is None
        return
    assert recording.error is recording.events[-1]
    assert (recording.error.type, recording.error.message) == (type(plain_error).__name__, str(plain_error))


def check_same_gradients(plain: dict[str, Any], watched: dict[str, Any], recording: Recording) -> None:
    """Every `.grad` has the same bits with and without the recorder, and they are the ones in the recording."""
    for name, tensor in leaves(plain):
        grad, seen = tensor.grad, dict(leaves(watched))[name].grad
        assert (grad is None) == (seen is None)
        if grad is not None:
            plainly, watched_too = grad.to_dense(), seen.to_dense()
            assert torch.equal(plainly.isnan(), watched_too.isnan())
            assert torch.equal(plainly.nan_to_num(), watched_too.nan_to_num())
        if name in recording.grads:
            check_value(recording.grads[name], grad)


def leaves(variables: dict[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    """The program's own tensors that want a gradient, by name."""
    for name, value in list(variables.items()):
        if isinstance(value, torch.Tensor) and value.is_leaf and value.requires_grad:
            yield name, value
        if isinstance(value, torch.nn.Module):
            yield from ((f"{name}.{path}", parameter) for path, parameter in value.named_parameters())


def check_value(value: TensorValue | None, tensor: torch.Tensor | None) -> None:
    """A value holds exactly the elements of a tensor."""
    assert (value is None) == (tensor is None)
    if value is not None and tensor is not None:
        assert value.shape == tuple(tensor.shape)
        assert torch.equal(to_tensor(value).nan_to_num(), tensor.detach().to_dense().nan_to_num())


def to_tensor(value: TensorValue) -> torch.Tensor:
    """A value as a tensor again."""
    kind = getattr(torch, value.dtype)
    read = complex if kind.is_complex else float if kind.is_floating_point else int
    return torch.tensor([read(number) for number in value.values], dtype=kind).reshape(value.shape)


def engine_log(code: str) -> list[str]:
    """The names of the nodes in the order they run, by hooks of its own on a run of its own."""
    log: list[str] = []
    hooked: dict[Any, Any] = {}

    def watch(*roots: Any) -> None:
        pending = [gradient_node(root) for root in roots if isinstance(root, (torch.Tensor, GradientEdge))]
        while pending:
            node = pending.pop()
            if node is not None and node not in hooked:
                name = type(node).__name__
                hooked[node] = node.register_hook(lambda *_, name=name: log.append(name))
                pending += [following for following, _ in node.next_functions]

    def wrap(original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            first = args[0] if args else kwargs.get("tensors", kwargs.get("outputs"))
            watch(*(first if type(first) in {list, tuple} else (first,)))
            return original(*args, **kwargs)

        return call

    was = torch.Tensor.backward, torch.autograd.backward, torch.autograd.grad
    torch.Tensor.backward, torch.autograd.backward, torch.autograd.grad = map(wrap, was)
    try:
        run_plain(code)
    finally:
        torch.Tensor.backward, torch.autograd.backward, torch.autograd.grad = was
    return log


def gradient_node(root: torch.Tensor | GradientEdge) -> Any:
    """Where a pass starts that has this root."""
    if isinstance(root, GradientEdge):
        return root.node
    return get_gradient_edge(root).node if root.requires_grad else None


def check_order(recording: Recording, log: list[str]) -> None:
    """The nodes ran in the engine's order."""
    ran = [recording.node(event.node_id).name for event in events_of(recording, NodeRan)]
    assert ran == log


def check_sums(recording: Recording) -> None:
    """What arrives at a node is the sum of what its edges and roots carry, and before + incoming = after."""
    for one in recording.backward_passes:
        sent = {step.node_id: step.grad_inputs for step in one.steps}
        for step in one.steps:
            for input_nr, received in enumerate(step.grad_outputs):
                edges = [edge for edge in recording.edges_to(step.node_id) if edge.input_nr == input_nr]
                carried = [sent[edge.source][edge.slot] for edge in edges if edge.source in sent]
                if all(value is None or value.complete for value in (received, *carried)):
                    check_sum([*map(to_tensor, filter(None, carried)), *seeds(one, step.node_id, input_nr)], received)
        for event in one.accumulated:
            check_accumulation(event)


def seeds(one: BackwardPass, node_id: str, input_nr: int) -> list[torch.Tensor]:
    """What a pass starts with at one of a node's results."""
    roots = [root for root in one.started.roots if (root.node_id, root.input_nr) == (node_id, input_nr)]
    return [to_tensor(root.seed_grad) if root.seed_grad else torch.ones(root.value.shape) for root in roots]


def check_sum(parts: list[torch.Tensor], received: TensorValue | None) -> None:
    """A node receives the sum of the parts; nothing where there is none."""
    if received is None or not parts:
        assert received is None
        return
    total, expected = sum(parts[1:], start=parts[0]), to_tensor(received)
    tolerance = 0.05 if expected.dtype in {torch.float16, torch.bfloat16} else 1e-5
    assert torch.allclose(total.to(expected.dtype), expected, rtol=tolerance, atol=1e-6, equal_nan=True)


def check_accumulation(event: Accumulated) -> None:
    """before + incoming = after."""
    incoming, after = to_tensor(event.incoming), to_tensor(event.after)
    before = torch.zeros_like(incoming) if event.before is None else to_tensor(event.before)
    assert torch.allclose(before + incoming, after, equal_nan=True)


def check_nothing_left(builder: weakref.ref[Builder]) -> None:
    """Hooks hold the builder; if it is gone, so are they."""
    if builder() is not None:
        gc.collect()  # an exception and the frames that it came through hold one another
    assert builder() is None


def nodes_ran(recording: Recording, backward_pass: int = 0) -> list[str]:
    """The names of the nodes of one pass, in order."""
    return [recording.node(step.node_id).name for step in recording.backward_passes[backward_pass].steps]


def expression(recording: Recording, span: Any) -> str:
    """The text of a span on one line."""
    assert recording.source is not None
    return recording.source.split("\n")[span.line - 1][span.column : span.end_column]


def events_of(recording: Recording, kind: type) -> list[Any]:
    """The events of one kind."""
    return [event for event in recording.events if isinstance(event, kind)]

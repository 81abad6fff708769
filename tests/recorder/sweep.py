"""Runs one call of torch three times, plain, watched by hooks of its own, and recorded, and compares all of it."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

from checker import to_tensor
from explorer.model import NodeRan, Recording, TensorValue
from explorer.recorder import RecordingLimits, record
from explorer.render.dot import to_dot
from explorer.render.layout import lay_out

COUNTS: Counter[str] = Counter()
"""What a sweep has seen, for the summary of the test run."""

NOTES: list[str] = []
"""What is to be said beside them."""

LIMITS = RecordingLimits(values=64, sample=16)

Call = Callable[[Any], Any]
Log = list[tuple[str, tuple[Any, ...], tuple[Any, ...]]]


def check_call(call: Call, arguments: Any) -> None:
    """Everything about one call: same results and gradients, the engine's own numbers, exact JSON, a drawing.

    Args:
        call: What to call with the arguments.
        arguments: A tree of tensors; each run gets copies of its own.
    """
    torch.manual_seed(0)
    plain_outputs, plain_grads, log = run(call, arguments, logged=True)
    torch.manual_seed(0)
    with record(source="", limits=LIMITS, jacobians=False) as session:
        outputs, grads, _ = run(call, arguments, logged=False)
    recording = session.recording
    assert recording.error is None
    assert not recording.truncated
    for one, other in zip([*plain_outputs, *plain_grads], [*outputs, *grads], strict=True):
        check_same(one, other)
    check_log(recording, log)
    assert Recording.from_json(recording.to_json()) == recording
    check_drawing(recording)
    COUNTS["calls"] += 1
    COUNTS["nodes"] += len(recording.nodes)
    COUNTS["nodes run"] += len(log)


def run(call: Call, arguments: Any, *, logged: bool) -> tuple[list[Any], list[Any], Log]:
    """The outputs, the gradients of the arguments, and what hooks on every node have seen."""
    given = fresh_in(arguments)
    log: Log = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = tensors_in(call(given))
        roots = [output for output in outputs if output.grad_fn is not None]
        if logged:
            watch(roots, log)
        if roots:
            torch.autograd.backward(roots, [torch.ones_like(root) for root in roots])
        leaves = [tensor for tensor in tensors_in(given) if tensor.requires_grad]
        return [output.detach() for output in outputs], [leaf.grad for leaf in leaves], log


def fresh_in(arguments: Any) -> Any:
    """The same tree with leaves of its own."""
    return tree_map_only(torch.Tensor, fresh, arguments)


def fresh(tensor: torch.Tensor) -> torch.Tensor:
    """A leaf with the same elements, laid out alike in memory of its own."""
    plain = tensor.detach()
    if plain.layout is not torch.strided:
        return plain.clone().requires_grad_(tensor.requires_grad)
    storage = plain.untyped_storage().clone()
    copy = plain.new_empty(()).set_(storage, plain.storage_offset(), plain.shape, plain.stride())
    copy = copy.conj() if plain.is_conj() else copy
    return copy.requires_grad_(tensor.requires_grad)


def tensors_in(thing: Any) -> list[torch.Tensor]:
    """The tensors of a tree, parameters of modules among them, each once."""
    found: dict[int, torch.Tensor] = {}
    pending = [thing]
    while pending:
        part = pending.pop(0)
        if isinstance(part, torch.Tensor):
            found.setdefault(id(part), part)
        elif isinstance(part, torch.nn.Module):
            pending += part.parameters()
        elif isinstance(part, (list, tuple)):
            pending += part
        elif isinstance(part, dict):
            pending += part.values()
        elif hasattr(part, "__dict__") and type(part).__module__.startswith("torch.testing"):
            pending += vars(part).values()
    return list(found.values())


def watch(roots: list[torch.Tensor], log: Log) -> None:
    """Logs every node behind the roots with hooks of its own; holds the nodes until then."""
    seen: dict[Any, None] = {}
    pending = [root.grad_fn for root in roots]
    while pending:
        node = pending.pop()
        if node is None or node in seen:
            continue
        seen[node] = None
        came: list[Any] = []

        def before(grads: Any, came: list[Any] = came) -> None:
            came[:] = map(copied, grads)

        def after(sent: Any, _: Any, came: list[Any] = came, name: str = type(node).__name__) -> None:
            log.append((name, tuple(came), tuple(map(copied, sent))))

        node.register_prehook(before)
        node.register_hook(after)
        pending += [following for following, _ in node.next_functions]


def copied(grad: torch.Tensor | None) -> torch.Tensor | None:
    """What a gradient holds now."""
    return None if grad is None else grad.detach().clone()


def check_log(recording: Recording, log: Log) -> None:
    """Every node ran in the engine's order, with the numbers that other hooks have seen."""
    ran = [event for event in recording.events if isinstance(event, NodeRan)]
    assert [recording.node(event.node_id).name for event in ran] == [name for name, _, _ in log]
    for event, (_, came, sent) in zip(ran, log, strict=True):
        for value, tensor in zip([*event.grad_outputs, *event.grad_inputs], [*came, *sent], strict=True):
            check_exact(value, tensor)


def check_exact(value: TensorValue | None, tensor: torch.Tensor | None) -> None:
    """A value holds a tensor's elements, or a sample of them, to the last bit."""
    assert (value is None) == (tensor is None)
    if value is None or tensor is None:
        return
    assert value.shape == tuple(tensor.shape)
    assert value.dtype == str(tensor.dtype).removeprefix("torch.")
    flat = (tensor if tensor.layout is torch.strided else tensor.to_dense()).reshape(-1)
    expected = flat if value.indices is None else flat[torch.tensor(value.indices)]
    check_same(elements(value), expected)
    COUNTS["numbers"] += len(value.values)
    if value.summary is not None and flat.isfinite().all() and not flat.is_complex():
        assert value.summary.max == flat.max().item()
        assert math.isclose(value.stats.norm, flat.double().norm().item(), rel_tol=1e-5)


def elements(value: TensorValue) -> torch.Tensor:
    """The elements that a value holds, in its own type."""
    flat = TensorValue(shape=(len(value.values),), dtype=value.dtype, values=value.values)
    return to_tensor(flat)


def check_same(one: torch.Tensor | None, other: torch.Tensor | None) -> None:
    """Two tensors have the same bits, but for those of NaN."""
    assert (one is None) == (other is None)
    if one is None or other is None:
        return
    assert (one.shape, one.dtype, one.layout) == (other.shape, other.dtype, other.layout)
    if one.layout is not torch.strided:
        one, other = one.to_dense(), other.to_dense()
    for first, second in parts(one, other):
        assert torch.equal(first.isnan(), second.isnan())
        kept = ~first.isnan()
        assert torch.equal(first[kept], second[kept])
        assert torch.equal(first[kept].signbit(), second[kept].signbit())


def parts(one: torch.Tensor, other: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Both tensors, or their real and imaginary parts."""
    if one.is_complex():
        yield one.real, other.real
        yield one.imag, other.imag
    else:
        yield one, other


DRAWN: set[tuple[str, ...]] = set()


def check_drawing(recording: Recording) -> None:
    """The graph becomes DOT; Graphviz lays out the first of each structure, for it takes long."""
    dot = to_dot(recording)
    structure = tuple(node.name for node in recording.nodes)
    if structure in DRAWN:
        return
    DRAWN.add(structure)
    svg = lay_out(dot)
    assert all(f'id="{node.id}"' in svg for node in recording.nodes)
    COUNTS["drawings"] += 1

"""The recorder changes nothing: results, random numbers, versions, identities, memory; and it leaves nothing behind."""

from __future__ import annotations

import gc
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from checker import nodes_ran
from explorer.model import Printed, Warned
from explorer.recorder import RecordingLimits, Session, record

LARGE = 100_000


def train(steps: int = 3) -> tuple[list[torch.Tensor], list[int]]:
    """A small training loop with everything in it that depends on random numbers: results and versions."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.3), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        losses.append((net(torch.randn(16, 4)) - 1).pow(2).mean())
        losses[-1].backward()
        optimizer.step()
    results = [*losses, *net.parameters(), *(p.grad for p in net.parameters() if p.grad is not None), torch.rand(3)]
    return results, [tensor._version for tensor in results]


def test_results_random_numbers_and_versions_have_the_same_bits() -> None:
    plain, plain_versions = train()
    with record():
        watched, watched_versions = train()
    assert all(torch.equal(one, other) for one, other in zip(plain, watched, strict=True))
    assert plain_versions == watched_versions


@pytest.mark.parametrize("set_to_none", [True, False])
def test_grads_are_the_same_tensors(set_to_none: bool) -> None:
    """Whether torch adds to the tensor that `.grad` is or puts another there does not depend on the recorder."""

    def identities() -> list[bool]:
        x = torch.ones(3, requires_grad=True)
        found = []
        for _ in range(3):
            before = x.grad
            (x * x).sum().backward()
            found.append(x.grad is before)
            if set_to_none:
                x.grad = None
        return found

    plain = identities()
    with record():
        assert identities() == plain


def test_a_gradient_is_taken_over_and_not_copied_where_torch_does_so() -> None:
    def memory_of_grad() -> tuple[bool, int]:
        x = torch.ones(LARGE, requires_grad=True)
        seen: list[int] = []
        x.register_hook(lambda grad: seen.append(grad.data_ptr()))
        (x * 2).backward(torch.ones(LARGE))
        assert x.grad is not None
        return x.grad.data_ptr() == seen[0], x.grad._version

    plain = memory_of_grad()
    with record():
        assert memory_of_grad() == plain


def freed_while_running() -> dict[str, bool]:
    """Which tensors are gone as soon as nothing of the program needs them."""
    x = torch.ones(LARGE, requires_grad=True)
    gone: dict[str, bool] = {}
    hidden = x.exp()
    kept = weakref.ref(hidden)
    y = (hidden * 2).sum()
    del hidden
    gone["saved before the pass"] = kept() is None
    y.backward()
    gone["saved after the pass"] = kept() is None
    unused = x.exp()
    result = weakref.ref(unused)
    unused = unused * 2
    gone["result in the middle"] = result() is None
    del unused
    gone["graph that nobody ran"] = result() is None
    leaf = weakref.ref(x)
    del x, y
    gone["leaf"] = leaf() is None
    return gone


def test_memory_is_freed_when_torch_frees_it() -> None:
    plain = freed_while_running()
    with record():
        watched = freed_while_running()
    assert watched == plain


@pytest.mark.parametrize("how", ["the pass has run", "the graph is dropped"])
def test_what_a_node_saved_is_freed(how: str) -> None:
    """The memory of the `result` that exp saves."""
    with record():
        x = torch.ones(LARGE, requires_grad=True)
        y = x.exp()
        memory = StorageWeakRef(y.untyped_storage())
        z = (y * y).sum()
        del y
        assert not memory.expired()
        if how == "the pass has run":
            z.backward()
        else:
            del z
        assert memory.expired()


def test_no_reference_is_left() -> None:
    with record() as session:
        x = torch.ones(LARGE, requires_grad=True)
        y = (x * 2).exp()
        z = y.sum()
        z.backward(retain_graph=True)
    references = [weakref.ref(tensor) for tensor in (x, y, z, x.grad)]
    nodes = y.grad_fn, z.grad_fn
    assert all(not node.metadata for node in nodes)
    calls = len(session.recording.events)
    z.backward()
    assert len(session.recording.events) == calls, "hooks have gone"
    del x, y, z, nodes
    assert [reference() for reference in references] == [None] * 4, "without a garbage collection"


def test_a_session_may_be_dropped_without_a_trace() -> None:
    session = record()
    with session:
        x = torch.ones(3, requires_grad=True)
        y = (x * x).sum()
        y.backward()
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


class Counting(TorchFunctionMode):
    """Sees torch functions."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(getattr(func, "__name__", ""))
        return func(*args, **(kwargs or {}))


class CountingBelow(TorchDispatchMode):
    """Sees the operations below them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("mode", [Counting, CountingBelow])
def test_modes_of_the_program_see_what_they_see_without(mode: Any) -> None:
    def seen(outside: bool, watched: bool) -> list[str]:
        x = torch.ones(100, requires_grad=True)
        optimizer = torch.optim.SGD([x, torch.ones(2, requires_grad=True)])

        def work() -> None:
            (x.exp() * 2).sum().backward()
            optimizer.step()
            x.grad = None

        if not watched:
            with mode() as counting:
                work()
        elif outside:
            with mode() as counting, record():
                work()
        else:
            with record(), mode() as counting:
                work()
        return counting.seen

    plain = seen(outside=True, watched=False)
    assert seen(outside=True, watched=True) == plain
    assert seen(outside=False, watched=True) == plain


def test_sessions_nest() -> None:
    with record() as outer:
        x = torch.ones(2, requires_grad=True)
        with record() as inner:
            (x * x).sum().backward()
        (x * x).sum().backward()
    assert len(inner.recording.backward_passes) == 1
    assert len(outer.recording.backward_passes) == 2
    assert nodes_ran(inner.recording) == nodes_ran(outer.recording) == nodes_ran(outer.recording, 1)
    names = [event.name for event in outer.recording.events if hasattr(event, "name")]
    assert names == ["ones", "mul", "sum", "mul", "sum"], "nothing of what the inner one asked"


def test_a_graph_may_be_recorded_again() -> None:
    x = torch.ones(2, requires_grad=True)
    with record() as first:
        y = (x * x).sum()
    sessions: list[Session] = []
    for _ in range(2):
        with record() as again:
            y.backward(retain_graph=True)
        sessions.append(again)
    assert [node.name for node in sessions[0].recording.nodes] == [node.name for node in first.recording.nodes]
    assert sessions[1].recording.backward_passes[0].accumulated[0].before.values == (2.0, 2.0)


def test_two_threads_record_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Each session has what its own thread did, and torch is as it was when the last one has ended."""
    found: dict[int, Session] = {}
    ready = threading.Barrier(2)

    def work(number: int) -> None:
        ready.wait()
        with record() as session:
            x = torch.full((2,), float(number), requires_grad=True)
            for step in range(30):
                (x**number).sum().backward()
                print(f"{number} {step}")
        found[number] = session

    before = sys.stdout, warnings.showwarning, torch.autograd.Function.__dict__["apply"]
    threads = [threading.Thread(target=work, args=(number,)) for number in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert before == (sys.stdout, warnings.showwarning, torch.autograd.Function.__dict__["apply"])
    for number, session in found.items():
        recording = session.recording
        assert len(recording.backward_passes) == 30
        assert recording.printed == "".join(f"{number} {step}\n" for step in range(30))
        expected = 30 * number * float(number) ** (number - 1)
        (grad,) = recording.grads.values()
        assert grad.values == (expected, expected)
    assert sorted(capsys.readouterr().out.split("\n")) != []


def test_an_exception_in_the_block_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), record() as session:
        x = torch.ones(2, requires_grad=True)
        x.sum().backward()
        1 / 0
    recording = session.recording
    assert (recording.error.type, recording.events[-1]) == ("ZeroDivisionError", recording.error)
    assert nodes_ran(recording) == ["SumBackward0", "AccumulateGrad"]


@pytest.mark.parametrize(
    "limits",
    [
        RecordingLimits(events=20),
        RecordingLimits(nodes=20),
        RecordingLimits(edges=20),
        RecordingLimits(elements=200),
        RecordingLimits(characters=100),
    ],
)
def test_limits_end_in_a_recording_that_says_so(limits: RecordingLimits) -> None:
    with record(limits=limits) as session:
        x = torch.ones(30, requires_grad=True)
        y = x
        for step in range(100):
            y = y * 1.01
            print(step)
        y.sum().backward()
    recording = session.recording
    assert recording.truncated
    assert len(recording.events) <= 150
    assert len(recording.nodes) <= 60
    assert type(recording).from_json(recording.to_json()) == recording
    assert x.grad is not None


def test_after_a_limit_nothing_is_kept() -> None:
    with record(limits=RecordingLimits(events=100)) as session:
        builder = session._builder
        x = torch.ones(2000, requires_grad=True)
        for _ in range(2_000):
            (x * 2).sum().backward()
    assert len(builder.events) == 100
    assert not builder.snapshots._batches
    assert len(session.recording.nodes) < 200


def test_what_watched_is_gone_with_the_block() -> None:
    """At once: to wait for Python's garbage collection would keep the memory of many sessions."""
    gc.disable()
    try:
        with record() as session:
            watchers = [weakref.ref(one) for one in (session._builder, session._passes, session._mode)]
            x = torch.ones(3, requires_grad=True)
            y = x * 2
            y.sum().backward(retain_graph=True)
        assert [one() for one in watchers] == [None] * 3
        ended = weakref.ref(session)
        del session
        assert ended() is None
    finally:
        gc.enable()


def test_what_is_printed_after_a_limit_is_kept() -> None:
    with record(limits=RecordingLimits(events=20)) as session:
        x = torch.ones(3, requires_grad=True)
        for step in range(100):
            (x * 2).sum().backward()
            print(step)
    recording = session.recording
    assert recording.truncated
    assert recording.printed == "".join(f"{step}\n" for step in range(100))
    assert len(recording.events) == 21


@pytest.mark.parametrize("where", ["before", "inside", "later"])
def test_the_programs_own_unpacking_is_called_as_often_as_without(where: str) -> None:
    """To read a saved tensor, or to ask its node for a Jacobian, would call it."""

    def unpack(tensor: torch.Tensor) -> torch.Tensor:
        calls.append(where)
        return tensor

    def graph() -> torch.Tensor:
        if where == "later":
            y = torch.ones(3, requires_grad=True).pow(2)
            y.grad_fn._raw_saved_self.register_hooks(lambda tensor: tensor, unpack)
            return y
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, unpack):
            return torch.ones(3, requires_grad=True).pow(2)

    calls: list[str] = []
    before = graph()
    with record() as session:
        y = before if where == "before" else graph()
        y.sum().backward()
    assert calls == [where]
    assert len(session.recording.backward_passes[0].steps) == 3


class Secretive:
    """Its methods are the program's own affair."""

    def refuse(self, *_: Any, **__: Any) -> Any:
        raise ValueError("the recorder has called this")

    items = values = __iter__ = named_parameters = named_buffers = named_modules = __repr__ = refuse


@pytest.mark.parametrize(
    "held",
    [
        "type('D', (Secretive, dict), {})(a=x)",
        "type('L', (Secretive, list), {})([x])",
        "{Secretive(): x}",
        "{type('S', (Secretive, str), {})('a'): x}",
        "type('M', (Secretive, torch.nn.Linear), {})(2, 2)",
    ],
)
def test_what_holds_tensors_is_looked_through_without_its_own_methods(held: str) -> None:
    variables = {"torch": torch, "Secretive": Secretive}
    code = f"x = torch.ones(2, requires_grad=True)\nheld = {held}\n(x * 2).sum().backward()"
    with record(source=code, filename="<program>") as session:
        exec(compile(code, "<program>", "exec"), variables)
    assert session.recording.grads["x"].values == (2.0, 2.0)


def test_lists_that_hold_themselves_are_no_trouble() -> None:
    deep: list[Any] = [torch.ones(2, requires_grad=True)]
    deep.append(deep)
    with record():
        assert Twice.apply(deep[0], deep).tolist() == [2.0, 2.0]


class Twice(torch.autograd.Function):
    """Takes what it does not look at."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, _: Any) -> torch.Tensor:
        return tensor * 2


def test_a_tensor_that_only_looks_large_costs_nothing() -> None:
    with record() as session:
        x = torch.ones(1, requires_grad=True)
        x.expand(10**12)
    (value,) = session.recording.events[-1].values
    assert (value.shape, value.stats.max, value.stats.norm) == ((10**12,), 1.0, 1e6)


def test_a_graph_with_100_000_edges() -> None:
    limits = RecordingLimits(events=10_000_000, nodes=10_000_000, edges=10_000_000, elements=10**9)
    with record(limits=limits, jacobians=False) as session:
        x = torch.ones((), requires_grad=True)
        torch.stack([x] * 100_000).sum().backward()
    assert len(session.recording.edges) == 100_001
    assert session.recording.grads == {"x": session.recording.backward_passes[0].accumulated[0].after}
    with record() as limited:
        torch.stack([x] * 100_000).sum().backward()
    assert limited.recording.truncated


def test_a_chain_of_10_000_operations() -> None:
    limits = RecordingLimits(events=50_000, nodes=20_000, edges=50_000, values=1)
    with record(limits=limits, jacobians=False) as session:
        x = torch.ones(1, requires_grad=True)
        y = x
        for _ in range(10_000):
            y = y * 1.0
        y.backward()
    recording = session.recording
    assert (len(recording.nodes), len(recording.edges), recording.truncated) == (10_001, 10_000, False)
    assert len(nodes_ran(recording)) == 10_001


def test_what_is_printed_piece_by_piece_is_one_event() -> None:
    with record() as session:
        for _ in range(3):
            print(1, "a", end="")
        print()
    printed = [event.text for event in session.recording.events if isinstance(event, Printed)]
    assert printed == ["1 a1 a1 a", "\n"]


def test_printing_much_takes_time_in_proportion(capsys: pytest.CaptureFixture[str]) -> None:
    with record() as session:
        for _ in range(20_000):
            print("x", end="")
    assert [len(event.text) for event in session.recording.events] == [20_000]


def test_variables_that_the_program_asked_for_stay() -> None:
    with record():
        x = torch.ones(2, requires_grad=True)
        variables = locals()
        (x * x).sum().backward()
        assert variables["x"] is x


@pytest.mark.parametrize(
    "act",
    [
        lambda x, b: b.add_(x).sum().backward(),
        lambda x, b: b.copy_(x).zero_(),
        lambda x, b: b.__setitem__(0, x.sum()),
        lambda x, b: setattr(x * 2, "grad", None),
        lambda x, b: setattr(x * 2, "grad", b),
        lambda x, b: delattr(x * 2, "grad"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_reading_a_grad_warns_nobody(act: Callable[[torch.Tensor, torch.Tensor], Any]) -> None:
    """torch warns where one reads the `.grad` of a result, such as a buffer that a result was added to in place."""
    x = torch.ones(3, requires_grad=True)
    with record() as session:
        b = torch.zeros(3)
        act(x, b)
        x.sum().backward()
    recording = session.recording
    assert not [event for event in recording.events if isinstance(event, Warned)]
    assert {leaf.name for leaf in recording.leaves} <= {"x", "b"}

"""Hypothesis strategies for programs: lines of PyTorch that run, whatever is drawn."""

from __future__ import annotations

from hypothesis import strategies as st

SHAPES = ["3", "2, 3", "1, 3", "2, 1", "()"]
UNARY = ["sin", "exp", "tanh", "abs", "sigmoid", "relu", "square", "neg", "cos"]
BINARY = ["+", "-", "*"]
VIEWS = [
    "{a}.flatten()",
    "{a}.unsqueeze(0)",
    "{a}.t()",
    "{a}[..., :2]",
    "{a}.expand(2, *{a}.shape)",
    "{a}.flip(-1)",
    "{a}.reshape(-1)",
]
CHANGES = [
    "{a}.mul_(0.5)",
    "{a}.add_({b}.sum())",
    "{a}[..., 0] = 2.0",
    "{a}[..., :1] *= 3",
    "{a}.detach_()",
    "{a} += 1",
]
REDUCTIONS = ["{a}.sum()", "{a}.mean()", "{a}.pow(2).sum()", "{a}.amax()"]
CLEARING = ["pass", "{leaf}.grad = None", "{leaf}.grad is not None and {leaf}.grad.zero_()"]
LEAVES = ["a", "b", "c"]


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Leaves of several shapes, operations that broadcast, reuse, view and change, branches, and several passes.

    A line that torch refuses is left out as the program runs, so that most of what is drawn is there.
    """
    lines = [draw(leaf(name)) for name in LEAVES]
    for number in range(draw(st.integers(1, 3))):
        names = list(LEAVES)
        for step in range(draw(st.integers(1, 8))):
            target = f"v{number}_{step}"
            lines += attempt(draw(operation(names, target)))
            names.append(target)
        lines += attempt(draw(backward(names)))
        lines += attempt(draw(st.sampled_from(CLEARING)).format(leaf=draw(st.sampled_from(LEAVES))))
    return "\n".join(lines)


@st.composite
def leaf(draw: st.DrawFn, name: str) -> str:
    """A leaf of a random shape."""
    return f"{name} = torch.rand({draw(st.sampled_from(SHAPES))}).requires_grad_({draw(st.booleans()) or name == 'a'})"


@st.composite
def operation(draw: st.DrawFn, names: list[str], target: str) -> str:
    """One line; its result may be a view of, or the same as, what there was."""
    a, b = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    return draw(
        st.one_of(
            st.sampled_from(UNARY).map(lambda name: f"{target} = {a}.{name}()"),
            st.sampled_from(BINARY).map(lambda sign: f"{target} = {a} {sign} {b}"),
            st.sampled_from(VIEWS).map(lambda view: f"{target} = " + view.format(a=a)),
            st.just(f"{target} = {a} * 1\n    {target}_ = {target}[..., :1]\n    {target}_.mul_({b}.sum())"),
            st.sampled_from(CHANGES).map(lambda change: f"{target} = {a} * 2\n    " + change.format(a=target, b=b)),
            st.just(f"{target} = {a}.sin() if {a}.sum() > 1 else {b}.cos()"),
            st.just(f"{target} = torch.stack([{a}, {a} * {b}.mean()])"),
            st.just(f"{target}, {target}_ = torch.cat([{a}.flatten(), {b}.flatten()]).chunk(2)"),
            st.just(f"{target} = torch.where({a} > 0.5, {a}, {b}).detach() * {a}"),
            st.just(f"with torch.no_grad():\n        {target} = {a} + {b}"),
        )
    )


@st.composite
def backward(draw: st.DrawFn, names: list[str]) -> str:
    """One pass, or one that is repeated on the same graph."""
    roots = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    loss = " + ".join(draw(st.sampled_from(REDUCTIONS)).format(a=root) for root in roots)
    return draw(
        st.sampled_from(
            [
                f"({loss}).backward()",
                f"loss = {loss}\n    loss.backward(retain_graph=True)\n    loss.backward()",
                f"torch.autograd.backward([{loss}, {names[-1]}.sum()])",
                f"g = torch.autograd.grad({loss}, a, allow_unused=True)",
                f"(g,) = torch.autograd.grad({loss}, a, create_graph=True)\n    (g * g).sum().backward()",
            ]
        )
    )


def attempt(line: str) -> list[str]:
    """A line that may be refused."""
    return ["try:", f"    {line}", "except (RuntimeError, IndexError, NameError, TypeError): pass"]

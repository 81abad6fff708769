"""The graph that torch built: leaves, nodes, edges, and the places where it is cut."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from explorer.model.values import Count, Frozen, NonFinite, TensorValue

Line = Annotated[int, msgspec.Meta(ge=1)]

PlainNumber = bool | int | float | NonFinite
Plain = bool | int | float | str | tuple[PlainNumber | None, ...]
"""What a node keeps besides tensors: sizes, dimensions, factors; "inf" and complex numbers are spelled as text."""

BETWEEN_NAMES = re.compile(r", (?![^\[\](){}]*[\])}])")
"""What separates variables, and not what is inside of the brackets of one."""


class Span(Frozen, frozen=True, kw_only=True):
    """A piece of the program text, as CPython positions it.

    Args:
        line, end_line: From 1.
        column, end_column: From 0, in characters; the end is exclusive.
    """

    line: Line
    column: Count
    end_line: Line
    end_column: Count


class Leaf(Frozen, frozen=True, kw_only=True):
    """A tensor that the program made itself: no operation that torch differentiates led to it.

    Args:
        id: "l0", "l1", … in order of appearance.
        name: The variable, or the path in a module ("model.0.weight").
        value: As it was when the recorder first met it.
        requires_grad: Whether torch was asked for its gradient (at the end of the program).
        node_id: Its `AccumulateGrad` node, where one exists.
        span: The expression that made it.
        is_optimized: Whether an optimizer was given it.
        is_named: Whether the program had a variable for it. Else its name is its id, or what the program calls the
            tensor that `torch.func` made it of for the time of a call.
    """

    id: str
    name: str
    value: TensorValue
    requires_grad: bool
    node_id: str | None = None
    span: Span | None = None
    is_optimized: bool = False
    is_named: bool = True


class SavedTensor(Frozen, frozen=True, kw_only=True):
    """Something that a node kept from the forward pass.

    Args:
        name: torch's own name for it: "self", "other", "result".
        value: The tensor when it was saved; None for anything else.
        text: What was kept, where it is no tensor ("dim: 0"), or why it could not be read.
        plain: What was kept, where it is a number, a flag, a word or a tuple of numbers.
        leaf_id, node_id: The leaf it is, or the node whose result it is.
        output_nr: Which of that node's results.
        version: The tensor's version counter when it was saved.
        storage: Its memory, numbered in order of appearance: tensors with the same number share it.
        storage_bytes: How much memory that is.
    """

    name: str
    value: TensorValue | None = None
    text: str | None = None
    plain: Plain | None = None
    leaf_id: str | None = None
    node_id: str | None = None
    output_nr: Count = 0
    version: int | None = None
    storage: Count | None = None
    storage_bytes: Count = 0


class Node(Frozen, frozen=True, kw_only=True):
    """A backward node, torch's `grad_fn`.

    Args:
        id: "n0", "n1", … in order of creation.
        name: torch's name: "MulBackward0", "AccumulateGrad", or the custom function's.
        kind: "operation", "accumulate", or "custom" for a `torch.autograd.Function`.
        variable: The variable that holds the tensor it made; of several, all that hold one, or the one that holds all.
        results: How many tensors it made, as far as the recorder saw.
        span: The sub-expression that made it.
        value: The tensor it made in the forward pass, where the recorder saw it; of several, the first that has a name.
        value_nr: Which of them that is.
        saved: What it kept for the backward pass.
        packed: Whether it kept tensors that only code of the program's can unpack, so that `saved` is empty.
        sequence_nr: torch's own; the engine runs higher numbers first.
        order: 1 for a graph built by the forward pass, 2 for one that `create_graph` built, and so on.
        made_by: The node whose backward built this one, for orders above 1.
    """

    id: str
    name: str
    kind: Literal["operation", "accumulate", "custom"]
    variable: str | None = None
    results: Count = 1
    span: Span | None = None
    value: TensorValue | None = None
    value_nr: Count = 0
    saved: tuple[SavedTensor, ...] = ()
    packed: bool = False
    sequence_nr: int = 0
    order: int = 1
    made_by: str | None = None

    def variable_of(self, output_nr: int) -> str | None:
        """The variable that holds one of the tensors it made."""
        if self.variable is None or output_nr >= self.results:
            return None
        names = BETWEEN_NAMES.split(self.variable) if self.results > 1 else [self.variable]
        return f"{self.variable}[{output_nr}]" if len(names) < self.results else names[output_nr]


class TorchRule(Frozen, frozen=True, kw_only=True):
    """PyTorch's own derivative of an operation, as its source has it.

    Args:
        operation: The operation's schema: "dot(Tensor self, Tensor tensor) -> Tensor".
        derivatives: (arguments, expression) in C++ on ATen, `grad` being the gradient that came in.
    """

    operation: str
    derivatives: tuple[tuple[str, str], ...]


class Edge(Frozen, frozen=True, kw_only=True):
    """One way that a gradient takes, in the direction it flows.

    Args:
        id: "e0", "e1", …
        source: The node that sends the gradient on.
        slot: Which of the source's `grad_inputs` travels here.
        target: The node that receives it.
        input_nr: Which of the target's `grad_outputs` it is added to.
    """

    id: str
    source: str
    slot: Count
    target: str
    input_nr: Count


class Cut(Frozen, frozen=True, kw_only=True):
    """A place where a tensor that has a history went in and one without came out: no gradient passes.

    Args:
        id: "c0", "c1", …
        operation: torch's name for the function: "detach", "item", "argmax".
        reason: "detach", "no_grad", or "not differentiable".
        variable: The variable that holds the result.
        span: The sub-expression that cut.
        value: The tensor without a history.
        sources: Ids of the nodes or leaves behind the cut, which get nothing through it.
        consumers: Which node would have sent a gradient here, and from which slot; the slot is None where torch
            does not tell.
    """

    id: str
    operation: str
    reason: Literal["detach", "no_grad", "not differentiable"]
    variable: str | None = None
    span: Span | None = None
    value: TensorValue | None = None
    sources: tuple[str, ...] = ()
    consumers: tuple[tuple[str, Count | None], ...] = ()

"""What happened, in order. `step` = how many events have happened."""

from __future__ import annotations

from typing import Literal

from explorer.model.graph import Span
from explorer.model.values import Count, Frozen, TensorValue

JACOBIAN_ELEMENTS = 16
"""A local Jacobian with more rows or columns than this is not recorded."""


class Happened(Frozen, frozen=True, kw_only=True, tag_field="kind"):
    """What every event is.

    Args:
        span: The sub-expression that was being evaluated.
    """

    span: Span | None = None


class Operation(Happened, frozen=True, kw_only=True, tag=True):
    """A torch function was called in the forward pass.

    Args:
        name: torch's name: "mul", "dot", "requires_grad_".
        variable: The variable its result was assigned to.
        values: The tensors it returned.
        node_ids: The nodes torch noted for it, in order of creation: the last one made the result.
        input_ids: Ids of the leaves, nodes and cuts that its arguments come from.
        leaf_id: The leaf it made or marked.
        cut_id: The cut it made.
        requires_grad: Whether a result can be differentiated.
    """

    name: str
    variable: str | None = None
    values: tuple[TensorValue, ...] = ()
    node_ids: tuple[str, ...] = ()
    input_ids: tuple[str, ...] = ()
    leaf_id: str | None = None
    cut_id: str | None = None
    requires_grad: bool = False


class Printed(Happened, frozen=True, kw_only=True, tag=True):
    """The program wrote text to its standard output."""

    text: str


class Warned(Happened, frozen=True, kw_only=True, tag=True):
    """torch or Python warned.

    Args:
        category: "UserWarning".
        message: In torch's own words.
    """

    category: str
    message: str


class Root(Frozen, frozen=True, kw_only=True):
    """A tensor that a backward pass starts from, or the `GradientEdge` at which its gradient arrives.

    Args:
        node_id: Its grad_fn (or `AccumulateGrad`); None if it has none.
        input_nr: Which of that node's `grad_outputs` the seed is added to.
        variable: Its name.
        value: The tensor; without elements where only its edge is known.
        seed_grad: The gradient the program gave; None where torch puts 1 for a scalar.
    """

    node_id: str | None = None
    input_nr: Count = 0
    variable: str | None = None
    value: TensorValue | None = None
    seed_grad: TensorValue | None = None


class BackwardStarted(Happened, frozen=True, kw_only=True, tag=True):
    """`backward()` or `torch.autograd.grad()` was called.

    Args:
        backward_pass: From 0.
        by: Which of the two.
        roots: Where it starts.
        retain_graph: Whether saved tensors are kept.
        create_graph: Whether a graph of the gradient is built.
        inputs: Names of the tensors it was limited to; () for all leaves.
    """

    backward_pass: int
    by: Literal["backward", "grad"]
    roots: tuple[Root, ...] = ()
    retain_graph: bool = False
    create_graph: bool = False
    inputs: tuple[str, ...] = ()


class NodeRan(Happened, frozen=True, kw_only=True, tag=True):
    """The engine ran a backward node.

    Args:
        backward_pass: In which pass.
        node_id: Which node.
        grad_outputs: The gradients that came in, summed over the edges that lead here; None where undefined.
        grad_inputs: The gradient sent along each slot; None where there is none.
        before_hooks: What it had computed for each slot; None where the program has no hooks of its own after this
            node, which may make another gradient of it.
        batched: Whether `vmap` had it run for a batch at once: the gradients then have the batch's dimension in front.
        freed: Whether torch then freed what the node had saved.
        jacobian: The node's local Jacobian where it is small, from torch: one matrix per slot of `grad_inputs`, with a
            row for each element of the defined `grad_outputs`, in order, and a column for each element of the input;
            None for a slot that is too large or has no gradient.
    """

    backward_pass: int
    node_id: str
    grad_outputs: tuple[TensorValue | None, ...] = ()
    grad_inputs: tuple[TensorValue | None, ...] = ()
    before_hooks: tuple[TensorValue | None, ...] | None = None
    batched: bool = False
    freed: bool = False
    jacobian: tuple[TensorValue | None, ...] | None = None

    @property
    def computed(self) -> tuple[TensorValue | None, ...]:
        """The gradients that the node itself computed, whatever hooks after it then made of them."""
        return self.grad_inputs if self.before_hooks is None else self.before_hooks


class Accumulated(Happened, frozen=True, kw_only=True, tag=True):
    """A leaf's `.grad` was filled or added to: before + incoming = after."""

    backward_pass: int
    leaf_id: str
    before: TensorValue | None = None
    incoming: TensorValue
    after: TensorValue


class BackwardEnded(Happened, frozen=True, kw_only=True, tag=True):
    """The engine came back.

    Args:
        backward_pass: Which pass ended.
        returned: What `torch.autograd.grad` returned; () for `backward()`, which returns None.
        error: What torch said where it raised instead, in its own words.
        failed_node: The node that was running then.
    """

    backward_pass: int
    returned: tuple[TensorValue | None, ...] = ()
    error: str | None = None
    failed_node: str | None = None


class GradCleared(Happened, frozen=True, kw_only=True, tag=True):
    """A leaf's `.grad` was cleared.

    Args:
        leaf_id: Whose.
        before: As it was.
        to: "zeros" (`zero_()`) or "none" (`= None`).
    """

    leaf_id: str
    before: TensorValue | None = None
    to: Literal["zeros", "none"]


class Modified(Happened, frozen=True, kw_only=True, tag=True):
    """A tensor was changed in place, or a `.grad` was replaced.

    Args:
        name: torch's function: "add_", "__setitem__", "grad.__set__".
        variable: The tensor's name.
        leaf_id: The leaf it is, or whose `.grad` it is.
        of_grad: Whether it is the leaf's `.grad` that changed.
        before, after: The tensor.
        version: Its version counter afterwards.
        counted_with: Leaves, and nodes whose results, were saved, share its memory and are at this version too.
        storage: Its memory by the number that saved tensors give it; None where none of them shares it.
        node_ids: Nodes that torch noted for it.
    """

    name: str
    variable: str | None = None
    leaf_id: str | None = None
    of_grad: bool = False
    before: TensorValue | None = None
    after: TensorValue
    version: int
    counted_with: tuple[str, ...] = ()
    storage: Count | None = None
    node_ids: tuple[str, ...] = ()


class Raised(Happened, frozen=True, kw_only=True, tag=True):
    """An exception ended the program.

    Args:
        type: "RuntimeError".
        message: In torch's or Python's own words.
        node_id: The node that was running, or that torch names.
        variable: What the program calls the tensor, or the two, that it is about.
        cause: The line that brought it about, where it is another than the one that failed: the change in place, the
            pass that freed the saved tensors, the operation whose derivative is not a number.
        calls: The calls in the program that led to it, outermost first.
    """

    type: str
    message: str
    node_id: str | None = None
    variable: str | None = None
    cause: Span | None = None
    calls: tuple[Span, ...] = ()


Event = (
    Operation
    | Printed
    | Warned
    | BackwardStarted
    | NodeRan
    | Accumulated
    | BackwardEnded
    | GradCleared
    | Modified
    | Raised
)

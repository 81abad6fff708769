"""What a backward pass is asked to do, by one of torch's three ways to start one or by what the engine was given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from types import FrameType
from typing import Any, Literal, NamedTuple

import torch
from torch.autograd.graph import GradientEdge, get_gradient_edge

from explorer.recorder.names import variables_of
from explorer.recorder.values import grad_fn_of, is_leaf

GradFn = Any

OF_ENGINE = ("tensors", "grad_tensors", "keep_graph", "create_graph", "inputs", "allow_unreachable", "accumulate_grad")
"""The engine's arguments, in order."""

End = torch.Tensor | GradientEdge
"""Where a pass begins or ends: a tensor, or the place in the graph where its gradient arrives."""


class Request(NamedTuple):
    """What a pass is asked to do.

    Args:
        by: Whether gradients are to be returned or added to the leaves'.
        roots: Where it begins.
        seeds: The gradients to begin with; None, or fewer than roots, where torch makes them.
        retain_graph, create_graph: As torch understands them.
        inputs: Where it ends; none for all leaves.
    """

    by: Literal["backward", "grad"]
    roots: Sequence[End]
    seeds: Sequence[Any]
    retain_graph: bool
    create_graph: bool
    inputs: Sequence[End]


def request_of_call(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
    """What the program asks for when it calls `Tensor.backward`, `torch.autograd.backward` or `torch.autograd.grad`."""
    given = signature(func).bind(*args, **kwargs).arguments
    create_graph = bool(given.get("create_graph", False))
    retain_graph = given.get("retain_graph")
    return Request(
        by="grad" if func is torch.autograd.grad else "backward",
        roots=ends_in(given.get("self", given.get("tensors", given.get("outputs")))),
        seeds=seeds_in(given.get("gradient", given.get("grad_tensors", given.get("grad_outputs")))),
        retain_graph=create_graph if retain_graph is None else bool(retain_graph),
        create_graph=create_graph,
        inputs=ends_in(given.get("inputs")),
    )


def request_of_engine(caller: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
    """What torch asks the engine for, whoever asked torch.

    Args:
        caller: The frame of torch that does; it tells which seeds were given, and which torch has made.
        args, kwargs: Those of `_engine_run_backward`.
    """
    arguments, variables = dict(zip(OF_ENGINE, args, strict=False)) | kwargs, variables_of(caller)
    seeds = variables.get("grad_tensors", variables.get("grad_outputs", arguments["grad_tensors"]))
    return Request(
        by="backward" if arguments["accumulate_grad"] else "grad",
        roots=ends_in(arguments["tensors"]),
        seeds=seeds_in(seeds),
        retain_graph=bool(arguments["keep_graph"]),
        create_graph=bool(arguments["create_graph"]),
        inputs=ends_in(arguments["inputs"]),
    )


def ends_in(given: Any) -> list[End]:
    """The tensors and edges in an argument; none where it can be read only once."""
    if isinstance(given, (torch.Tensor, GradientEdge)):
        return [given]
    elements = given.values() if isinstance(given, dict) else given
    return [end for end in elements if isinstance(end, End)] if isinstance(given, (list, tuple, dict)) else []


def seeds_in(given: Any) -> list[Any]:
    """One gradient, or several, as a list."""
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def edge_of(end: End) -> tuple[GradFn | None, int]:
    """The node at which a tensor's gradient arrives, and as which of its `grad_outputs`: a leaf's `AccumulateGrad`."""
    if isinstance(end, GradientEdge):
        return end.node, end.output_nr
    if is_leaf(end) and end.requires_grad:
        return get_gradient_edge(end).node, 0
    grad_fn = grad_fn_of(end)
    return grad_fn, 0 if grad_fn is None else end.output_nr


@cache
def signature(func: Callable[..., Any]) -> inspect.Signature:
    """The parameters of one of torch's three ways to start a pass."""
    return inspect.signature(func)

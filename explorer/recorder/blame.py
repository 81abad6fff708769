"""What an error is about: the node that torch names, the program's variables, and the line that brought it about.

torch raises in the middle of a call; the traceback still holds that call's tensors, and the frames of the program hold
the names they go by. Nothing of this is looked at before a program has failed.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

import msgspec
import torch

from explorer.model import Edge, Event, Modified, Node, NodeRan, Raised, Recording, SavedTensor, Span
from explorer.model.source import piece_at
from explorer.model.syntax import parsed
from explorer.recorder.names import named_tensors, reached
from explorer.recorder.places import Places
from explorer.recorder.unseen import unseen
from explorer.recorder.values import grad_of, is_leaf, tensors_in

MOST_VARIABLES = 2
MOST_CALLS = 6

PASSES = {torch.Tensor.backward, torch.autograd.backward, torch.autograd.grad}

OF_SAVED = "needed for gradient computation has been modified by an inplace operation"
SECOND_TIME = "Trying to backward through the graph a second time"
OF_NAN = re.compile(r"Function '(\w+)' returned nan values")
VERSION = re.compile(r"is at version (\d+)")
OF_INPUT = re.compile(r"The differentiated Tensor at index (\d+)")
OF_RESULT = "can't optimize a non-leaf Tensor"

INSIDE = re.compile(r" \(Triggered internally at [^()]*\)$")
FRAME = re.compile(r'  File "(.*)", line \d+, in .*\n(?:    .*\n)*')


class Failure(NamedTuple):
    """Where an error came from.

    Args:
        frames: The program's frames, outermost first, each with the position in its code.
        call: The function of torch that raised, with what it was given; None where it was none.
        fleeting: Names that only loops give, to one thing after the other.
    """

    frames: tuple[tuple[FrameType, int], ...]
    call: tuple[Any, tuple[Any, ...], dict[str, Any]] | None
    fleeting: frozenset[str]


def failure_of(traceback: TracebackType | None, places: Places, watch: CodeType) -> Failure:
    """What a traceback still holds.

    Args:
        traceback: Of the error.
        places: Those of the program.
        watch: The code through which every call of a torch function goes, with its arguments.
    """
    frames, call = [], None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename == places.filename:
            frames.append((frame, traceback.tb_lasti))
            call = None
        elif frame.f_code is watch:
            known = frame.f_locals
            call = known["func"], known["args"], known["kwargs"] or {}
        traceback = traceback.tb_next
    return Failure(tuple(frames), call, places.fleeting)


def blamed(
    error: BaseException, raised: Raised, failure: Failure, recording: Recording, targets: tuple[str, ...]
) -> Raised:
    """An error with what it is about: `variable`, `cause`, and the `node_id` where torch names one.

    Args:
        error: The exception.
        raised: What is known of it.
        failure: Where it came from.
        recording: What happened up to it.
        targets: The variables that the failed expression would have been assigned to.
    """
    with unseen():
        node_id = raised.node_id or named_node(recording.events, recording.nodes, raised.message)
        names = _names(error, raised, failure, recording, node_id) or (list(targets) if failure.call else [])
        variable = ", ".join(dict.fromkeys(names[:MOST_VARIABLES])) or None
        cause = _cause(raised, recording, node_id)
    return msgspec.structs.replace(raised, node_id=node_id, variable=variable, cause=cause)


def named_node(events: Sequence[Event], nodes: Iterable[Node], message: str) -> str | None:
    """The node that anomaly detection names: of those with the name, the one that ran last."""
    if (match := OF_NAN.search(message)) is None:
        return None
    named = {node.id for node in nodes if node.name == match[1]}
    ran = (event.node_id for event in reversed(events) if isinstance(event, NodeRan))
    return next((node_id for node_id in ran if node_id in named), None)


def next_to_run(
    roots: Iterable[str | None], ran: Container[str], nodes: Mapping[str, Node], edges: Iterable[Edge]
) -> str | None:
    """The node that the engine took when these had run; None if it had run all.

    Of the nodes that wait for no more gradients it takes the one with the highest sequence number: torch's
    `csrc/autograd/engine.cpp`, `CompareNodeTaskTime`.
    """
    targets: dict[str, list[str]] = {}
    for edge in edges:
        targets.setdefault(edge.source, []).append(edge.target)
    awaited: dict[str, None] = {}
    pending = [root for root in roots if root is not None]
    while pending:
        if (node_id := pending.pop()) not in awaited:
            awaited[node_id] = None
            pending += targets.get(node_id, ())
    left = [node_id for node_id in awaited if node_id not in ran]
    waiting = {target for node_id in left for target in targets.get(node_id, ())}
    ready = [node_id for node_id in left if node_id not in waiting]
    return max(ready, key=lambda node_id: nodes[node_id].sequence_nr, default=None)


def calls_of(failure: Failure, span: Callable[[FrameType, int], Span | None]) -> tuple[Span, ...]:
    """The calls in the program that led to the place of an error, outermost first; of many the last."""
    found = (span(frame, lasti) for frame, lasti in failure.frames[:-1])
    return tuple(one for one in found if one is not None)[-MOST_CALLS:]


def users_lines(message: str, filename: str) -> str:
    """A warning without torch's files, and without the frames in it that are not the program's."""
    return INSIDE.sub("", FRAME.sub(lambda frame: frame[0] if frame[1] == filename else "", message)).rstrip()


def _names(
    error: BaseException, raised: Raised, failure: Failure, recording: Recording, node_id: str | None
) -> list[str]:
    """The variables that an error is about, the most telling way of finding them first."""
    if OF_SAVED in raised.message and (moved := _moved(raised, recording, node_id)) is not None:
        saved, change = moved
        return [name] if (name := _name_of(saved, change, recording)) else []
    if node_id is not None:
        return _of_node(recording.node(node_id), raised, failure, recording)
    if isinstance(error, NameError) and error.name:
        return [error.name]
    return _called(failure, raised.message) or _spelled(raised, failure, recording)


def _of_node(node: Node, raised: Raised, failure: Failure, recording: Recording) -> list[str]:
    """The name of what a node made; else of what it made it from, or of what the pass started from."""
    if node.variable is not None:
        return [node.variable]
    if OF_NAN.search(raised.message):
        return _spelled(msgspec.structs.replace(raised, span=node.span), failure, recording)
    return _called(failure, raised.message)


def _called(failure: Failure, message: str) -> list[str]:
    """The names of the tensors that the call got which raised."""
    if failure.call is None:
        return []
    func, args, kwargs = failure.call
    tensors = tensors_in([*args, *kwargs.values()])
    if func is torch.autograd.grad and (match := OF_INPUT.search(message)):
        inputs = tensors_in([args[1] if len(args) > 1 else kwargs.get("inputs")])
        tensors = inputs[int(match[1]) :][:1]
    elif func in PASSES:
        tensors = tensors[:1]
    known = _known(failure)
    return [known[id(tensor)] for tensor in tensors if id(tensor) in known]


def _spelled(raised: Raised, failure: Failure, recording: Recording) -> list[str]:
    """The names in the text of the expression that failed, where they stand for what the error is about."""
    expression = _expression(recording.source, raised.span)
    if expression is None:
        return []
    if failure.call is not None and failure.call[0] in PASSES and isinstance(expression, ast.Call):
        expression = next(iter(expression.args), expression)  # what the pass starts from
    found = list(_looked_up(expression, failure, {leaf.name for leaf in recording.leaves}))
    if "NoneType" in raised.message:
        return [name for name, value in found if value is None]
    if OF_RESULT in raised.message:
        return [name for name, value in found if isinstance(value, torch.Tensor) and not is_leaf(value)]
    if isinstance(expression, ast.Attribute) and "assign" in raised.message:
        return [ast.unparse(expression)]
    return [name for name, value in found if isinstance(value, torch.Tensor)]


def _expression(source: str | None, span: Span | None) -> ast.AST | None:
    if (text := piece_at(source, span)) is None:
        return None
    try:
        (statement,) = parsed(text).body
    except (SyntaxError, ValueError):
        return None
    return statement.value if isinstance(statement, ast.Expr) else statement


def _looked_up(expression: ast.AST, failure: Failure, leaves: Container[str]) -> Iterator[tuple[str, Any]]:
    """The variables of an expression with their values, and the `.grad` of leaves, by the names these have."""
    variables = {name: value for space in reversed(_namespaces(failure)) for name, value in space.items()}
    for part in ast.walk(expression):
        match part:
            case ast.Name(id=name) if name in variables:
                yield name, variables[name]
            case ast.Attribute(value=owner, attr="grad") if isinstance(
                tensor := reached(owner, variables), torch.Tensor
            ):
                names = [*_names_of(tensor, failure), ast.unparse(owner)]
                yield f"{next((name for name in names if name in leaves), names[0])}.grad", grad_of(tensor)


def _names_of(tensor: torch.Tensor, failure: Failure) -> Iterator[str]:
    """What each frame calls a tensor: in a method `self.w` is what the module's frame knows as `net.w`."""
    for space in _namespaces(failure):
        yield from (name for name, one in named_tensors([space], failure.fleeting) if one is tensor)


def _known(failure: Failure) -> dict[int, str]:
    """What the program calls its tensors, by their address."""
    named = list(named_tensors(_namespaces(failure), failure.fleeting))
    return {id(tensor): name for name, tensor in reversed(named)}


def _namespaces(failure: Failure) -> list[Mapping[str, Any]]:
    """The variables of the program's frames, innermost first, and its module's."""
    frames = [frame for frame, _ in reversed(failure.frames)]
    return [*(frame.f_locals for frame in frames), *(frame.f_globals for frame in frames[:1])]


def _cause(raised: Raised, recording: Recording, node_id: str | None) -> Span | None:
    """The line that brought an error about, where it is another than the one that failed."""
    if node_id is None:
        return None
    if OF_SAVED in raised.message:
        moved = _moved(raised, recording, node_id)
        return None if moved is None else moved[1].span
    if SECOND_TIME in raised.message:
        runs = (event for event in recording.events if isinstance(event, NodeRan))
        return next((event.span for event in runs if event.node_id == node_id and event.freed), None)
    return recording.node(node_id).span


def _moved(raised: Raised, recording: Recording, node_id: str | None) -> tuple[SavedTensor | None, Modified] | None:
    """The tensor that a node had saved and that was changed in place afterwards, and that change."""
    changes = [event for event in recording.events if isinstance(event, Modified) and not event.of_grad]
    kept = [saved for saved in recording.node(node_id).saved if saved.version is not None] if node_id else []
    # Memory comes second: what torch made inside of an operation has no name, such as a layer's transposed weight.
    for is_of in (_counts_with, _shares_memory):
        for saved, event in itertools.product(kept, changes):
            if event.version > (saved.version or 0) and is_of(saved, event):
                return saved, event
    match = VERSION.search(raised.message)
    alike = [event for event in changes if match is not None and event.version == int(match[1])]
    return (None, alike[0]) if len(alike) == 1 else None


def _counts_with(saved: SavedTensor, change: Modified) -> bool:
    return bool({saved.leaf_id, saved.node_id} & {change.leaf_id or "", *change.counted_with})


def _shares_memory(saved: SavedTensor, change: Modified) -> bool:
    return saved.storage is not None and saved.storage == change.storage


def _name_of(saved: SavedTensor | None, change: Modified, recording: Recording) -> str | None:
    """What the program calls a tensor that was saved and changed."""
    leaf_ids = {change.leaf_id, saved.leaf_id if saved else None} - {None}
    name = next((leaf.name for leaf in recording.leaves if leaf.id in leaf_ids), change.variable)
    return name or (recording.node(saved.node_id).variable if saved and saved.node_id else None)

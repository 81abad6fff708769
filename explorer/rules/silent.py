"""Mistakes about which torch says nothing: the gradient is wrong, or stays where no name reaches it.

Each function finds one kind in a recording. It must be silent about sound programs: it speaks only where torch's own
numbers, or the way they took, show the mistake.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from explorer.model import (
    Accumulated,
    BackwardEnded,
    GradCleared,
    Leaf,
    Modified,
    Node,
    NodeRan,
    Operation,
    Recording,
    Remark,
    SavedTensor,
    Span,
    Warned,
)
from explorer.model.text import shape_text
from explorer.rules.notice import Notice, Severity, Values
from explorer.rules.story import expression

DIFFERENCES = {"SubBackward0", "RsubBackward1", "MseLossBackward0", "L1LossBackward0", "SmoothL1LossBackward0"}
DIFFERENCES |= {"HuberLossBackward0"}
SUMS = {"AddBackward0", "SubBackward0"}
FLAT = re.compile("(Round|Floor|Ceil|Trunc|Sign|Sgn|Heaviside)Backward")
"""Nodes of functions that are constant but for jumps."""

SQUASHING = {
    ("LogSoftmaxBackward0", "SoftmaxBackward0"): "softmax",
    ("SoftmaxBackward0", "SoftmaxBackward0"): "softmax",
    ("BinaryCrossEntropyWithLogitsBackward0", "SigmoidBackward0"): "sigmoid",
}
"""Pairs of nodes, the second of which made what the first took, that apply the same function to the scores twice."""


def unnoticed_changes(recording: Recording) -> Iterator[Notice]:
    """Changes through `.data` of a tensor that a node had saved and then used: the gradient is silently wrong."""
    built = built_at(recording)
    said: set[Span | None] = set()
    for remark in of_kind(recording, "unnoticed"):
        user = next(
            (
                node
                for node in recording.nodes
                if built.get(node.id, remark.step) < remark.step
                and any(
                    _is_of(remark, kept) and _is_spoiled(recording, remark, node, kept)
                    for kept in node.saved
                    if kept.value
                )
            ),
            None,
        )
        if user is not None and remark.source_id is not None and remark.span not in said:
            said.add(remark.span)
            values = {
                "tensor": remark.name or _leaf_name(recording, remark.source_id) or "…",
                "node": user.name,
                "code": expression(recording, remark.span) or "…",
            }
            yield Notice(key="unnoticed_change", values={**values}, span=remark.span, severity="warning")


def _is_of(remark: Remark, kept: SavedTensor) -> bool:
    """Whether what was changed is what a node kept, or lies in its memory: a layer's weight, kept transposed."""
    return remark.source_id in (kept.leaf_id, kept.node_id) or kept.storage == remark.storage is not None


def _is_spoiled(recording: Recording, remark: Remark, node: Node, kept: SavedTensor) -> bool:
    """Whether a node ran after a change with other numbers than it had kept; `gradcheck` puts them back before."""
    after = None
    for event in recording.events[max(remark.step - 1, 0) :]:
        if isinstance(event, Modified) and event.leaf_id == remark.source_id and not event.of_grad:
            after = event.after
        elif isinstance(event, NodeRan) and event.node_id == node.id:
            return after is None or after != kept.value
    return False


def _leaf_name(recording: Recording, leaf_id: str) -> str | None:
    """The name that a leaf got later."""
    return next((leaf.name for leaf in recording.leaves if leaf.id == leaf_id), None)


def second_names(recording: Recording) -> Iterator[Notice]:
    """Variables that are a leaf's `.grad` itself, changed along with it, and read afterwards."""
    said: set[str] = set()
    for remark in of_kind(recording, "alias"):
        name, leaf_id = remark.name or "", remark.source_id
        own = (expression(recording, remark.span) or "").startswith(name.partition("[")[0])
        if leaf_id is None or remark.span is None or name in said or own:
            continue
        if is_read_after(recording.source, name.partition("[")[0], remark.span.end_line):
            said.add(name)
            values = {
                "name": name,
                "leaf": recording.leaf(leaf_id).name,
                "code": expression(recording, remark.span) or "",
            }
            yield Notice(key="grad_alias", values={**values}, span=remark.span, severity="warning")


def skipped_steps(recording: Recording) -> Iterator[Notice]:
    """Leaves that an optimizer left out, since their `.grad` had been cleared to None and not been filled again."""
    skipped: dict[str, Span | None] = {}
    for remark in of_kind(recording, "skipped"):
        leaf_id = remark.source_id
        events = recording.events[: remark.step]
        about = [event for event in events if getattr(event, "leaf_id", None) == leaf_id]
        cleared = [event for event in about if isinstance(event, GradCleared) and event.before is not None]
        if leaf_id is not None and cleared and cleared[-1].to == "none":
            skipped.setdefault(leaf_id, remark.span)
    for span in dict.fromkeys(skipped.values()):
        names = tuple(recording.leaf(leaf_id).name for leaf_id, at in skipped.items() if at == span)
        yield Notice(key="step_skipped", values={"leaves": names}, span=span, severity="warning")


def unused_parameters(recording: Recording) -> Iterator[Notice]:
    """Tensors that an optimizer was given and that nothing was ever computed from."""
    if recording.truncated or recording.error is not None or not recording.backward_passes:
        return
    used = {leaf.name for leaf in recording.leaves}
    found = [remark for remark in of_kind(recording, "unused") if remark.name not in used]
    for span in dict.fromkeys(remark.span for remark in found):
        names = dict.fromkeys(remark.name for remark in found if remark.span == span)
        leaves = tuple(name for name in names if name is not None)
        if leaves:
            yield Notice(key="unused_parameters", values={"leaves": leaves}, span=span)
        if None in names:
            yield Notice(key="unused_without_name", span=span, severity="warning")


def marked_roots(recording: Recording) -> Iterator[Notice]:
    """Passes that start at a leaf, a loss that was marked itself, while others that are marked get no gradient."""
    reached = {event.leaf_id for event in recording.events if isinstance(event, Accumulated)}
    if recording.truncated or all(leaf.id in reached for leaf in recording.leaves if leaf.requires_grad):
        return
    leaves = {leaf.node_id: leaf for leaf in recording.leaves if leaf.node_id is not None}
    for started in (one.started for one in recording.backward_passes):
        marked = [leaves[root.node_id] for root in started.roots if root.node_id in leaves]
        if marked and len(marked) == len(started.roots):
            code = expression(recording, started.span) or "backward()"
            names = tuple(leaf.name for leaf in marked)
            values: Values = {"call": code, "leaves": names}
            yield Notice(key="marked_root", values=values, span=started.span, severity="warning")
            return


def idle_optimizers(recording: Recording) -> Iterator[Notice]:
    """Optimizers that never take a step, though gradients come to what they were given and nothing else changes it."""
    if recording.truncated or recording.error is not None:
        return
    changed = {event.leaf_id for event in recording.events if isinstance(event, Modified) and not event.of_grad}
    filled = {event.leaf_id: step for step, event in enumerate(recording.events) if isinstance(event, Accumulated)}
    given: dict[Span | None, list[str]] = {}
    for remark in of_kind(recording, "idle"):
        if remark.source_id is not None and filled.get(remark.source_id, -1) >= remark.step:
            given.setdefault(remark.span, []).append(remark.source_id)
    for span, leaf_ids in given.items():
        if changed.isdisjoint(leaf_ids):
            names = tuple(dict.fromkeys(recording.leaf(leaf_id).name for leaf_id in leaf_ids))
            yield Notice(key="never_stepped", values={"leaves": names}, span=span)


def same_graph_again(recording: Recording) -> Iterator[Notice]:
    """A second pass from the same root, although nothing had asked torch to keep the graph."""
    for index in repeated_passes(recording):
        started = recording.backward_passes[index].started
        code = expression(recording, started.span) or "backward()"
        yield Notice(key="same_graph_again", values={"call": code}, span=started.span)
        return


def repeated_passes(recording: Recording) -> frozenset[int]:
    """Indices of the passes that start where one did that had not retained its graph, and that come to their end."""
    seen: set[tuple[str | None, ...]] = set()
    repeated: set[int] = set()
    failed = {event.backward_pass for event in recording.events if isinstance(event, BackwardEnded) and event.error}
    for one in recording.backward_passes:
        roots = tuple(root.node_id for root in one.started.roots)
        if roots in seen and one.index not in failed:
            repeated.add(one.index)
        is_real = bool(one.steps) and all(id_ and recording.node(id_).kind != "accumulate" for id_ in roots)
        if is_real and not one.started.retain_graph:
            seen.add(roots)
    return frozenset(repeated) if recording.error is None else frozenset()


def replaced_leaves(recording: Recording) -> Iterator[Notice]:
    """Variables that stood for a leaf and now stand for something computed from it."""
    named = {leaf.name: leaf for leaf in recording.leaves if leaf.requires_grad}
    marked = taken_over(recording)
    for step, event in enumerate(recording.events, 1):
        leaf = named.get(event.variable or "") if isinstance(event, Operation) else None
        if leaf is None or not isinstance(event, Operation) or not _takes(event, leaf) or event.cut_id in marked:
            continue
        if event.leaf_id is None and not is_inside_function(recording.source, event.span):
            is_followed = any(one.first > step for one in recording.backward_passes)
            key = "leaf_replaced" if event.requires_grad else "leaf_lost_mark"
            code = expression(recording, event.span) or event.name
            severity: Severity = "warning" if is_followed else "hint"
            yield Notice(key=key, values={"leaf": leaf.name, "code": code}, span=event.span, severity=severity)
            return


def unnamed_leaves(recording: Recording) -> Iterator[Notice]:
    """Leaves that no variable holds, since what was made of them at once got the name: `torch.ones(3, …).double()`."""
    reached = {event.leaf_id for one in recording.backward_passes for event in one.accumulated}
    for leaf in recording.leaves:
        if leaf.id not in reached or leaf.name != leaf.id or leaf.span is None:
            continue
        for event in recording.events:
            if not isinstance(event, Operation) or not event.variable or not _takes(event, leaf):
                continue
            if event.requires_grad and encloses(event.span, leaf.span):
                values = {"variable": event.variable, "operation": event.name}
                yield Notice(key="leaf_without_name", values={**values}, span=event.span, severity="warning")
                return


def columns_against_rows(recording: Recording) -> Iterator[Notice]:
    """Differences of a column (N, 1) and a row (N,), which broadcast to every pair (N, N)."""
    warned = {event.span for event in recording.events if isinstance(event, Warned)}
    for remark in of_kind(recording, "stretched"):
        node = _node(recording, remark.source_id)
        if node is None or node.name not in DIFFERENCES or remark.span in warned:
            continue
        (one, other) = sorted(remark.shapes, key=len)[:2]
        is_pair = len(one) == 1 and one[0] > 1 and other == (one[0], 1)
        if is_pair and len(recording.edges_from(node.id)) == 1 and ran_after(recording, node.id, 0):
            values = {"code": expression(recording, remark.span) or "", "column": shape_text(other)}
            values |= {"row": shape_text(one), "result": shape_text((one[0], one[0]))}
            yield Notice(key="column_against_row", values={**values}, span=remark.span, severity="warning")
            return


def flat_steps(recording: Recording) -> Iterator[Notice]:
    """Functions in steps, whose slope is 0 everywhere, that leave nothing of a leaf's gradient."""
    stopped = {
        event.node_id
        for event in recording.events
        if isinstance(event, NodeRan) and FLAT.match(recording.node(event.node_id).name) and _sends_only_zeros(event)
    }
    zeros: dict[str, bool] = {}
    for event in recording.events if stopped else ():
        if isinstance(event, Accumulated):
            is_zero = event.incoming.stats.zero == event.incoming.numel
            zeros[event.leaf_id] = is_zero and zeros.get(event.leaf_id, True)
    for node in (node for node in recording.nodes if node.id in stopped):
        behind = recording.behind([node.id])
        leaves = tuple(leaf.name for leaf in recording.leaves if zeros.get(leaf.id) and leaf.node_id in behind)
        if leaves:
            values: Values = {
                "node": node.name,
                "code": expression(recording, node.span) or node.name,
                "leaves": leaves,
            }
            yield Notice(key="flat_step", values=values, span=node.span)
            return


def squashed_twice(recording: Recording) -> Iterator[Notice]:
    """Losses that apply softmax or sigmoid themselves, and are given the result of that very function."""
    for edge in recording.edges:
        outer, inner = recording.node(edge.source), recording.node(edge.target)
        function = SQUASHING.get((outer.name, inner.name))
        if function is not None and ran_after(recording, outer.id, 0):
            values: Values = {"code": expression(recording, outer.span) or outer.name, "function": function}
            yield Notice(key="squashed_twice", values=values, span=outer.span, severity="warning")
            return


def _sends_only_zeros(event: NodeRan) -> bool:
    """Whether a node that got something else sends only zeros on."""
    came, sent = ([grad for grad in grads if grad is not None] for grads in (event.grad_outputs, event.grad_inputs))
    return (
        bool(sent)
        and all(one.stats.zero == one.numel for one in sent)
        and any(one.stats.zero < one.numel for one in came)
    )


def left_to_no_optimizer(recording: Recording) -> Iterator[Notice]:
    """Parameters that collect gradients while the optimizers of this program were given others."""
    # The points at which a derivative is asked for are no parameters, as in an equation that a network is to obey.
    asked = {name for one in recording.backward_passes if one.started.by == "grad" for name in one.started.inputs}
    names = tuple(leaf.name for leaf in left_leaves(recording) if leaf.name.partition(" #")[0] not in asked)
    if names:
        yield Notice(key="left_to_no_optimizer", values={"leaves": names})


def left_leaves(recording: Recording) -> tuple[Leaf, ...]:
    """The leaves with a gradient that no optimizer was given and nothing changed, where others have an optimizer."""
    if recording.truncated or recording.error is not None or not any(leaf.is_optimized for leaf in recording.leaves):
        return ()
    filled = Counter(event.leaf_id for event in recording.events if isinstance(event, Accumulated))
    changes = (event for event in recording.events if isinstance(event, Modified) and not event.of_grad)
    changed = {event.leaf_id for event in changes}
    cleared = {event.leaf_id for event in recording.events if isinstance(event, GradCleared)}
    roots = {root.node_id for one in recording.backward_passes for root in one.started.roots}
    return tuple(
        leaf
        for leaf in recording.leaves
        if leaf.id in filled
        and leaf.id not in changed
        and not leaf.is_optimized
        and leaf.name != leaf.id
        and leaf.node_id not in roots
        # An input whose gradient is wanted, as for an adversarial example, is made by the program itself.
        and (leaf.span is None or (filled[leaf.id] > 1 and leaf.id not in cleared))
    )


def kept_losses(recording: Recording) -> Iterator[Notice]:
    """Losses added up with their history, round after round, for a number that nobody goes back from."""
    if recording.truncated or recording.error is not None:
        return
    ran = {event.node_id for event in recording.events if isinstance(event, NodeRan)}
    adds = {node.id: node for node in recording.nodes if node.name == "AddBackward0" and node.id not in ran}
    losses = {root.node_id for one in recording.backward_passes for root in one.started.roots if root.node_id}
    of_losses = {edge.source for loss in losses for edge in recording.edges_to(loss)}  # `loss / 3`
    losses |= of_losses.difference(ran, adds)
    behind = {node_id: [edge.target for edge in recording.edges_from(node_id)] for node_id in adds}
    for node in reversed(adds.values()):
        before = next((adds[target] for target in behind[node.id] if target in adds), None)
        is_repeated = before is not None and before.span == node.span and not losses.isdisjoint(behind[before.id])
        if is_repeated and not losses.isdisjoint(behind[node.id]):
            values: Values = {
                "code": expression(recording, node.span) or node.name,
                "count": len(recording.behind([node.id])),
            }
            yield Notice(key="kept_losses", values=values, span=node.span)
            return


def summed_leaves(recording: Recording) -> Iterator[Notice]:
    """Leaves that were added to a whole batch whose loss is a plain sum: their gradient counts the rows."""
    for leaf in recording.leaves:
        for edge in recording.edges_to(leaf.node_id) if leaf.node_id and leaf.value.shape else ():
            node = recording.node(edge.source)
            if node.name not in SUMS or node.value is None or node.value.numel <= leaf.value.numel:
                continue
            came = [event.grad_outputs for event in _runs(recording, node.id)]
            if came and all(
                grad is not None and abs(grad.stats.min or 0) == 1 == abs(grad.stats.max or 0) for (grad,) in came
            ):
                values = {
                    "leaf": leaf.name,
                    "shape": shape_text(leaf.value.shape),
                    "result": shape_text(node.value.shape),
                }
                times = node.value.numel // leaf.value.numel
                yield Notice(key="summed_leaf", values={**values, "times": times}, span=node.span)
                return


def is_behind_where(recording: Recording, ran: NodeRan) -> bool:
    """Whether a node's upstream gradient came through `torch.where`, with zeros for what was not chosen."""
    if not any(grad is not None and grad.stats.zero for grad in ran.grad_outputs):
        return False
    pending, seen = [ran.node_id], {ran.node_id}
    while pending:
        for edge in recording.edges_to(pending.pop()):
            if recording.node(edge.source).name == "WhereBackward0":
                return True
            if edge.source not in seen:
                seen.add(edge.source)
                pending.append(edge.source)
    return False


# What the finders ask


def of_kind(recording: Recording, kind: str) -> Iterator[Remark]:
    """The remarks of one kind."""
    return (remark for remark in recording.remarks if remark.kind == kind)


def built_at(recording: Recording) -> dict[str, int]:
    """The step at which each node came to be, and each leaf was made or marked, as far as an event tells."""
    built: dict[str, int] = {}
    for step, event in enumerate(recording.events, 1):
        for node_id in getattr(event, "node_ids", ()):
            built.setdefault(node_id, step)
        if isinstance(event, Operation) and event.leaf_id is not None:
            built.setdefault(event.leaf_id, step)
    return built


def taken_over(recording: Recording) -> set[str]:
    """What a marked leaf was made of, such as a cut: the gradient goes to that leaf, as it is meant to.

    That is how parameters are updated by making new ones: `w = (w - lr * g).detach().requires_grad_()`.
    """
    made = (event for event in recording.events if isinstance(event, Operation) and event.leaf_id is not None)
    return {input_id for event in made if event.requires_grad for input_id in event.input_ids}


def ran_after(recording: Recording, node_id: str, step: int) -> bool:
    """Whether the engine ran a node after a step."""
    return any(isinstance(event, NodeRan) and event.node_id == node_id for event in recording.events[step:])


def encloses(outer: Span | None, inner: Span | None) -> bool:
    """Whether one piece of the program lies inside another, and is not all of it."""
    if outer is None or inner is None or outer == inner:
        return False
    starts = (outer.line, outer.column) <= (inner.line, inner.column)
    return starts and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def is_inside_function(source: str | None, span: Span | None) -> bool:
    """Whether a piece of the program stands in a function, where a name is another variable than outside."""
    return span is not None and any(first <= span.line <= last for first, last in _functions(source or ""))


def is_read_after(source: str | None, name: str, line: int) -> bool:
    """Whether a variable is used below a line, before it is given another value there."""
    uses = [(at, kind) for at, kind in _uses(source or "", name) if at > line]
    first_store = min((at for at, kind in uses if kind == "store"), default=None)
    return any(kind == "load" and (first_store is None or at < first_store) for at, kind in uses)


def _takes(event: Operation, leaf: Leaf) -> bool:
    return leaf.id in event.input_ids or (leaf.node_id is not None and leaf.node_id in event.input_ids)


def _node(recording: Recording, node_id: str | None) -> Node | None:
    return next((node for node in recording.nodes if node.id == node_id), None)


def _runs(recording: Recording, node_id: str) -> list[NodeRan]:
    return [event for event in recording.events if isinstance(event, NodeRan) and event.node_id == node_id]


@lru_cache(maxsize=32)
def _tree(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _functions(source: str) -> list[tuple[int, int]]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [
        (node.lineno, node.end_lineno or node.lineno) for node in ast.walk(_tree(source)) if isinstance(node, kinds)
    ]


def _uses(source: str, name: str) -> list[tuple[int, str]]:
    """(line, "load" or "store") of every use of a variable but `name.append(…)`."""
    tree = _tree(source)
    filled = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("append", "extend")
    }
    return [
        (node.lineno, "store" if isinstance(node.ctx, ast.Store) else "load")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == name and id(node) not in filled
    ]

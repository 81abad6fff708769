"""What an error means and what to do, as exactly as the recording tells."""

from __future__ import annotations

import re
from collections.abc import Callable

from explorer.model import Cut, GradCleared, Recording, Span, Warned
from explorer.model.source import line_at, piece_at
from explorer.rules.hints import OF_TYPE, advice_key, hint_key
from explorer.rules.silent.facts import withheld
from explorer.rules.silent.leaves import replaced_leaves

CUTS = {"detach": "no_history_detach", "no_grad": "no_history_no_grad", "not differentiable": "no_history_choice"}
"""Why the history was cut: a key below `rules.error`."""

GRAD = r"[\w.\[\]]+\.grad\b(?!\()"
"""A gradient that a leaf holds."""

MISSPELLED_MARK = r"\.(?!requires_grad\b)requ?ires?d?_grads?\s*="

NUMBERS = (".item()", "float(", ".tolist()")
"""What makes plain numbers of a tensor, which torch does not see go on."""


def error_topic(recording: Recording) -> str | None:
    """What the error is about, as exactly as the recording tells: a key below `rules.error`; None if unknown."""
    error = recording.error
    key = None if error is None else hint_key(error.message) or OF_TYPE.get(error.type)
    refine = REFINED.get(key or "")
    return key if refine is None else refine(recording)


def _without_history(recording: Recording) -> str:
    *earlier, last = recording.backward_passes
    is_grad = re.match(GRAD, piece_at(recording.source, last.started.span) or "") is not None
    if any((one.started.by == "grad" or is_grad) and not one.started.create_graph for one in earlier):
        return "no_second_order"
    if any(notice.key == "leaf_lost_mark" for notice in replaced_leaves(recording)):
        return "no_history_lost_mark"
    if recording.cuts:
        cut = _cut_behind_root(recording)
        return "no_history_sample" if is_sample(recording, cut) else CUTS[cut.reason]
    source = recording.source or ""
    if any(call in source for call in NUMBERS):
        return "no_history_number"
    if any(leaf.requires_grad for leaf in recording.leaves):
        return "no_history_elsewhere"
    return "no_history_misspelled" if re.search(MISSPELLED_MARK, source) else "no_history"


def is_sample(recording: Recording, cut: Cut) -> bool:
    """Whether a distribution's `sample()` cut, which draws under `no_grad` of its own."""
    return cut.reason == "no_grad" and ".sample(" in (piece_at(recording.source, cut.span) or "")


def _cut_behind_root(recording: Recording) -> Cut:
    """The cut that left the root without a history: the one whose result it is by name, else the last one made.

    A mask or an index comes last: most often it stands beside the way to the root and not on it.
    """
    started = recording.backward_passes[-1].started if recording.backward_passes else None
    called = set(re.findall(r"\w+", piece_at(recording.source, started.span) or "")) if started else set()
    return max(reversed(recording.cuts), key=lambda cut: (cut.variable in called, cut.reason != "not differentiable"))


def _second_time(recording: Recording) -> str:
    """In a loop, what is left of the round before is gone through again."""
    *earlier, last = recording.backward_passes
    roots = last.started.roots
    is_round = any(one.started.span == last.started.span and one.started.roots != roots for one in earlier)
    return "second_time_in_loop" if is_round else "second_time"


def _modified_in_place(recording: Recording) -> str:
    """A parameter is updated for good reason, but not between a forward pass and its backward pass."""
    variable = recording.error.variable if recording.error else None
    is_parameter = any(leaf.name == variable and leaf.requires_grad for leaf in recording.leaves)
    return "modified_parameter" if is_parameter else "modified_in_place"


def _none(recording: Recording) -> str:
    """Why a `.grad` is None, if that is what the program stumbles over."""
    error = recording.error
    name, dot, attribute = (error.variable if error and error.variable else "").rpartition(".")
    if error is None or not dot or attribute != "grad":
        return "none"
    warned = (event for event in recording.events if isinstance(event, Warned) and _same_line(event.span, error.span))
    replaced = any(notice.values["leaf"] == name for notice in replaced_leaves(recording))
    if replaced or any(advice_key(event.message) == "grad_of_result" for event in warned):
        return "none_of_result"
    if not any(one.started.by == "backward" for one in recording.backward_passes):
        return "none_before_pass"
    leaves = {leaf.id: leaf for leaf in recording.leaves if leaf.name == name}
    cleared = (event for event in recording.events if isinstance(event, GradCleared) and event.leaf_id in leaves)
    if any(event.before is not None for event in cleared):
        return "none_cleared"
    if leaves and not any(leaf.requires_grad for leaf in leaves.values()):
        return "none_unmarked"
    ids = {*leaves, *(leaf.node_id for leaf in leaves.values())}
    return "none_withheld" if any(ids & behind for _, behind in withheld(recording)) else "none_unreached"


def _same_line(one: Span | None, other: Span | None) -> bool:
    return one is not None and other is not None and one.line == other.line


def _by_code(topics: dict[str, str], otherwise: str) -> Callable[[Recording], str]:
    """By the piece of the program that failed: the topic of the first pattern that it begins with."""

    def topic(recording: Recording) -> str:
        code = _failed_code(recording)
        return next((found for pattern, found in topics.items() if re.match(pattern, code, re.DOTALL)), otherwise)

    return topic


def _unknown_attribute(recording: Recording) -> str:
    """Whose attribute it is: that of a layer not called, of a custom function's context, of an object of one's own."""
    source = recording.source or ""
    found = re.search(r"'(\w+)' object has no attribute '(\w+)'", recording.error.message if recording.error else "")
    name, attribute = found.groups() if found else ("", "")
    is_own = re.search(rf"\bclass {name}\b", source) is not None
    if re.fullmatch(OF_TENSORS, attribute) and (f"nn.{name}(" in source or (is_own and "nn.Module" in source)):
        return "layer_not_called"
    if name.endswith("Backward") and f"class {name.removesuffix('Backward')}(" in source:
        return "custom_unsaved"
    return "own_attribute" if is_own else "unknown_attribute"


OF_TENSORS = r"backward|sum|mean|detach|item|shape|size|dim|view|reshape|squeeze|argmax|grad|grad_fn"
"""What is asked of a layer only where its result was meant."""


def _arguments(recording: Recording) -> str:
    is_direct = re.match(r"[A-Z]\w*\.forward\(", _failed_code(recording)) is not None
    return "custom_static" if is_direct and "autograd.Function" in (recording.source or "") else "arguments"


def _index_out(recording: Recording) -> str:
    """An LSTM takes its first state apart by index, which fails where it is a single tensor."""
    is_call = re.match(r"[\w.]+\([^\[]*$", _failed_code(recording), re.DOTALL) is not None
    return "first_state" if is_call and "nn.LSTM(" in (recording.source or "") else "index_out"


def _matmul_shapes(recording: Recording) -> str:
    """A product that the program does not write is a linear layer's."""
    code = _failed_code(recording)
    return "matmul_shapes" if not code or re.search(r"@|mm\(|matmul\(|einsum\(", code) else "linear_features"


def _whole_number(recording: Recording) -> str:
    """A tuple of saved tensors is repeated by what it is multiplied with."""
    is_whole = re.search(r"^\s*\w+ = ctx\.saved_tensors\s*$", recording.source or "", re.MULTILINE) is not None
    return "saved_tuple" if is_whole and "*" in _failed_code(recording) else "whole_number"


def _unpack(recording: Recording) -> str:
    """Where nothing was saved, there is nothing to take apart; the name on the left is what failed."""
    line = recording.error.span.line if recording.error and recording.error.span else 0
    return "custom_unsaved" if "ctx.saved_tensors" in line_at(recording.source, line) else "unpack"


def _failed_code(recording: Recording) -> str:
    return piece_at(recording.source, recording.error.span if recording.error else None) or ""


LOSS_OF_TENSORS = r"[\w.]*Loss\((?!.*\)\s*\()"
"""A loss that is made of tensors, and not called with them."""

FUNCTION_OF_FUNCTIONS = r"(torch\.)?(func|autograd\.functional|utils\.checkpoint)\.|checkpoint\("
"""A call that takes a function."""

REFINED: dict[str, Callable[[Recording], str]] = {
    "no_history": _without_history,
    "second_time": _second_time,
    "modified_in_place": _modified_in_place,
    "none": _none,
    "truth_of_many": _by_code({LOSS_OF_TENSORS: "loss_of_numbers"}, "truth_of_many"),
    "unknown_attribute": _unknown_attribute,
    "arguments": _arguments,
    "index_out": _index_out,
    "matmul_shapes": _matmul_shapes,
    "whole_number": _whole_number,
    "unpack": _unpack,
    "missing_key": _by_code({r"(torch\.)?optim\.": "optimizer_list"}, "missing_key"),
    "not_numbers": _by_code({r"[\w.]+\[": "index_kind"}, "not_numbers"),
    "not_callable": _by_code(
        {
            r"[\w.]+\.step\(": "step_argument",
            FUNCTION_OF_FUNCTIONS: "function_wanted",
        },
        "not_callable",
    ),
}
"""What the recording tells beyond the message, by the topic that the message is about."""

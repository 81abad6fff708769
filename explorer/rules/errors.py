"""What an error means and what to do: torch's messages, matched by a part of them that stays the same."""

from __future__ import annotations

import re
from collections.abc import Callable

from explorer.model import Cut, GradCleared, Recording, Span, Warned
from explorer.model.source import piece_at
from explorer.rules.silent import replaced_leaves

HINTS: tuple[tuple[str, str], ...] = (
    ("Trying to backward through the graph a second time", "second_time"),
    ("does not require grad and does not have a grad_fn", "no_history"),
    ("needed for gradient computation has been modified by an inplace operation", "modified_in_place"),
    ("grad can be implicitly created only for scalar outputs", "not_scalar"),
    ("grad can be implicitly created only for real scalar outputs", "not_real"),
    ("Mismatch in shape: grad_output", "seed_shape"),
    ("a view of a leaf Variable that requires grad is being used in an in-place", "leaf_view_in_place"),
    ("a leaf Variable that requires grad is being used in an in-place", "leaf_in_place"),
    ("'NoneType'", "none"),
    ("not NoneType", "none"),
    ("has no attribute 'variable'", "node_variable"),
    ("nly Tensors of floating point", "integers"),
    ("appears to not have been used in the graph", "unused"),
    ("you can only change requires_grad flags of leaf variables", "flag_of_result"),
    ("can't retain_grad on Tensor that has requires_grad=False", "retain_grad_of_constant"),
    ("Can't call numpy() on Tensor that requires grad", "numpy"),
    ("can't optimize a non-leaf Tensor", "optimize_result"),
    ("as parameter", "assign_parameter"),
    ("Output 0 of BackwardHookFunction is a view", "module_hook_in_place"),
    ("This view is the output of a function that returns multiple views", "one_of_several_views"),
    ("A view was created in no_grad mode", "view_made_in_no_grad"),
    ("returned nan values in its", "nan"),
    ("cannot register a hook on a tensor that doesn't require gradient", "hook_on_constant"),
    ("post accumulate grad hooks cannot be registered on non-leaf tensors", "hook_on_result"),
    ("returned an incorrect number of gradients", "custom_number"),
    ("returned an invalid gradient at index", "custom_shape"),
    ("must match the size of tensor b", "sizes"),
    ("shapes cannot be multiplied", "matmul_shapes"),
    ("inconsistent tensor size, expected tensor", "dot_sizes"),
    ("same dtype", "dtypes"),
    ("only one element tensors can be converted to Python scalars", "not_one_element"),
    ("cannot be converted to Scalar", "not_one_element"),
    ("Boolean value of Tensor with more than one value is ambiguous", "truth_of_many"),
    ("is not defined", "undefined_name"),
    ("Expected gradient function to be set", "no_history_no_grad"),
    ("float' object has no attribute 'backward'", "number_backward"),
    ("int' object has no attribute 'backward'", "number_backward"),
    ("builtin_function_or_method'", "forgotten_call"),
    ("'method' object", "forgotten_call"),
    ("and 'method'", "forgotten_call"),
    ("'function' object has no attribute", "forgotten_call"),
    ("'torch.return_types.", "several_results"),
    ("before Module.__init__() call", "super_init"),
    ('missing the required "forward" function', "forward_missing"),
    ("'tuple' object has no attribute", "tuple"),
    ("non-static forward method", "custom_static"),
    ("implement either the backward or vjp", "custom_backward_missing"),
    ("save_for_backward can only save", "custom_saved"),
    ("should be between 0 and 1", "probabilities"),
    ("that is different to the input size", "same_shape"),
    ("to match target batch_size", "same_shape"),
    ("expects each tensor to be equal size", "same_shape"),
    ("view size is not compatible", "view_layout"),
    ("channels, but got", "channels"),
    ("object has no attribute", "unknown_attribute"),
    ("is out of bounds for dimension", "index_out"),
    ("index out of range", "index_out"),
    ("too many indices for tensor", "fewer_dimensions"),
    ("invalid index of a 0-dim tensor", "fewer_dimensions"),
    ("of a 0-d tensor", "fewer_dimensions"),
    ("over a 0-d tensor", "fewer_dimensions"),
    ("Dimension out of range", "dimension_out"),
    ("is invalid for input of size", "reshape"),
    ("size mismatch, got input", "product_shapes"),
    ("self must be a matrix", "product_shapes"),
    ("both arguments to matmul need", "product_shapes"),
    ("The expanded size of the tensor", "sizes"),
    ("tensor() takes 1 positional argument", "nested_lists"),
    ("expected sequence of length", "ragged"),
    ("invalid data type 'str'", "not_numbers"),
    ("must be tuple of Tensors, not Tensor", "tensors_in_a_list"),
    ("must be Tensor, not", "tensor_wanted"),
    ("positional argument", "arguments"),
    ("unexpected keyword argument", "arguments"),
    ("unsupported operand type", "operand_types"),
    ("could not infer output dtype", "integer_mean"),
    ("expected target dtype to be Long", "labels"),
    ("scalar types: Long", "labels"),
    ("only applicable to index tensor", "labels"),
    ("Expected dtype int32/int64 for index", "labels"),
    ("is out of bounds.", "label_out"),
    ('_cpu" not implemented for', "dtype_unsupported"),
    ("params argument given to the optimizer", "optimizer_list"),
    ("empty parameter list", "optimizer_empty"),
    ("object is not iterable", "not_iterable"),
    ("object is not callable", "not_callable"),
    ("values to unpack", "unpack"),
    ("not compiled with CUDA", "no_gpu"),
    ("Found no NVIDIA driver", "no_gpu"),
    ("maximum recursion depth", "recursion"),
    ("differentiated Tensors does not require grad", "grad_of_constant"),
    ("division by zero", "zero_division"),
    ("nference tensor", "inference"),
)
"""(part of the message, key below `rules.error`); the first that fits."""


OF_TYPE = {"KeyError": "missing_key", "AssertionError": "assertion"}
"""What is known by the error's type alone, since its message is the program's own: a key below `rules.error`."""


def hint_key(message: str) -> str | None:
    """Which hint belongs to what torch said."""
    return next((key for part, key in HINTS if part in message), None)


WARNINGS: tuple[tuple[str, str], ...] = (
    ("The .grad attribute of a Tensor that is not a leaf Tensor", "grad_of_result"),
    ("Using a target size", "target_size"),
    ("create_graph=True will create a reference cycle", "create_graph"),
    ("Converting a tensor with requires_grad=True to a scalar", "rebuilt"),
    ("To copy construct from a tensor", "rebuilt"),
)
"""(part of the warning, key below `rules.warning`)."""


def advice_key(message: str, code: str = "") -> str | None:
    """Which advice belongs to a warning of torch's, given the piece of the program that it is about, if known."""
    key = next((key for part, key in WARNINGS if part in message), None)
    return "converted" if key == "rebuilt" and code and "tensor(" not in code else key


CUTS = {"detach": "no_history_detach", "no_grad": "no_history_no_grad", "not differentiable": "no_history_choice"}
"""Why the history was cut: a key below `rules.error`."""

NUMBERS = (".item()", "float(", ".tolist()")
"""What makes plain numbers of a tensor, which torch does not see go on."""


def error_topic(recording: Recording) -> str | None:
    """What the error is about, as exactly as the recording tells: a key below `rules.error`; None if unknown."""
    error = recording.error
    key = None if error is None else hint_key(error.message) or OF_TYPE.get(error.type)
    refine = REFINED.get(key or "")
    return key if refine is None else refine(recording)


def _without_history(recording: Recording) -> str:
    earlier = recording.backward_passes[:-1]
    if any(one.started.by == "grad" and not one.started.create_graph for one in earlier):
        return "no_second_order"
    if any(notice.key == "leaf_lost_mark" for notice in replaced_leaves(recording)):
        return "no_history_lost_mark"
    if recording.cuts:
        cut = _cut_behind_root(recording)
        return "no_history_sample" if is_sample(recording, cut) else CUTS[cut.reason]
    source = recording.source or ""
    if any(call in source for call in NUMBERS):
        return "no_history_number"
    return "no_history_elsewhere" if any(leaf.requires_grad for leaf in recording.leaves) else "no_history"


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
    leaf_ids = {leaf.id for leaf in recording.leaves if leaf.name == name}
    cleared = (event for event in recording.events if isinstance(event, GradCleared) and event.leaf_id in leaf_ids)
    return "none_cleared" if any(event.before is not None for event in cleared) else "none_unreached"


def _same_line(one: Span | None, other: Span | None) -> bool:
    return one is not None and other is not None and one.line == other.line


REFINED: dict[str, Callable[[Recording], str]] = {
    "no_history": _without_history,
    "second_time": _second_time,
    "modified_in_place": _modified_in_place,
    "none": _none,
}
"""What the recording tells beyond the message, by the topic that the message is about."""

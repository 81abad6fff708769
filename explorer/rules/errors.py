"""What an error means and what to do: torch's messages, matched by a part of them that stays the same."""

from __future__ import annotations

import re
from collections.abc import Callable

from explorer.model import Cut, GradCleared, Recording, Span, Warned
from explorer.model.source import piece_at
from explorer.rules.silent.leaves import replaced_leaves

HINTS: tuple[tuple[str, str], ...] = (
    ("Trying to backward through the graph a second time", "second_time"),
    ("does not require grad and does not have a grad_fn", "no_history"),
    ("needed for gradient computation has been modified by an inplace operation", "modified_in_place"),
    ("grad can be implicitly created only for scalar outputs", "not_scalar"),
    ("grad can be implicitly created only for real scalar outputs", "not_real"),
    ("Mismatch in shape: grad_output", "seed_shape"),
    ("a view of a leaf Variable that requires grad is being used in an in-place", "leaf_view_in_place"),
    ("a leaf Variable that requires grad is being used in an in-place", "leaf_in_place"),
    ("matrix is singular", "singular"),
    ("is not positive-definite", "not_positive_definite"),
    ("must be batches of square matrices", "not_square"),
    ("contained non-finite values", "matrix_of_nan"),
    ("\tsize mismatch for", "state_sizes"),
    ("in loading state_dict", "state_keys"),
    ("Expected state_dict to be dict-like", "state_wanted"),
    ("support the deepcopy protocol", "deepcopy_result"),
    ("'NoneType'", "none"),
    ("not NoneType", "none"),
    ("has no attribute 'variable'", "node_variable"),
    ("infer dtype of NoneType", "none"),
    ("must be floating point or complex dtype", "integers"),
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
    ("Loss' object has no attribute", "loss_of_numbers"),
    ("'float' object has no attribute 'size'", "tensor_wanted"),
    ("'int' object has no attribute 'size'", "tensor_wanted"),
    ("'list' object has no attribute 'size'", "tensor_wanted"),
    ("'type' object does not support the context manager protocol", "forgotten_call"),
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
    ("has to be between 0 and 1, but got", "setting"),
    ("Invalid learning rate", "setting"),
    ("Invalid momentum", "setting"),
    ("Invalid weight_decay", "setting"),
    ("Invalid beta parameter", "setting"),
    ("should be between 0 and 1", "probabilities"),
    ("that is different to the input size", "same_shape"),
    ("to match target batch_size", "same_shape"),
    ("expects each tensor to be equal size", "same_shape"),
    ("Sizes of tensors must match except in dimension", "joined_sizes"),
    ("The shape of the mask", "mask"),
    ("0D or 1D target tensor expected", "one_label_each"),
    ("target with class probabilities", "class_probabilities"),
    ("can't be cast to the desired output type", "fractions"),
    ("log_softmax_lastdim_kernel_impl", "scores_first"),
    ("should be defined either for all", "class_weights"),
    ("gradients can be either Tensors or None", "tensor_wanted"),
    ("inputs have to be Tensors or GradientEdges", "tensor_wanted"),
    ("expected Tensor as element", "tensor_wanted"),
    ("(torch Tensor or None required)", "tensor_wanted"),
    ("view size is not compatible", "view_layout"),
    ("channels, but got", "channels"),
    ("(unbatched) or", "image_dimensions"),
    ("(batch mode) tensor expected", "image_dimensions"),
    ("Kernel size can't be greater than actual input size", "window"),
    ("Output size is too small", "window"),
    ("Expected more than 1 value per channel", "batch_of_one"),
    ("running_mean should contain", "features"),
    ("Given normalized_shape=", "features"),
    ("must be equal to input_size", "features"),
    ("must be divisible by", "divisible"),
    ("is not a Module subclass", "modules_wanted"),
    ("object has no attribute", "unknown_attribute"),
    ("is out of bounds for dimension", "index_out"),
    ("index out of range", "index_out"),
    ("is out of range", "index_out"),
    ("are valid indices", "index_kind"),
    ("tensors used as indices must be", "index_kind"),
    ("too many indices for tensor", "fewer_dimensions"),
    ("invalid index of a 0-dim tensor", "fewer_dimensions"),
    ("of a 0-d tensor", "fewer_dimensions"),
    ("over a 0-d tensor", "fewer_dimensions"),
    ("Dimension out of range", "dimension_out"),
    ("desired ordering of dimensions", "dimension_out"),
    ("is invalid for input of size", "reshape"),
    ("size mismatch, got input", "product_shapes"),
    ("must be a matrix", "product_shapes"),
    ("must be a 3D tensor", "product_shapes"),
    ("1D tensors expected, but got", "product_shapes"),
    ("does not broadcast with previously seen size", "einsum"),
    ("both arguments to matmul need", "product_shapes"),
    ("The expanded size of the tensor", "sizes"),
    ("tensor() takes 1 positional argument", "nested_lists"),
    ("expected sequence of length", "ragged"),
    ("not a sequence", "ragged"),
    ("invalid data type 'str'", "not_numbers"),
    ("must be tuple of Tensors, not Tensor", "tensors_in_a_list"),
    ("must be Tensor, not", "tensor_wanted"),
    ("must be Number, not str", "not_numbers"),
    ("must be torch.dtype, not", "dtype_name"),
    ("must be tuple of ints", "whole_number"),
    ("must be int, not", "whole_number"),
    ("can be converted to an index", "whole_number"),
    ("with negative dimension", "whole_number"),
    ("must be bool, not", "flag"),
    ("requires_grad must be a bool", "flag"),
    ("new() received an invalid combination", "capital_tensor"),
    ("received an invalid combination of arguments", "arguments"),
    ("positional argument", "arguments"),
    ("unexpected keyword argument", "arguments"),
    ("unsupported operand type", "operand_types"),
    ("can only concatenate str", "text"),
    ("unsupported format string passed to Tensor", "not_one_element"),
    ("doesn't define __round__", "rounded"),
    ("could not infer output dtype", "integer_mean"),
    ("expected target dtype to be Long", "labels"),
    ("scalar types: Long", "labels"),
    ("only applicable to index tensor", "labels"),
    ("Expected dtype int32/int64 for index", "labels"),
    ("is out of bounds.", "label_out"),
    ("Class values must be smaller than num_classes", "label_out"),
    ('_cpu" not implemented for', "dtype_unsupported"),
    ("optimizer can only optimize Tensors", "optimizer_list"),
    ("is not an Optimizer", "scheduler"),
    ("params argument given to the optimizer", "optimizer_list"),
    ("empty parameter list", "optimizer_empty"),
    ("object is not iterable", "not_iterable"),
    ("object is not callable", "not_callable"),
    ("values to unpack", "unpack"),
    ("from the 'MPS' backend", "no_gpu"),
    ("not compiled with CUDA", "no_gpu"),
    ("Found no NVIDIA driver", "no_gpu"),
    ("maximum recursion depth", "recursion"),
    ("differentiated Tensors does not require grad", "grad_of_constant"),
    ("to return a scalar Tensor", "not_scalar"),
    ("assigned grad expected to be", "assigned_grad"),
    ("attempting to assign a gradient", "assigned_grad"),
    ("satisfy the constraint", "distribution"),
    ("probability tensor contains", "distribution"),
    ("p_in >= 0", "distribution"),
    ("Jacobian mismatch for output", "gradcheck"),
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


def _by_code(topics: dict[str, str], otherwise: str) -> Callable[[Recording], str]:
    """By the piece of the program that failed: the topic of the first pattern that it begins with."""

    def topic(recording: Recording) -> str:
        code = piece_at(recording.source, recording.error.span if recording.error else None) or ""
        return next((found for pattern, found in topics.items() if re.match(pattern, code, re.DOTALL)), otherwise)

    return topic


LOSS_OF_TENSORS = r"[\w.]*Loss\((?!.*\)\s*\()"
"""A loss that is made of tensors, and not called with them."""

REFINED: dict[str, Callable[[Recording], str]] = {
    "no_history": _without_history,
    "second_time": _second_time,
    "modified_in_place": _modified_in_place,
    "none": _none,
    "truth_of_many": _by_code({LOSS_OF_TENSORS: "loss_of_numbers"}, "truth_of_many"),
    "not_numbers": _by_code({r"[\w.]+\[": "index_kind"}, "not_numbers"),
    "not_callable": _by_code(
        {r"[\w.]+\.step\(": "step_argument", r"(torch\.)?(func|autograd\.functional)\.": "function_wanted"},
        "not_callable",
    ),
}
"""What the recording tells beyond the message, by the topic that the message is about."""

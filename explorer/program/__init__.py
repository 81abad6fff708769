"""Choices in, program text out: the text on the screen is what runs."""

from explorer.program.choices import Choices, program_text
from explorer.program.edits import with_dtype, with_requires_grad, with_shape, with_values
from explorer.program.inputs import Input, find_inputs
from explorer.program.link import decode, encode
from explorer.program.toggles import MAX_PASSES, Between, Seed, Toggles, apply_toggles, why_not
from explorer.program.what_if import Change, changed, offers

__all__ = [
    "MAX_PASSES",
    "Between",
    "Change",
    "Choices",
    "Input",
    "Seed",
    "Toggles",
    "apply_toggles",
    "changed",
    "decode",
    "encode",
    "find_inputs",
    "offers",
    "program_text",
    "why_not",
    "with_dtype",
    "with_requires_grad",
    "with_shape",
    "with_values",
]

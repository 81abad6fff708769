"""Choices in, program text out: the text on the screen is what runs."""

from explorer.program.choices import Choices, program_text
from explorer.program.edits import with_dtype, with_requires_grad, with_shape, with_values
from explorer.program.inputs import Input, find_inputs
from explorer.program.link import decode, encode
from explorer.program.toggles import MAX_PASSES, Between, Seed, Toggles, apply_toggles, why_not

__all__ = [
    "MAX_PASSES",
    "Between",
    "Choices",
    "Input",
    "Seed",
    "Toggles",
    "apply_toggles",
    "decode",
    "encode",
    "find_inputs",
    "program_text",
    "why_not",
    "with_dtype",
    "with_requires_grad",
    "with_shape",
    "with_values",
]

"""How much of everything one program may use."""

from __future__ import annotations

from explorer.model.values import Frozen
from explorer.program.source import LONGEST


class Limits(Frozen, frozen=True, kw_only=True):
    """What one program may use before it is stopped, or its recording cut off.

    Args:
        wall_seconds: Time on the clock; more than processor time, for a worker shares its core with others.
        cpu_seconds: Processor time, whole seconds.
        memory_bytes: Address space beyond what a worker has when it starts.
        output_characters: Printed text.
        events, nodes: How many the recording holds; the program runs on without being recorded.
        values: Elements the recording keeps of each tensor; of larger ones it keeps a sample.
        elements: Elements it keeps of all tensors together; more would not fit into an answer.
        jacobians: How many local Jacobians of backward nodes are asked for; 0 where nobody looks at them.
        code_characters: Length of the program text.
    """

    wall_seconds: float = 15.0
    cpu_seconds: int = 5
    memory_bytes: int = 512 * 2**20
    output_characters: int = 20_000
    events: int = 10_000
    nodes: int = 4_000
    values: int = 256
    elements: int = 2_000_000
    jacobians: int = 256
    code_characters: int = LONGEST

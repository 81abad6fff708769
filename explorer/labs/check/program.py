"""What the lab runs: a program as a function of its leaves, its gradient by several ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from explorer.i18n import Language, text
from explorer.labs.settings import LabSettings
from explorer.program.functions import ProgramFunction, function_of
from explorer.program.names import Names
from explorer.program.source import LONGEST
from explorer.runner import Limits

CHECK_LIMITS = Limits(wall_seconds=30.0, cpu_seconds=10, values=4_096, events=20_000, nodes=10_000)
"""A check calls the program thousands of times; forward mode, once per element, is recorded in full."""

MOST_ELEMENTS = 32
"""Elements of the leaves that are checked; each costs two calls of the function per step size."""

POWERS = tuple(-k / 2 for k in range(2, 25))
"""Step sizes are 10 to these powers: 0.1 to 1e-12."""

REVERSE, SLOPES, TANGENTS = "reverse", "slopes", "tangents"
"""Names of the program's results, by which a recording is read."""

LEAVES, GRADCHECK, FORWARD = "leaves: ", "gradcheck: ", "forward mode: "
"""What the lines begin with that the program prints."""


class CheckSettings(LabSettings, frozen=True, kw_only=True):
    """What the lab checks.

    Args:
        function: Id of a gallery function; "" for the user's own program.
        code: The user's own program.
        step: Which step size the table shows, as an index of `POWERS`; -1 for the best.
    """

    function: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{0,40}$")] = "sin-chain"
    code: Annotated[str, msgspec.Meta(max_length=LONGEST)] = ""
    step: Annotated[int, msgspec.Meta(ge=-1, lt=len(POWERS))] = -1


def program_text(program: str, language: Language = "en") -> str:
    """The check of a program, plain PyTorch.

    Args:
        program: Its text.
        language: Of the comments.

    Raises:
        ProgramInvalid: See `function_of`.
    """
    function = function_of(program)
    parts = [
        *function.setup,
        "",
        "",
        f"# {_say('function', language)}",
        *function.definition,
        "",
        "",
        *_tools(function, _names(program, function), language),
    ]
    return _tidy(parts)


def _names(program: str, function: ProgramFunction) -> dict[str, str]:
    """What the check's own globals are called, so that the program's keep their meaning."""
    names = Names(program, *function.definition)
    wanted = ("Once", "moved", "differences", "gradcheck", "inputs", "check", "steps", "double", "forward_mode")
    return {name: names.fresh(name, f"{name}_") for name in wanted}


def _tools(function: ProgramFunction, names: Mapping[str, str], language: Language) -> list[str]:
    """The ways to the gradient, each a definition, and the calls that go them."""
    f, n = function.name, names
    definitions = (
        _once(n, language),
        _moved(n, language),
        _differences(f, n, language),
        _check(f, n),
        _gradcheck(f, n, language),
        _forward_mode(f, n, language),
    )
    return "\n\n\n".join([*definitions, _calls(function, n, language)]).split("\n")


def _once(n: Mapping[str, str], language: Language) -> str:
    """A node of its own for work that is not to be recorded."""
    return f"""\
class {n["Once"]}(torch.autograd.Function):
    # {_say("once", language)}
    @staticmethod
    def forward(ctx, work, *inputs):
        with torch.enable_grad():
            return work(*inputs)"""


def _moved(n: Mapping[str, str], language: Language) -> str:
    """The inputs with one element moved by h."""
    return f"""\
def {n["moved"]}(inputs, k, i, h):
    # {_say("moved", language)}
    step = torch.zeros(inputs[k].numel(), dtype=inputs[k].dtype)
    step[i] = h
    return [x + step.reshape(x.shape) if j == k else x for j, x in enumerate(inputs)]"""


def _differences(f: str, n: Mapping[str, str], language: Language) -> str:
    """Slopes by finite differences: for each step size central, backward and forward ones."""
    return f"""\
def {n["differences"]}(*inputs):
    # {_say("differences", language)}
    at = {f}(*inputs).detach().reshape(())
    places = [(k, i) for k, x in enumerate(inputs) for i in range(x.numel())][:{MOST_ELEMENTS}]
    rows = []
    for h in {n["steps"]}:
        up = torch.stack([{f}(*{n["moved"]}(inputs, k, i, h)).detach().reshape(()) for k, i in places])
        down = torch.stack([{f}(*{n["moved"]}(inputs, k, i, -h)).detach().reshape(()) for k, i in places])
        rows.append(torch.stack([(up - down) / (2 * h), (at - down) / h, (up - at) / h]))
    return torch.stack(rows)"""


def _check(f: str, n: Mapping[str, str]) -> str:
    """The gradient by reverse mode, and the slopes to compare it with."""
    return f"""\
def {n["check"]}(*inputs):
    grads = torch.autograd.grad({f}(*inputs), inputs, allow_unused=True, materialize_grads=True)
    {REVERSE} = torch.cat([grad.reshape(-1) for grad in grads])
    {SLOPES} = {n["Once"]}.apply({n["differences"]}, *inputs)"""


def _gradcheck(f: str, n: Mapping[str, str], language: Language) -> str:
    """Torch's own check, and what it says where it does not agree."""
    return f"""\
def {n["gradcheck"]}(*inputs):
    # {_say("gradcheck", language)}
    try:
        return str(torch.autograd.gradcheck({f}, inputs))
    except RuntimeError as error:
        return str(error)"""


def _forward_mode(f: str, n: Mapping[str, str], language: Language) -> str:
    """The gradient by forward mode, an element a call."""
    return f"""\
def {n["forward_mode"]}(*inputs):
    # {_say("forward", language)}
    columns = []
    with torch.autograd.forward_ad.dual_level():
        for k, i in [(k, i) for k, x in enumerate(inputs) for i in range(x.numel())][:{MOST_ELEMENTS}]:
            direction = torch.zeros(inputs[k].numel(), dtype=inputs[k].dtype)
            direction[i] = 1.0
            duals = list(inputs)
            duals[k] = torch.autograd.forward_ad.make_dual(inputs[k], direction.reshape(inputs[k].shape))
            tangent = torch.autograd.forward_ad.unpack_dual({f}(*duals)).tangent
            columns.append(torch.tensor(0.0) if tangent is None else tangent.detach().reshape(()))
    {TANGENTS} = torch.stack(columns)"""


def _calls(function: ProgramFunction, n: Mapping[str, str], language: Language) -> str:
    """The check as the program is written, then in float64."""
    return f"""\
{n["steps"]} = [10.0**-(k / 2) for k in range({-round(2 * POWERS[0])}, {1 - round(2 * POWERS[-1])})]
{n["inputs"]} = [{_inputs(function)}]
print("{LEAVES}" + " ".join([{_leaf_names(function)}]))

# {_say("as_written", language)}
{n["check"]}(*{n["inputs"]})

# {_say("in_float64", language)}
{_in_float64(function, n)}
{n["check"]}(*{n["inputs"]})
print("{GRADCHECK}" + {n["Once"]}.apply({n["gradcheck"]}, *{n["inputs"]}))
try:
    {n["forward_mode"]}(*{n["inputs"]})
except (RuntimeError, NotImplementedError) as error:
    print("{FORWARD}" + str(error))"""


def _inputs(function: ProgramFunction) -> str:
    return ", ".join([*function.leaves, *(f"*{module}.parameters()" for module in function.modules)])


def _leaf_names(function: ProgramFunction) -> str:
    modules = [f'*(f"{module}.{{name}}" for name, _ in {module}.named_parameters())' for module in function.modules]
    return ", ".join([*(f'"{name}"' for name in function.leaves), *modules])


def _in_float64(function: ProgramFunction, names: Mapping[str, str]) -> str:
    double = names["double"]
    lines = ["torch.set_default_dtype(torch.float64)"]
    lines += [f"{name} = {name}.double()" for name in function.tensors]
    lines += [f"{module}.double()" for module in (*function.modules, *function.fixed_modules)]
    if function.others:
        lines += [
            "",
            "",
            f"def {double}(value):",
            "    if isinstance(value, (list, tuple)):",
            f"        return [{double}(one) for one in value]",
            "    return value.double() if torch.is_tensor(value) and value.is_floating_point() else value",
            "",
            "",
            *(f"{name} = {double}({name})" for name in function.others),
        ]
    lines += [f"{name} = {name}.detach().double().requires_grad_()" for name in function.leaves]
    return "\n".join([*lines, f"{names['inputs']} = [{_inputs(function)}]"])


def _say(name: str, language: Language) -> str:
    return text(f"lab_check.comment.{name}", language)


def _tidy(lines: list[str]) -> str:
    """The lines with no more than two empty ones in a row."""
    kept: list[str] = []
    for line in lines:
        if line.strip() or kept[-2:] != ["", ""]:
            kept.append(line.rstrip())
    return "\n".join(kept).strip("\n") + "\n"

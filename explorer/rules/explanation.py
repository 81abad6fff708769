"""What is to be said about a step: one sentence, and the formula of the node that ran, where torch bears it out."""

from __future__ import annotations

from typing import Literal

from explorer.i18n import Language
from explorer.model import Accumulated, Edge, Event, Modified, NodeRan, Operation, Recording, TorchRule
from explorer.model.values import Frozen
from explorer.rules.expression import parse
from explorer.rules.gradients import changed_after
from explorer.rules.names import argument_symbols, node_symbol, symbols_at
from explorer.rules.notation import LOOSE, PRODUCT, Notation, Piece, argument_name, code_name
from explorer.rules.sentences import sentence
from explorer.rules.table import LISTED, rule
from explorer.rules.verification import Checked, Verdict, checked, checked_forward, checked_sum, verdict


class SlotFormula(Frozen, frozen=True, kw_only=True):
    """What a node computed for one of its inputs, borne out by torch's own numbers.

    Args:
        slot: Which of its `grad_inputs`.
        argument: torch's name for that input: "self", "other", "tensors[1]".
        expression: The rule, as the table has it.
        latex: The vector-Jacobian product with the program's names, `g` being the gradient that came in.
        formula: The same as an equation.
        definitions: Equations for names that stand in `latex` and that the rule itself defines, such as x̂.
        largest_difference: Between an element of the rule's and of torch's.
    """

    slot: int
    argument: str
    expression: str
    latex: str
    formula: str
    definitions: tuple[str, ...] = ()
    largest_difference: float


class Explanation(Frozen, frozen=True, kw_only=True):
    """A step, explained.

    Args:
        sentence: What happened, in one language.
        forward: LaTeX of the operation that an event noted, or whose node ran; None where it is not checked.
        formula: LaTeX of what the node computed, one line per slot; None where no rule gives torch's numbers.
        verified: True where there is a formula: it was computed on the numbers of this very step and agreed.
        largest_difference: The largest of the slots'.
        verdict: What torch's numbers say about the rule, and so why there is no formula; None if nothing was computed.
        before_hook: Whether the program's hook on the node then changed what the formula gives.
        torch_rule: PyTorch's own derivative of the operation, checked or not; None for nodes torch does not generate.
        slots: The formula slot by slot.
    """

    sentence: str
    forward: str | None = None
    formula: str | None = None
    verified: Literal[True] | None = None
    largest_difference: float | None = None
    verdict: Verdict | None = None
    before_hook: bool = False
    torch_rule: TorchRule | None = None
    slots: tuple[SlotFormula, ...] = ()


def explain(recording: Recording, step: int, language: Language) -> Explanation:
    """Explains the event that ends at `step`, counted from 1.

    Raises:
        IndexError: There is no such step.
    """
    said = sentence(recording, step, language)
    match recording.events[step - 1]:
        case NodeRan() as ran if recording.node(ran.node_id).kind == "accumulate":
            following = recording.events[step] if step < len(recording.events) else None
            return _of_accumulation(recording, following, said)
        case NodeRan() as ran:
            return _of_node(recording, ran, said)
        case Operation() | Modified() as made:
            is_one = isinstance(made, Modified) or len(made.values) == 1
            forward = _forward(recording, made.node_ids[-1]) if made.node_ids and is_one else None
            return Explanation(sentence=said, forward=forward)
        case event:
            return _of_accumulation(recording, event, said)


def _of_node(recording: Recording, ran: NodeRan, said: str) -> Explanation:
    slots = slot_formulas(recording, ran)
    return Explanation(
        sentence=said,
        forward=_forward(recording, ran.node_id),
        formula=_aligned(slots) if slots else None,
        verified=True if slots else None,
        largest_difference=max((slot.largest_difference for slot in slots), default=None),
        verdict=Verdict.AGREES if slots else verdict(recording.node(ran.node_id), ran),
        before_hook=changed_after(ran) is not None,
        torch_rule=recording.torch_rules.get(recording.node(ran.node_id).name),
        slots=slots,
    )


def _forward(recording: Recording, node_id: str) -> str | None:
    """The operation as an equation, where it gives the very tensor that torch made."""
    node = recording.node(node_id)
    found, evaluation = rule(node.name), checked_forward(recording, node)
    if found is None or found.forward is None or evaluation is None:
        return None
    symbols = {**argument_symbols(recording, node, found), **symbols_at(recording, node)}
    variable = node.variable_of(0)
    made = code_name(variable) if variable else argument_name("result")
    notation = Notation(evaluation, symbols)
    return _below_each_other([f"{made.latex} = {notation.of(parse(found.forward)).latex}", *notation.equations()])


def _of_accumulation(recording: Recording, event: Event | None, said: str) -> Explanation:
    difference = checked_sum(event) if isinstance(event, Accumulated) else None
    if not isinstance(event, Accumulated):
        return Explanation(sentence=said)
    if difference is None:
        return Explanation(sentence=said, verdict=Verdict.DISAGREES if event.after.complete else Verdict.NOT_KEPT)
    grad = code_name(f"{recording.leaf(event.leaf_id).name}.grad").latex
    formula = rf"{grad} \leftarrow " + ("g" if event.before is None else f"{grad} + g")
    return Explanation(
        sentence=said, formula=formula, verified=True, verdict=Verdict.AGREES, largest_difference=difference
    )


def slot_formulas(recording: Recording, ran: NodeRan) -> tuple[SlotFormula, ...]:
    """The formulas of a node that ran, one for each gradient it sent; () unless all of them give torch's numbers."""
    node = recording.node(ran.node_id)
    symbols = symbols_at(recording, node)
    targets = {edge.slot: edge for edge in recording.edges_from(node.id)}
    return tuple(
        _slot_formula(one, symbols, _target(recording, targets.get(one.slot), one)) for one in checked(node, ran)
    )


def _slot_formula(one: Checked, symbols: dict[str, Piece], target: Piece) -> SlotFormula:
    notation = Notation(one.evaluation, symbols)
    vjp = notation.of(one.tree)
    if one.summed:
        vjp = Piece(
            rf"\textstyle\sum_{{\text{{dim }} {', '.join(map(str, one.summed))}}} {vjp.at_least(PRODUCT)}", LOOSE
        )
    if one.real:
        vjp = Piece(rf"\operatorname{{Re}}\left({vjp.latex}\right)")
    return SlotFormula(
        slot=one.slot,
        argument=_argument(one),
        expression=one.expression,
        latex=vjp.latex,
        formula=f"g_{{{target.latex}}} = {vjp.latex}",
        definitions=notation.equations(),
        largest_difference=one.difference,
    )


def _argument(one: Checked) -> str:
    listed = one.argument.endswith(LISTED)
    return f"{one.argument.removesuffix(LISTED)}[{one.evaluation.names['slot']}]" if listed else one.argument


def _target(recording: Recording, edge: Edge | None, one: Checked) -> Piece:
    symbol = None if edge is None else node_symbol(recording, edge.target, edge.input_nr)
    return symbol or argument_name(_argument(one))


def _aligned(slots: tuple[SlotFormula, ...]) -> str:
    """The equations of all slots, then what their names stand for."""
    return _below_each_other(
        [slot.formula for slot in slots] + [definition for slot in slots for definition in slot.definitions]
    )


def _below_each_other(equations: list[str]) -> str:
    """Equations one below the other, each once."""
    different = list(dict.fromkeys(equations))
    if len(different) == 1:
        return different[0]
    lines = r" \\[0.4em] ".join(equation.replace("=", "&=", 1) for equation in different)
    return rf"\begin{{aligned}} {lines} \end{{aligned}}"

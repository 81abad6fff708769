"""What the insight panel shows of a node or leaf at a step: one plain dictionary, ready for JSON."""

from __future__ import annotations

from explorer.i18n import Language, catalog, text
from explorer.model import Accumulated, Leaf, Node, NodeRan, Recording
from explorer.ui.glossary.entries import glossary_beside, terms_of
from explorer.ui.insight.grids import Shown, grid, leaf_grids, node_grids
from explorer.ui.insight.holdings import holdings
from explorer.ui.insight.matrices import chain_content, jacobian_content
from explorer.ui.insight.order import order
from explorer.ui.insight.symbols import result_name

_PREFIX = "insight.panel_"


def content(recording: Recording, node: Node | None, leaf: Leaf | None, step: int, language: Language) -> Shown:
    """All tabs of the panel.

    Args:
        recording: What happened.
        node: The node at hand, a leaf's `AccumulateGrad` among them; None for a leaf that no gradient goes to.
        leaf: The leaf at hand.
        step: Up to where.
        language: Of the words.
    """
    ran = recording.last_run(node.id, step) if node is not None else None
    return {
        "numbers": {**_numbers(recording, node, leaf, ran, step, language), "rule": _torch_rule(recording, node)},
        "jacobian": _jacobian(recording, node, leaf, ran, language),
        "saved": holdings(recording, node, leaf, step, language),
        "order": order(recording, step, language),
        "terms": terms_of(node),
        "glossary": glossary_beside(recording, language),
        "words": {
            key.removeprefix(_PREFIX): said for key, said in catalog(language).items() if key.startswith(_PREFIX)
        },
    }


def _numbers(
    recording: Recording, node: Node | None, leaf: Leaf | None, ran: NodeRan | None, step: int, language: Language
) -> Shown:
    if leaf is not None:
        if ran is not None:
            added = last_added(recording, leaf.id, step)
            return leaf_grids(recording, leaf, ran, added if _is_of(added, ran) else None, language)
        key = "insight.no_gradient_yet" if leaf.requires_grad else "insight.constant"
        return {"grids": [grid(leaf.value, leaf.name, symbol=leaf.name)], "notes": [text(key, language)]}
    if node is not None and ran is not None:
        return node_grids(recording, node, ran, language)
    values = [] if node is None or node.value is None else [_result(recording, node, language)]
    return {"grids": values, "notes": [] if values else [text("insight.not_run", language)]}


def last_added(recording: Recording, leaf_id: str, step: int) -> Accumulated | None:
    """What a leaf's `.grad` last got, up to a step."""
    events = reversed(recording.events[:step])
    return next((event for event in events if isinstance(event, Accumulated) and event.leaf_id == leaf_id), None)


def _is_of(added: Accumulated | None, ran: NodeRan) -> bool:
    return added is not None and added.backward_pass == ran.backward_pass


def _torch_rule(recording: Recording, node: Node | None) -> Shown | None:
    rule = recording.torch_rules.get(node.name) if node is not None else None
    return None if rule is None else {"operation": rule.operation, "derivatives": [list(d) for d in rule.derivatives]}


def _result(recording: Recording, node: Node, language: Language) -> Shown:
    assert node.value is not None
    name = result_name(recording, node, node.value_nr)
    return grid(node.value, text("insight.made", language, name=name), symbol=name)


def _jacobian(
    recording: Recording, node: Node | None, leaf: Leaf | None, ran: NodeRan | None, language: Language
) -> Shown:
    if leaf is None and node is not None:
        return jacobian_content(recording, node, ran, language)
    found = chain_content(recording, node, ran, language) if node is not None and ran is not None else None
    return {"slots": [], "reason": None if found else _no_chain(recording, ran, language), "chain": found}


def _no_chain(recording: Recording, ran: NodeRan | None, language: Language) -> str:
    if ran is None:
        return text("insight.not_run", language)
    roots = recording.backward_passes[ran.backward_pass].started.roots
    return text("insight.no_chain_roots" if len(roots) > 1 else "insight.no_chain", language, count=len(roots))

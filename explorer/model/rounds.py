"""The rounds of a program: what it computes for a backward pass, and the pass itself.

A training loop builds a new graph in every round, and only the leaves are the same. A round begins with the first node
that is made after a pass has ended; passes between which nothing new is made belong to one round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.model.events import BackwardEnded, BackwardStarted, Modified, Operation
from explorer.model.values import Frozen

if TYPE_CHECKING:
    from explorer.model.recording import Recording


class Round(Frozen, frozen=True, kw_only=True):
    """One round.

    Args:
        first: The step at which its first node is made; 0 for the first round.
        passes: The backward passes that start in it, from 0.
        node_ids: The nodes made in it, and those where its passes start.
    """

    first: int
    passes: tuple[int, ...]
    node_ids: tuple[str, ...]


def rounds_of(recording: Recording) -> tuple[Round, ...]:
    """All rounds, in order; there is always one."""
    firsts, passes, roots = [0], [list[int]()], [list[str]()]
    round_of: dict[str, int] = {}
    has_ended = False
    for step, event in enumerate(recording.events, 1):
        match event:
            case Operation(node_ids=(_, *_) as node_ids) | Modified(node_ids=(_, *_) as node_ids):
                if has_ended:
                    firsts.append(step)
                    passes.append([])
                    roots.append([])
                has_ended = False
                round_of |= dict.fromkeys(node_ids, len(firsts) - 1)
            case BackwardStarted():
                passes[-1].append(event.backward_pass)
                roots[-1] += [root.node_id for root in event.roots if root.node_id is not None]
            case BackwardEnded():
                has_ended = True
    made: list[list[str]] = [[] for _ in firsts]
    current = 0
    for node in recording.nodes:
        # Nodes that no event tells of, as those of a backward pass itself, are of the round of the one before.
        current = round_of.get(node.id, current)
        made[current].append(node.id)
    return tuple(
        Round(first=first, passes=tuple(passes[nr]), node_ids=tuple(dict.fromkeys([*made[nr], *roots[nr]])))
        for nr, first in enumerate(firsts)
    )

"""The inspector: what a node or leaf is, its formula with the numbers put in, and all that is behind them."""

from __future__ import annotations

import streamlit as st

from explorer.model import Node, Recording, Span
from explorer.render.labels import span_text, whole_made_by_text
from explorer.ui.insight import content, insight
from explorer.ui.markdown import as_code
from explorer.ui.panels.formula import formula
from explorer.ui.panels.subject import Subject, subject_of
from explorer.ui.panels.tensors import tensors
from explorer.ui.words import language, say


def inspector(recording: Recording, step: int, selected: str | None, *, height: int) -> None:
    """Draws the inspector in a box whose height does not depend on what is in it, so that nothing moves while stepping.

    Args:
        recording: What happened.
        step: Up to where.
        selected: Id of a node, edge, leaf, cut or saved tensor; None for nothing.
        height: In CSS pixels, at the least.
    """
    with st.container(height=height, key="inspector"):
        subject = subject_of(recording, selected)
        if subject is None:
            st.markdown(f"## {say('inspector.name')}")
            st.caption(say("inspector.empty"))
            return
        # Worked out first, for what is drawn stands beside what was there before until all of it is drawn.
        numbers = content(recording, subject.node, subject.leaf, step, language())
        _heading(recording, subject, step)
        if subject.node is not None:
            formula(recording, subject.node.id, step)
        insight(numbers, key="insight")
        tensors(recording, subject, step)


def _heading(recording: Recording, subject: Subject, step: int) -> None:
    st.markdown(f"## {as_code(subject.name)}")
    if subject.leaf is not None:
        _expression(recording, None, subject.leaf.span)
        st.caption(say("inspector.leaf" if subject.leaf.requires_grad else "inspector.constant"))
    elif subject.node is not None:
        _expression(recording, subject.node.variable, subject.node.span)
        st.caption(_order(recording, subject.node, step))


def _expression(recording: Recording, variable: str | None, span: Span | None) -> None:
    if span_text(recording.source, span):
        st.code(whole_made_by_text(recording, variable, span), language="python", wrap_lines=True)


def _order(recording: Recording, node: Node, step: int) -> str:
    ran = recording.last_run(node.id, step)
    if ran is None:
        return say("inspector.not_yet")
    one = recording.backward_passes[ran.backward_pass]
    place = 1 + [step.node_id for step in one.steps].index(node.id)
    return say("inspector.order", place=place, count=len(one.steps), number=one.index + 1, sequence_nr=node.sequence_nr)

"""The formula of a node that ran, with its tick; where torch's own numbers do not bear one out, why there is none."""

from __future__ import annotations

import streamlit as st

from explorer.model import Node, Recording
from explorer.rules import Verdict, explain
from explorer.ui.markdown import plain
from explorer.ui.words import language, say


def formula(recording: Recording, node_id: str, step: int) -> None:
    """Draws what a node computed when it last ran, up to a step."""
    ran_at = [at for at, _ in recording.runs_of(node_id) if at <= step]
    if not ran_at:
        return
    explained = explain(recording, ran_at[-1], language())
    if explained.formula is None or not explained.verified:
        _nothing(recording.node(node_id), explained.verdict)
        return
    with st.container(key="formula"):
        if explained.forward is not None:
            st.latex(explained.forward)
        st.latex(explained.formula)
        difference = explained.largest_difference
        key = "inspector.verified" if difference else "inspector.verified_exactly"
        st.caption(say(key, difference=f"{difference or 0:.1e}"))
        if explained.before_hook:
            st.caption(say("inspector.before_hook", node=plain(recording.node(node_id).name)))


def _nothing(node: Node, verdict: Verdict | None) -> None:
    if verdict is not None:
        reason = "custom" if node.kind == "custom" else verdict.name.lower()
        st.caption(say(f"inspector.no_formula.{reason}", node=plain(node.name)))

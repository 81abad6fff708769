"""The least that Streamlit can do: one page, one graph."""

import streamlit as st

st.graphviz_chart("""
digraph {
    rankdir=TB
    "MulBackward0" -> "DotBackward0" -> "AccumulateGrad x"
    "SumBackward0" -> "AccumulateGrad x"
}
""")

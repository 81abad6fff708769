"""A page with nothing but the player and what Python hears of it."""

import json
from pathlib import Path

import streamlit as st

from explorer.ui.player import player

folder = Path(__file__).parent
language = st.radio("language", ["en", "zh"])
program = st.radio("program", ["first", "second"])
played = json.loads((folder / f"{program}_{language}.json").read_text("utf-8"))

state = player(played, key="player", height=320)
st.session_state.runs = st.session_state.get("runs", 0) + 1
st.code(f"{program} step {state.step} selected {state.selected}")
st.text(f"runs {st.session_state.runs} painted {state.painted}")

"""A page with nothing but the player and what Python hears of it."""

import pickle
from pathlib import Path

import streamlit as st

from explorer.ui.player import player, player_state

folder = Path(__file__).parent
language = st.radio("language", ["en", "zh"])
program = st.radio("program", ["first", "second"])
recording, played = pickle.loads((folder / f"{program}_{language}.pickle").read_bytes())

player(played, key="player", height=320)
state = player_state(st.session_state.get("player", {}), recording, 0)
st.session_state.runs = st.session_state.get("runs", 0) + 1
st.code(f"{program} step {state.step} selected {state.selected}")
st.text(f"runs {st.session_state.runs} painted {state.painted}")

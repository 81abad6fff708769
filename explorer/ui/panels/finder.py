"""What a list is narrowed with: a field to search in, and its categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from explorer.ui.keys import Key


def finder(
    search: tuple[Key, str],
    category: tuple[Key, str],
    names: Mapping[str, str],
    *,
    width: int | Literal["stretch"] = "stretch",
) -> tuple[str, str | None]:
    """Draws the field and the categories.

    Args:
        search, category: Key and label of each.
        names: The categories' names, by category.
        width: Of the field, in pixels.

    Returns:
        What was typed, and the category that was chosen; None for all of them.
    """
    key, label = search
    wanted = st.text_input(
        label, key=key, placeholder=label, icon=":material/search:", label_visibility="collapsed", width=width
    )
    key, label = category
    chosen = st.pills(label, list(names), key=key, format_func=names.__getitem__, label_visibility="collapsed")
    return wanted, chosen

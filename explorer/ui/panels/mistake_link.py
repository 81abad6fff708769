"""Links to the page of one mistake."""

from __future__ import annotations

import streamlit as st

from explorer.i18n import text
from explorer.mistakes import Mistake
from explorer.ui.keys import Parameter
from explorer.ui.words import language

PAGE = "explorer/ui/mistakes_page.py"


def mistake_link(one: Mistake | None, label: str | None = None, icon: str | None = None) -> None:
    """A link to a mistake's own page; nothing where there is none.

    Args:
        one: The mistake.
        label: What the link says; "See: …" where it is not given.
        icon: Before the label.
    """
    if one is None:
        return
    label = text("mistakes.see", language(), title=one.titles[language()]) if label is None else label
    parameters = {str(Parameter.MISTAKE): one.id, str(Parameter.LANGUAGE): language()}
    st.page_link(PAGE, label=label, icon=icon, query_params=parameters)

"""The page: `streamlit run app.py`."""

import gc

import streamlit as st

from explorer.i18n import text
from explorer.runner import warm_up
from explorer.ui.labs import LABS
from explorer.ui.words import language, say


@st.cache_resource(show_spinner=False)
def prepare() -> None:
    """Once per server: get the workers ready, and keep what is imported out of every later garbage collection."""
    warm_up()
    gc.freeze()


pages = [
    st.Page("explorer/ui/explore_page.py", title=say("nav.explore"), default=True),
    st.Page("explorer/ui/mistakes_page.py", title=say("nav.mistakes"), url_path="mistakes"),
    *(st.Page(page, title=text(f"labs.{lab}.name", language()), url_path=lab) for lab, page in LABS.items()),
    st.Page("explorer/ui/about_page.py", title=say("nav.about"), url_path="about"),
]
page = st.navigation(pages, position="hidden")
st.set_page_config(f"{page.title} · {say('name')}", "explorer/ui/icon.svg", layout="wide")
prepare()
page.run()

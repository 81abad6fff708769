"""The KaTeX that Streamlit sets formulas with, in a browser: the plugin of its Markdown, served from the package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit
from playwright.sync_api import Browser, Route

SCRIPTS = Path(streamlit.__file__).parent / "static/static/js"
ORIGIN = "http://streamlit.test"

SET = """async ([url, formulas]) => {
  const plugin = (await import(url)).default;
  const set = formula => {
    const complaints = [];
    const code = {type: "element", tagName: "code", properties: {className: ["language-math", "math-display"]},
                  children: [{type: "text", value: formula}]};
    const tree = {type: "root", children: [{type: "element", tagName: "pre", properties: {}, children: [code]}]};
    plugin({})(tree, {message: (what, where) => complaints.push(String(where?.cause ?? what))});
    const html = JSON.stringify(tree);
    if (!html.includes('"katex"')) complaints.push("nothing was set");
    return complaints;
  };
  return formulas.map(set);
}"""


def complaints(browser: Browser, formulas: Sequence[str]) -> dict[str, list[str]]:
    """What KaTeX has against each formula that it cannot set."""
    (plugin,) = SCRIPTS.glob("rehype-katex.*.js")
    page = browser.new_page()
    try:
        page.route(f"{ORIGIN}/**", _serve)
        page.goto(f"{ORIGIN}/page.html")
        said = page.evaluate(SET, [f"{ORIGIN}/{plugin.name}", list(formulas)])
    finally:
        page.close()
    return {formula: found for formula, found in zip(formulas, said, strict=True) if found}


def _serve(route: Route) -> None:
    file = SCRIPTS / route.request.url.rpartition("/")[2]
    if file.suffix == ".js" and file.is_file():
        route.fulfill(path=file, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")

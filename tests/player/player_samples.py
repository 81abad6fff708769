"""Playbacks of real programs, and a page of their own to play them on."""

from __future__ import annotations

import contextlib
import html
import io
import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from explorer.i18n import Language
from explorer.model import Recording
from explorer.recorder import record
from explorer.render.dot import to_dot
from explorer.render.layout import lay_out
from explorer.render.options import GraphOptions
from explorer.ui.player.assets import html_text, module_text, style_text
from explorer.ui.player.playback import Playback, playback

OpenPlayer = Callable[..., Page]
"""What the fixture `open_player` is: plays a playback on a page of its own."""

TWO_PASSES = """\
import torch

x = torch.arange(3.0)
x.requires_grad_(True)
m = 2 * torch.dot(x, x)
m.backward()
print("x.grad", x.grad)
hh = x.sum()   # a second function of the same x
hh.backward()
print("x.grad", x.grad)
"""

LOOP = """\
import torch
w = torch.tensor(8.0, requires_grad=True)
for step in range(12):
    (w * w).backward()
    with torch.no_grad():
        w -= 0.25 * w.grad
    w.grad = None
"""

CLEARED = """\
import torch
x = torch.tensor([1.0, 2.0], requires_grad=True)
w = torch.tensor([3.0, 4.0], requires_grad=True)
(x * w).sum().backward()
x.grad.zero_()
w.grad = None
(x * x.detach()).sum().backward()
"""


def recorded(code: str) -> Recording:
    session = record(source=code, filename="<program>", seed=0)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception), session:
        exec(compile(code, "<program>", "exec"), {"__name__": "__main__"})
    return session.recording


def played(code: str = TWO_PASSES, language: Language = "en", **more: Any) -> Playback:
    """The playback of a program, through every real part from torch to Graphviz."""
    recording = recorded(code)
    options = GraphOptions(arrows=more.pop("arrows", "gradient"), only=more.pop("only", None))
    return playback(recording, lay_out(to_dot(recording, options)), language, options=options, **more)


def sample(code: str = TWO_PASSES, language: Language = "en", **more: Any) -> dict[str, Any]:
    """As the browser puts it together."""
    run, picture = played(code, language, **more)
    shared = json.loads(run)
    return {**shared, **picture, "tracks": shared["tracks"] | picture["tracks"]}


def page(data: dict[str, Any], *, css: str = "body { margin: 24px }") -> str:
    """A page that plays, and notes in `window.told` what the player says."""
    script = f"""
      {module_text()}
      window.told = [];
      window.mount = mount;
      window.player = mount(document.querySelector(".autograd-player"), JSON.parse(document.querySelector("#data").textContent), {{
        onStep: (step, selected) => told.push(["step", step, selected]),
        onSelect: (id, step) => told.push(["select", id, step]),
      }});
    """
    written = html.escape(json.dumps(data, allow_nan=False), quote=False)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>player</title><link rel=icon href='data:,'>"
        f"<style>:root {{ color-scheme: light dark }} {style_text()} {css}</style>"
        f"{html_text()}<textarea id=data hidden>{written}</textarea><script type=module>{script}</script></html>"
    )

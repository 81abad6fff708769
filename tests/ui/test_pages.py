"""Both pages through Streamlit's own AppTest: what a choice does to the program, and what is said about it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from app_pages import open_page, open_program, ran, said, told
from streamlit.testing.v1 import AppTest

from explorer.errors import WorkerUnavailable
from explorer.gallery import function, functions
from explorer.i18n import LANGUAGES, Language, text
from explorer.model import NodeRan, Recording
from explorer.program import Toggles
from explorer.program.choices import Choices
from explorer.program.link import encode
from explorer.ui import runs, state
from explorer.ui.keys import Key
from explorer.ui.markdown import plain


def type_program(page: AppTest, code: str) -> AppTest:
    """As the user does: open the editor, type, leave the field."""
    page.toggle(key=Key.EDITING).set_value(True)
    ran(page).text_area(key=Key.DRAFT).set_value(code)
    return ran(page)


def played(page: AppTest) -> dict[str, Any]:
    """What the player was given."""
    found = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("autograd_player")]
    assert len(found) == 1, said(page)
    (run,) = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("autograd_run")]
    return {**json.loads(run.bytes), **json.loads(found[0].bytes)}


def shown(page: AppTest) -> Recording:
    """The recording on the stage, which is what the player plays."""
    recording = page.session_state[Key.PREPARED].recording
    assert played(page)["source"] == recording.source
    return recording


def grad(page: AppTest, name: str = "x") -> list[Any]:
    value = shown(page).grads[name]
    assert value is not None
    return list(value.values)


def torchs_words(code: str) -> str:
    """What torch itself says about a program."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - every kind of error is asked for here
        exec(code, {"__name__": "__main__"})
    return str(caught.value)


STEPS = "import torch\nw = torch.ones(2, requires_grad=True)\nx = w\nx = 2 * x\nx.sum().backward()\n"


# ── opening ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_explore_opens_with_the_tutorials_function(language: Language) -> None:
    page = open_page(language)
    assert grad(page) == [0, 4, 8]
    assert functions()[0].notice(language) in said(page)
    assert text("ui.chart.title", language) in said(page)
    assert played(page)["words"]["ledger"] == text("player.ledger", language)
    assert dict(page.query_params) == {"fn": "two-dot", "lang": language}


def curtains(page: AppTest) -> list[str]:
    """What stands where the first graph will be."""
    return [
        one.proto.body for one in page.get("html") if "curtain" in one.proto.body and "<style>" not in one.proto.body
    ]


def test_until_the_first_graph_is_painted_its_program_stands_in_its_place() -> None:
    (curtain,) = curtains(open_page(painted=False, **encode(Choices(text="x = '<b onclick=x>'\nprint(x)"))))
    assert "<span>x = &#x27;&lt;b onclick=x&gt;&#x27;\n</span>" in curtain
    assert text("ui.curtain", "en") in curtain


@pytest.mark.parametrize("refused", ["import os", "x = ("])
def test_a_program_without_a_graph_leaves_nothing_in_its_place(refused: str) -> None:
    assert not curtains(open_page(painted=False, **encode(Choices(text=refused))))


def test_inputs_of_a_text_that_is_no_python_are_not_said_to_be_missing() -> None:
    words = said(open_program("import torch\nx = torch.ones(2)\ny = (x"))
    assert text("ui.inputs.unreadable", "en") in words
    assert text("ui.inputs.none", "en") not in words


def test_a_line_that_calls_itself_is_named_once() -> None:
    page = open_program("def f(n):\n    return f(n + 1)\nf(0)\n")
    assert text("ui.ending.calls", "en", lines="2") in [one.value for one in page.caption]


def test_a_session_that_has_seen_a_graph_goes_without() -> None:
    assert not curtains(open_page())


def test_charts_wait_until_the_graph_is_painted() -> None:
    page = open_page(painted=False)
    assert text("ui.inspector.loading", "en") in said(page)
    assert not page.get("plotly_chart")


def test_about_opens_and_the_way_back_keeps_the_choices() -> None:
    page = open_page(fn="sum")
    page.switch_page("explorer/ui/about_page.py")
    assert text("ui.about.what", "en").strip() in said(ran(page))
    page.switch_page("explorer/ui/explore_page.py")
    assert function("sum").notice("en") in said(ran(page))


def test_the_language_can_be_changed() -> None:
    page = open_page("en")
    page.segmented_control(key=Key.LANGUAGE_SWITCH).set_value("zh")
    assert functions()[0].notice("zh") in said(ran(page))
    assert page.query_params["lang"] == "zh"


# ── functions ───────────────────────────────────────────────────────────────────


def test_a_function_is_picked_by_its_button() -> None:
    page = open_page()
    page.session_state[Key.PICKER] = True
    ran(page).button(key="pick-sum").click()
    assert ran(page).session_state[Key.CHOICES] == Choices(function="sum")
    assert shown(page).source == function("sum").code
    assert page.query_params["fn"] == "sum"


def test_the_gallery_is_searched_and_filtered() -> None:
    page = open_page()
    page.session_state[Key.PICKER] = True
    ran(page).text_input(key=Key.SEARCH).set_value("softmax")
    keys = {button.key for button in ran(page).button}
    assert "pick-softmax" in keys
    assert "pick-sum" not in keys
    page.pills(key=Key.CATEGORY).set_value("tutorial")
    assert text("ui.pick.nothing", "en") in said(ran(page))


@pytest.mark.parametrize("function_id", [one.id for one in functions()[::5]])
def test_functions_from_all_over_the_gallery_open(function_id: str) -> None:
    page = open_page("zh", fn=function_id)
    assert shown(page).source == function(function_id).code


# ── inputs ──────────────────────────────────────────────────────────────────────


def test_a_number_field_rewrites_its_literal_and_nothing_else() -> None:
    page = open_page(fn="both")
    before = shown(page).source
    page.number_input(key="value-x-0").set_value(5.0)
    after = shown(ran(page)).source
    changed = [pair for pair in zip(before.split("\n"), after.split("\n"), strict=True) if pair[0] != pair[1]]
    assert changed == [("x = torch.arange(3.0)", "x = torch.tensor([5.0, 1.0, 2.0])")]
    assert page.session_state[Key.CHOICES] == Choices(function="both", text=after)
    assert grad(page) == [21, 5, 9]


def test_a_scalar_has_a_field_and_a_slider() -> None:
    page = open_program("import torch\nx = torch.tensor(2.0, requires_grad=True)\ny = x * x\ny.backward()\n")
    page.number_input(key="value-x-0").set_value(3.0)
    assert grad(ran(page)) == [6]
    page.slider(key="slider-x").set_value(-1.5)
    assert grad(ran(page)) == [-3]


def test_complex_numbers_are_edited_as_python_writes_them() -> None:
    page = open_program(
        "import torch\nz = torch.tensor([1+2j, 3-1j], requires_grad=True)\ny = (z * z.conj()).real.sum()\ny.backward()\n"
    )
    field = page.text_input(key="complex-z-1")
    assert field.value == "3-1j"
    field.set_value("-1.5j")
    assert "torch.tensor([1+2j, -1.5j], requires_grad=True)" in str(shown(ran(page)).source)
    assert grad(page, "z") == ["2+4j", "-3j"]
    page.text_input(key="complex-z-0").set_value("2i")
    assert [one.value for one in ran(page).toast] == [plain(text("program.not_a_complex_number", "en", value="2i"))]


def test_the_shape_is_edited_and_a_shape_that_is_none_is_refused() -> None:
    page = open_page()
    page.text_input(key="shape-x").set_value("2")
    assert len(grad(ran(page))) == 2
    page.text_input(key="shape-x").set_value("two")
    assert [one.value for one in ran(page).toast] == [text("ui.inputs.bad_shape", "en", written="two")]
    assert len(grad(page)) == 2


def test_without_requires_grad_torch_says_why_there_is_no_gradient() -> None:
    page = open_page()
    page.checkbox(key="requires-grad-x").set_value(False)
    source = shown(ran(page)).source
    assert torchs_words(source) in said(page)
    assert "does not require grad" in said(page)


def test_integers_that_require_grad_end_in_torchs_own_reason() -> None:
    page = open_page()
    page.selectbox(key="dtype-x").set_value("int64")
    source = shown(ran(page)).source
    assert "int64" in source
    assert torchs_words(source) in said(page)
    assert "floating point" in said(page)


# ── toggles ─────────────────────────────────────────────────────────────────────


def test_passes_add_up() -> None:
    page = open_page()
    page.number_input(key=Key.PASSES).set_value(2)
    assert grad(ran(page)) == [0, 8, 16]
    assert page.query_params["p"] == "2"


def test_a_second_function_adds_up_and_zero_between_does_not() -> None:
    page = open_page()
    page.text_input(key=Key.SECOND).set_value("x.sum()")
    assert grad(ran(page)) == [1, 5, 9]
    assert [cell["after"] for cell in played(page)["ledger"]["rows"][0]["cells"]] == ["[0., 4., 8.]", "[1., 5., 9.]"]
    for between in ("zero_", "none"):
        page.segmented_control(key=Key.BETWEEN).set_value(between)
        assert grad(ran(page)) == [1, 1, 1]
    page.segmented_control(key=Key.BETWEEN).set_value("keep")
    assert grad(ran(page)) == [1, 5, 9]


def test_the_same_graph_again_needs_retain_graph() -> None:
    page = open_page()
    page.number_input(key=Key.PASSES).set_value(2)
    ran(page).radio(key=Key.FORWARD).set_value(False)
    assert torchs_words(shown(ran(page)).source) in said(page)
    page.checkbox(key=Key.RETAIN_GRAPH).set_value(True)
    assert grad(ran(page)) == [0, 8, 16]


def test_a_vector_needs_a_seed_gradient() -> None:
    page = open_page(fn="seed-gradient")
    page.radio(key=Key.SEED).set_value("implicit")
    assert "grad can be implicitly created only for scalar outputs" in said(ran(page))
    page.radio(key=Key.SEED).set_value("one-hot")
    ran(page).number_input(key=Key.SEED_INDEX).set_value(1)
    (leaf,) = [grad for grad in shown(ran(page)).grads.values() if grad is not None]
    assert [number != 0 for number in leaf.values] == [index == 1 for index in range(len(leaf.values))]


def test_a_toggle_that_cannot_be_written_in_says_why() -> None:
    page = open_page()
    page.text_input(key=Key.SECOND).set_value("x.sum(")
    assert "is not a single Python expression" in said(ran(page))
    assert grad(page) == [0, 4, 8]
    no_backward = open_program("import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 2\n")
    assert Key.PASSES not in {field.key for field in no_backward.number_input}
    assert text("program.why_not.no_backward", "en") in said(no_backward)


# ── bad programs ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("after", "step"), [("x = 3 * x", 2), ("x = 3 * x.sin()", 10)])
def test_an_edit_of_the_text_leaves_the_step_where_the_run_is_alike(after: str, step: int) -> None:
    page = open_page(**encode(Choices(text=STEPS)), step="2")
    page = type_program(page, STEPS.replace("x = 2 * x", after))
    assert played(page)["initial_step"] == step


def test_a_syntax_error_points_at_line_and_column_and_the_last_picture_stays() -> None:
    page = type_program(open_page(), "import torch\nx = torch.ones(3\ny = 2\n")
    (place,) = [one.value for one in page.text if "ine 2, column 15" in one.value]
    assert "never closed" in place
    assert shown(page).source == functions()[0].code
    assert text("ui.ending.last_good", "en") in said(page)


def test_a_refused_program_is_told_what_to_write_instead() -> None:
    page = type_program(open_page(), "import torch\nimport os\nos.remove('x')\n")
    assert any("Line 2, column 1" in one.value for one in page.text), [one.value for one in page.text]
    assert "cannot be imported" in said(page)
    assert grad(page) == [0, 4, 8]
    page.button[[one.label for one in page.button].index(text("ui.edit.discard", "en"))].click()
    assert text("ui.ending.rejected", "en") not in said(ran(page))
    assert grad(page) == [0, 4, 8]


def test_a_byte_order_mark_is_left_out() -> None:
    page = type_program(open_page(), "\ufeff" + HEAD + "x.sum().backward()\n")
    assert grad(page) == [1, 1, 1]
    assert page.session_state[Key.CHOICES].text == HEAD + "x.sum().backward()\n"


def test_a_program_without_a_picture_stands_in_the_editor() -> None:
    code = "import torch\nx = 1\n"
    page = open_program(code)
    assert page.text_area(key=Key.DRAFT).value == code
    assert (page.toggle(key=Key.EDITING).value, page.toggle(key=Key.EDITING).disabled) == (True, True)
    page.text_area(key=Key.DRAFT).set_value(HEAD + "x.sum().backward()\n")
    assert grad(ran(page)) == [1, 1, 1]
    page.toggle(key=Key.EDITING).set_value(False)
    assert Key.DRAFT not in {area.key for area in ran(page).text_area}


@pytest.mark.parametrize(
    ("line", "heard"),
    [
        ("raise ValueError('<b>no</b>')", "ValueError line 2, column 1 &lt;b&gt;no&lt;/b&gt;"),
        ("import os", text("ui.ending.rejected", "en")),
        ("print('.' * 10**6)", text("ui.ending.stopped", "en")),
    ],
)
def test_a_program_that_does_not_come_to_its_end_is_announced(line: str, heard: str) -> None:
    page = open_program(f"import torch\n{line}\n")
    (alert,) = [one.proto.body for one in page.get("html") if "role='alert'" in one.proto.body]
    assert heard in alert


def test_a_program_that_never_ends_is_stopped() -> None:
    page = type_program(open_page(), "import torch\nwhile True:\n    pass\n")
    assert text("ui.ending.stopped", "en") in said(page)
    assert grad(page) == [0, 4, 8]


HEAD = "import torch\nx = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\n"
MISTAKES = {
    "twice": HEAD + "y = (x * x).sum()\ny.backward()\ny.backward()\n",
    "not connected": HEAD + "y = (x * x).sum().detach()\ny.backward()\n",
    "no_grad": HEAD + "with torch.no_grad():\n    y = (x * x).sum()\ny.backward()\n",
    "argmax": HEAD + "x.argmax().backward()\n",
    "in-place": HEAD + "y = x.exp()\ny.add_(1)\ny.sum().backward()\n",
    "vector": HEAD + "(x * 2).backward()\n",
    "seed of another shape": HEAD + "(x * 2).backward(torch.ones(2))\n",
    "in-place on a leaf": HEAD + "x -= 0.1\n",
    "slice of a leaf": HEAD + "x[0] = 1.0\n",
    "grad is None": HEAD + "x.grad.zero_()\n",
    "no create_graph": HEAD + "y = (x ** 3).sum()\n(g,) = torch.autograd.grad(y, x)\ntorch.autograd.grad(g.sum(), x)\n",
    "integers": "import torch\nx = torch.tensor([1, 2], requires_grad=True)\n",
    "integers later": "import torch\nx = torch.tensor([1, 2])\nx.requires_grad_()\n",
    "unused": HEAD + "z = torch.ones(1, requires_grad=True)\ntorch.autograd.grad(x.sum(), z)\n",
    "flag of a result": HEAD + "y = x * 2\ny.requires_grad_(False)\n",
    "retain_grad on a constant": "import torch\ntorch.ones(1).retain_grad()\n",
    "non-leaf parameter": HEAD + "torch.optim.SGD([x * 2], lr=0.1)\n",
    "several views": HEAD + "a, b = x.clone().split([1, 2])\na.mul_(2)\n",
    "shapes": HEAD + "x @ torch.ones(4)\n",
    "no name": HEAD + "y = (x * x).sum()\nz.backward()\n",
    "division": HEAD + "y = (x * x).sum()\n1 / 0\n",
    "hook": "import torch\ntorch.ones(1).register_hook(print)\n",
}


@pytest.fixture(scope="module")
def desk() -> AppTest:
    """One visitor who makes every mistake in turn."""
    return open_page()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_torchs_own_words(desk: AppTest, mistake: str) -> None:
    code = MISTAKES[mistake]
    page = type_program(desk, code)
    recording = shown(page)
    assert recording.source == code
    assert recording.error is not None
    assert recording.error.message in [one.value for one in page.code]
    assert torchs_words(code).split(" at 0x")[0] in recording.error.message
    assert recording.error.span is not None
    place = text("ui.ending.at", "en", line=recording.error.span.line, column=recording.error.span.column + 1)
    assert any(place in one.value for one in page.markdown)
    if "y = " in code:
        assert 'class="node' in played(page)["svg"]
    assert played(page)["initial_step"] == len(recording.events)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "\n\n",
        "# nothing\n",
        "x = 1\nprint(x)\n",
        HEAD,
        HEAD + "y = x * 2\n",
        "import torch\ny = torch.ones(2) * 2\n",
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_program_that_lacks_something_is_told_what(code: str, language: Language) -> None:
    page = open_page(language, **encode(Choices(text=code)))
    assert page.session_state[Key.CHOICES].text == code
    assert any(words.strip() for words in told(page))


# ── links ───────────────────────────────────────────────────────────────────────


def test_a_link_restores_everything() -> None:
    wanted = Choices(
        function="two-dot",
        text=function("two-dot").code.replace("arange(3.0)", "tensor([3.0, 1.0])"),
        toggles=Toggles(passes=2, second="x.sum()", between="zero_", retain_graph=True),
    )
    page = open_page("zh", step="3", **encode(wanted))
    assert page.session_state[Key.CHOICES] == wanted
    assert page.number_input(key=Key.PASSES).value == 2
    assert page.text_input(key=Key.SECOND).value == "x.sum()"
    assert page.segmented_control(key=Key.BETWEEN).value == "zero_"
    assert page.checkbox(key=Key.RETAIN_GRAPH).value is True
    assert page.number_input(key="value-x-0").value == 3
    assert grad(page) == [1, 1]
    assert played(page)["initial_step"] == 3
    assert page.session_state[Key.LANGUAGE] == "zh"
    assert page.query_params["step"] == "3"


def test_an_edit_after_opening_a_link_is_kept() -> None:
    page = open_page(fn="sum", step="1")
    page.number_input(key=Key.PASSES).set_value(3)
    assert grad(ran(page)) == [3, 3, 3]
    assert grad(ran(page)) == [3, 3, 3]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"fn": "no-such-one"}, "no-such-one"),
        ({"fn": "../../etc"}, "../../etc"),
        ({"code": "eJx!"}, "code"),
        ({"code": "AAAA"}, "code"),
        ({"p": "99"}, "99"),
        ({"p": "-1"}, "-1"),
        ({"between": "never"}, "never"),
        ({"retain": "yes"}, "yes"),
        ({"second": "x.sum("}, "x.sum("),
        ({"fn": "![x](http://evil)"}, "![x](http://evil)"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_damaged_link_is_refused_with_a_reason(parameters: dict[str, str], reason: str, language: Language) -> None:
    page = open_page(language, **parameters)
    assert len(page.warning) == 1
    assert reason in page.warning[0].value.replace("\\", "")
    assert "![" not in page.warning[0].value, "Markdown from a link is shown, not obeyed"
    assert grad(page) == [0, 4, 8]


@pytest.mark.parametrize("step", ["-1", "x", "999999", "٣", "1e3", ""])
def test_a_step_that_is_none_does_no_harm(step: str) -> None:
    page = open_page(fn="two-dot", step=step)
    assert 0 <= played(page)["initial_step"] <= len(shown(page).events)


# ── the program is plain PyTorch ────────────────────────────────────────────────


def test_a_hand_may_be_quicker_than_the_address_bar() -> None:
    page = open_page()
    before = dict(page.query_params)
    page.number_input(key=Key.PASSES).set_value(2)
    ran(page).query_params.clear()
    page.query_params.update(before)
    page.checkbox(key=Key.RETAIN_GRAPH).set_value(True)
    assert ran(page).session_state[Key.CHOICES].toggles == Toggles(passes=2, retain_graph=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_widget_shows_already_it_is_not_told_again(language: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that is told something forgets what is being typed into it."""
    monkeypatch.setattr(state, "UNHEARD_SECONDS", 0.0)
    page = open_page(between="none", passes="2")
    page.segmented_control(key=Key.BETWEEN).set_value("zero_")
    ran(page).segmented_control(key=Key.LANGUAGE_SWITCH).set_value(language)
    for _ in range(2):
        ran(page)
    widgets = [
        one for kind in ("number_input", "text_input", "checkbox", "radio", "selectbox") for one in page.get(kind)
    ]
    assert len(widgets) >= 6
    assert [one.label for one in widgets if one.proto.set_value] == []
    assert page.segmented_control(key=Key.BETWEEN).value == "zero_"
    assert page.session_state[Key.CHOICES].toggles.between == "zero_"


def test_what_the_toggles_write_runs_anywhere() -> None:
    page = open_page(fn="two-dot", p="3", second="(x * x).sum()")
    variables: dict[str, Any] = {}
    exec(shown(page).source, variables)
    assert torch.equal(variables["x"].grad, torch.tensor(grad(page)))


def test_what_was_wrong_with_a_link_is_over_once_something_is_chosen() -> None:
    page = open_page(fn="nope")
    assert len(page.warning) == 1
    page.number_input(key=Key.PASSES).set_value(2)
    assert len(ran(page).warning) == 0


def test_a_program_too_long_for_an_address_troubles_nobody_afterwards() -> None:
    page = type_program(open_page(), "#" * 20_001)
    assert len(page.warning) == 0
    page.text_area(key=Key.DRAFT).set_value("import torch\nprint(torch.ones(2))\n")
    assert len(ran(page).warning) == 0


def test_toggles_alone_are_those_of_the_first_function() -> None:
    page = open_page(p="2")
    assert page.session_state[Key.CHOICES].function == functions()[0].id
    assert grad(page) == [0, 8, 16]


def test_from_every_error_a_button_leads_back_to_what_ran() -> None:
    page = open_page(p="2")
    back = text("ui.ending.back", "en")
    assert back not in [one.label for one in page.button]
    page.text_input(key=Key.SECOND).set_value("nobody.sum()")
    assert shown(ran(page)).error is not None
    page.button[[one.label for one in page.button].index(back)].click()
    assert grad(ran(page)) == [0, 8, 16]
    assert page.session_state[Key.CHOICES].function == functions()[0].id


@pytest.mark.parametrize("count", [3, 30])
def test_an_input_is_chosen_among_few_or_many(count: int) -> None:
    program = "import torch\n" + "".join(f"w{k} = torch.tensor([{k}.0])\n" for k in range(count))
    page = open_program(program)
    chooser = page.selectbox(key=Key.SHOWN_INPUT) if count > 10 else page.button_group(key=Key.SHOWN_INPUT)
    chooser.set_value("w2")
    assert [one.value for one in ran(page).number_input if str(one.key).startswith("value-")] == [2.0]


def test_an_input_without_elements_says_so() -> None:
    assert text("ui.inputs.empty", "en") in said(open_program("import torch\nx = torch.zeros(0, requires_grad=True)\n"))


@pytest.mark.parametrize(("before", "why"), [("", "too_large"), ("torch.ones(2) @ torch.ones(3)\n", "unknown")])
def test_an_input_that_cannot_be_edited_says_why(before: str, why: str) -> None:
    program = f"import torch\n{before}x = torch.randn(200, 200)\ny = x.sum()\n"
    assert text(f"ui.inputs.{why}", "en") in said(open_program(program))


def test_a_changed_function_is_no_longer_told_with_the_numbers_of_before() -> None:
    page = open_page()
    page.number_input(key="value-x-0").set_value(5.0)
    notice = functions()[0].notice("en")
    assert text("ui.pick.changed_notice", "en", notice=notice) in said(ran(page)).split("\n")
    assert notice not in said(page).split("\n")


@pytest.mark.parametrize(
    ("code", "reason", "node"),
    [
        ("x = torch.ones(5000, requires_grad=True)\nx.sum().backward()", "not_kept", "AccumulateGrad"),
        (
            "class Twice(torch.autograd.Function):\n"
            "    @staticmethod\n    def forward(ctx, x):\n        return 2 * x\n"
            "    @staticmethod\n    def backward(ctx, g):\n        return 2 * g\n"
            "x = torch.ones(2, requires_grad=True)\ny = Twice.apply(x)\ny.sum().backward()\n",
            "custom",
            "TwiceBackward",
        ),
        ("torch.func.jacrev(torch.sum)(torch.ones(2))", "batched", "SumBackward0"),
    ],
)
def test_where_no_formula_is_shown_the_reason_is(code: str, reason: str, node: str) -> None:
    steps = len(open_program(f"import torch\n{code}").session_state[Key.PREPARED].recording.events)
    pages = (open_page(**encode(Choices(text=f"import torch\n{code}")), step=str(step)) for step in range(steps + 1))
    assert any(text(f"ui.inspector.no_formula.{reason}", "en", node=node) in said(page) for page in pages)


@pytest.mark.parametrize("factor", [1, 10])
def test_where_a_hook_on_a_node_changed_what_it_computed_its_formula_says_so(factor: int) -> None:
    hook = f"y.grad_fn.register_hook(lambda sent, came: ({factor} * sent[0],))"
    program = f"import torch\nx = torch.ones(2, requires_grad=True)\ny = x.exp()\n{hook}\ny.sum().backward()\n"
    events = open_program(program).session_state[Key.PREPARED].recording.events
    step = max(step for step, event in enumerate(events, 1) if isinstance(event, NodeRan) and event.before_hooks)
    page = open_page(**encode(Choices(text=program)), step=str(step))
    note = text("ui.inspector.before_hook", "en", node="ExpBackward0")
    assert (note in said(page)) is (factor != 1)


@pytest.mark.parametrize(
    ("line", "made"),
    [("y += 1", "y += 1"), ("y = y + 1", "y = y + 1"), ("kept = [y for y in [y + 1]]", "kept[0] ← y + 1")],
)
def test_the_inspector_says_what_made_a_result_as_the_program_does(line: str, made: str) -> None:
    code = f"import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 2\n{line}\ny.sum().backward()\n"
    steps = len(open_program(code).session_state[Key.PREPARED].recording.events)
    pages = (open_page(**encode(Choices(text=code)), step=str(step)) for step in range(steps + 1))
    assert any([made] == [one.value for one in page.code] for page in pages)


def test_fields_tell_neighbouring_numbers_apart() -> None:
    page = open_program("import torch\nx = torch.tensor([123456789.0, 0.30000001])\n")
    assert {one.format for one in page.number_input if one.key and one.key.startswith("value-")} == {"%.12g"}


def test_what_a_page_drawn_anew_at_once_has_not_sent_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(page: AppTest) -> set[bool]:
        return {one.proto.set_value for one in (*page.number_input, *page.checkbox, *page.text_area)}

    page = open_page()
    page.toggle(key=Key.EDITING).set_value(True)
    assert told(ran(page)) == told(ran(page)) == {True}
    monkeypatch.setattr(state, "UNHEARD_SECONDS", 0.0)
    assert told(ran(page)) == {False}


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_no_process_can_be_had_it_is_said_and_the_program_runs_later(
    language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise WorkerUnavailable("runner.stopped_no_worker")

    code = f"import torch\nx = torch.ones(2, requires_grad=True)  # {language}\nx.sum().backward()\n"
    with monkeypatch.context() as short_of_memory:
        short_of_memory.setattr(runs, "run", fail)
        short_of_memory.setattr(runs, "warm_up", fail)
        short_of_memory.setattr(runs, "is_warm", lambda: False)
        page = open_page(language, **encode(Choices(text=code)))
    assert text("runner.stopped_no_worker", language) in said(page)
    assert page.text_area(key=Key.DRAFT).value == code
    next(button for button in page.button if button.label == text("ui.ending.again", language)).click()
    assert shown(ran(page)).source == code


def test_tensors_along_two_edges_to_one_leaf_are_told_apart() -> None:
    page = open_page(step="7")
    page.session_state[Key.ALL_TENSORS] = True
    (choice,) = [one for one in ran(page).selectbox if str(one.key).startswith(Key.TENSOR)]
    assert choice.options[:2] == ["sent on to x · grad_inputs[0]", "sent on to x · grad_inputs[1]"]
    assert len(page.get("plotly_chart")) == 2, "a heat map beside what each pass added"
    page.segmented_control(key=Key.VIEW).set_value("table")
    assert len(ran(page).dataframe) == 1

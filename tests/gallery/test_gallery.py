"""Every function of the gallery runs, reads well in both languages, and takes every edit and toggle."""

import ast
import contextlib
import copy
import io
import warnings

import pytest
import torch

from explorer.gallery import GalleryInvalid, categories, check_gallery, function, functions, search
from explorer.i18n import LANGUAGES, catalog
from explorer.program import Toggles, apply_toggles, find_inputs, why_not, with_requires_grad, with_shape, with_values

every_function = pytest.mark.parametrize("shown", functions(), ids=lambda shown: shown.id)
STRAIGHT = [one for one in functions() if not one.is_loop]
every_straight_function = pytest.mark.parametrize("shown", STRAIGHT, ids=lambda shown: shown.id)
every_single_function = pytest.mark.parametrize(
    "shown", [one for one in STRAIGHT if one.id != "both"], ids=lambda shown: shown.id
)

SAVE_NOTHING = {"sum", "mean"}


def ran(code):
    """All gradients by name, and what was printed."""
    scope, printed = {}, io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using backward\\(\\) with create_graph")
        exec(code, scope)
        leaves = {name: value for name, value in scope.items() if isinstance(value, torch.Tensor) and value.is_leaf}
        modules = [value for value in scope.values() if isinstance(value, torch.nn.Module)]
        for module in modules:
            leaves |= dict(module.named_parameters())
        grads = {name: leaf.grad.detach().clone() for name, leaf in leaves.items() if leaf.grad is not None}
        for leaf in leaves.values():
            leaf.grad = None  # breaks the cycles that create_graph makes
    return grads, printed.getvalue()


def assert_same(grads, expected):
    torch.testing.assert_close(grads, expected, equal_nan=True)


def test_there_are_enough_and_the_default_comes_first():
    assert len(functions()) >= 40
    assert functions()[0] is function("two-dot")
    assert functions()[0].code.split("\n")[2:6] == [
        "x = torch.arange(3.0)",
        "x.requires_grad_(True)",
        "m = 2 * torch.dot(x, x)",
        "m.backward()",
    ]
    assert ran(function("both").code)[1] == "tensor([0., 4., 8.])\ntensor([1., 5., 9.])\n"


@every_function
def test_runs_and_is_deterministic(shown):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grads, printed = ran(shown.code)
    assert grads
    assert printed
    again, printed_again = ran(shown.code)
    assert_same(again, grads)
    assert printed_again == printed


@every_function
def test_is_short_and_ordinary(shown):
    tree = ast.parse(shown.code)
    assert 4 <= len([line for line in shown.code.splitlines() if line]) <= 25
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not [name for name in attributes if name.startswith("_")]
    assert {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names} <= {
        "torch",
        "math",
    }
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & {"open", "eval", "exec", "input", "__import__"}


@every_function
@pytest.mark.parametrize("language", LANGUAGES)
def test_words(shown, language):
    assert shown.title(language).strip()
    notice = shown.notice(language)
    assert notice.endswith("。" if language == "zh" else (".", "?"))
    assert f"gallery.category.{shown.category}" in catalog(language)
    if language == "zh":
        assert any("\u4e00" <= character <= "\u9fff" for character in notice)
    assert len(notice) <= 160


@every_function
def test_inputs_are_found_and_an_edit_that_changes_nothing_changes_nothing(shown):
    grads, printed = ran(shown.code)
    tensors = [found for found in find_inputs(shown.code) if found.kind != "scalar"]
    assert any(found.requires_grad for found in tensors) or "net.parameters()" in shown.code
    code = shown.code
    for found in tensors:
        code = with_values(code, found.name, found.values, found.shape)
        code = with_shape(code, found.name, found.shape)
        code = with_requires_grad(
            with_requires_grad(code, found.name, not found.requires_grad), found.name, found.requires_grad
        )
    assert_same(ran(code)[0], grads)
    assert ran(code)[1] == printed


@every_single_function
def test_three_passes_give_three_times_the_gradient(shown):
    assert why_not(shown.code) is None
    once = ran(shown.code)[0]
    thrice = ran(apply_toggles(shown.code, Toggles(passes=3)))[0]
    assert_same(thrice, {name: 3 * grad for name, grad in once.items()})


@every_single_function
@pytest.mark.parametrize("between", ["zero_", "none"])
def test_clearing_leaves_the_last_pass(shown, between):
    assert_same(ran(apply_toggles(shown.code, Toggles(passes=3, between=between)))[0], ran(shown.code)[0])


def test_passes_of_the_last_function_where_there_are_two():
    twice = apply_toggles(function("both").code, Toggles(passes=2))
    assert ran(twice)[0]["x"].tolist() == [2, 6, 10]
    cleared = apply_toggles(function("both").code, Toggles(passes=2, between="zero_"))
    assert ran(cleared)[0]["x"].tolist() == [1, 1, 1]


@every_single_function
def test_the_same_graph_again(shown):
    """With retain_graph it adds up; without, torch refuses wherever a node needs what it saved."""
    once = ran(shown.code)[0]
    retained = apply_toggles(shown.code, Toggles(passes=2, new_forward=False, retain_graph=True))
    assert_same(ran(retained)[0], {name: 2 * grad for name, grad in once.items()})
    freed = apply_toggles(shown.code, Toggles(passes=2, new_forward=False))
    if shown.id in SAVE_NOTHING:
        assert_same(ran(freed)[0], ran(retained)[0])
        return
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        ran(freed)


@every_straight_function
@pytest.mark.parametrize("seed", ["implicit", "ones", "one-hot", "own"])
def test_seeds(shown, seed):
    """Only the vector root refuses to go without, and to take a lone number."""
    toggles = Toggles(seed=seed, seed_values="1", create_graph=seed == "ones")
    written = apply_toggles(shown.code, toggles)
    if shown.id == "seed-gradient" and seed in ("implicit", "own"):
        with pytest.raises(RuntimeError, match=r"scalar outputs|Mismatch in shape"):
            ran(written)
    elif shown.id != "seed-gradient":
        assert_same(ran(written)[0], ran(shown.code)[0])


def test_loops_are_left_alone_by_the_toggles():
    loops = [one for one in functions() if one.is_loop]
    assert {one.category for one in loops} == {"training"}
    assert all(why_not(one.code) for one in loops)


@every_straight_function
def test_a_second_function_adds_its_gradient(shown):
    name = next(found.name for found in find_inputs(shown.code) if found.requires_grad)
    before = ran(shown.code)[0].get(name)
    after = ran(apply_toggles(shown.code, Toggles(second=f"{name}.sum()")))[0][name]
    assert_same(after, before + 1)


INDEX = {
    "function": [
        {
            "id": "one",
            "category": "tutorial",
            "title": {"en": "One", "zh": "一"},
            "notice": {"en": "Look.", "zh": "看。"},
        }
    ]
}
PROGRAMS = {"one": "import torch\nx = torch.ones(1, requires_grad=True)\nx.backward()\n"}


def test_a_small_gallery_is_right():
    (only,) = check_gallery(INDEX, PROGRAMS)
    assert (only.id, only.title("zh"), only.code) == ("one", "一", PROGRAMS["one"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda index, programs: programs.pop("one"),
        lambda index, programs: programs.update(two=programs["one"]),
        lambda index, programs: index["function"].append(index["function"][0]),
        lambda index, programs: index["function"][0].pop("notice"),
        lambda index, programs: index["function"][0]["title"].pop("zh"),
        lambda index, programs: index["function"][0]["notice"].update(en=" "),
        lambda index, programs: index["function"][0].update(category="elsewhere"),
        lambda index, programs: index["function"][0].update(hint="more"),
        lambda index, programs: programs.update(one="x = 1\n"),
        lambda index, programs: programs.update(one="import torch\nx = (\n"),
        lambda index, programs: programs.update(one="import torch\nx = torch.ones(1)\n"),
    ],
)
def test_a_wrong_gallery_is_refused(spoil):
    index, programs = copy.deepcopy(INDEX), dict(PROGRAMS)
    spoil(index, programs)
    with pytest.raises(GalleryInvalid):
        check_gallery(index, programs)


def ids(query, language="en", category=None):
    return [found.id for found in search(query, language, category)]


def test_search():
    assert ids("") == [one.id for one in functions()]
    assert ids("SOFTMAX")[0] == "softmax"
    assert "attention" in ids("softmax")
    assert ids("softmax", category="loss") == ["softmax"]
    assert ids("广播", "zh")[0] == "broadcasting"
    assert ids("broadcast", "zh")[0] == "broadcasting"
    assert ids("conv2d(image") == ["conv2d"]
    assert ids("教程") == ["two-dot", "sum", "both"]
    assert ids("no such thing") == []


def test_categories_cover_all_functions():
    assert sum(len(ids("", category=category)) for category in categories()) == len(functions())
    assert categories()[0] == "tutorial"


def test_an_unknown_function():
    with pytest.raises(KeyError):
        function("nothing")

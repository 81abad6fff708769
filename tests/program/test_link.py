"""Links say what was chosen, and refuse what they cannot mean."""

import base64
import contextlib
import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import LinkInvalid, ProgramInvalid
from explorer.i18n import LANGUAGES, text
from explorer.program import Choices, Toggles, decode, encode, program_text
from explorer.program.source import LONGEST
from explorer.program.toggles import check_toggles


def is_possible(toggles):
    try:
        check_toggles(toggles)
    except ProgramInvalid:
        return False
    return True


toggles = st.builds(
    Toggles,
    passes=st.integers(1, 10),
    second=st.sampled_from(["", "x.sum()", "(x * '中').sum()"]),
    between=st.sampled_from(["keep", "zero_", "none"]),
    new_forward=st.booleans(),
    retain_graph=st.booleans(),
    create_graph=st.booleans(),
    seed=st.sampled_from(["program", "implicit", "ones", "one-hot", "own"]),
    seed_index=st.integers(0, 99_999),
    seed_values=st.sampled_from(["", "1, 0, 2", "[[1, 2]]"]),
).filter(is_possible)
choices = st.builds(
    Choices,
    function=st.none() | st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True),
    text=st.none() | st.text(max_size=300),
    toggles=toggles,
)


@given(choices)
def test_round_trip(chosen):
    assert decode(encode(chosen)) == chosen


def test_only_what_differs_is_said():
    assert encode(Choices()) == {}
    assert encode(Choices(function="two-dot", toggles=Toggles(passes=2, second="x.sum()"))) == {
        "fn": "two-dot",
        "p": "2",
        "second": "x.sum()",
    }


def test_parameters_of_others_are_left_alone():
    assert decode({"step": "6", "lang": "zh"}) == Choices()


def refused(parameters):
    with pytest.raises(LinkInvalid) as caught:
        decode(parameters)
    assert all(text(caught.value.key, language, **caught.value.values) for language in LANGUAGES)
    return caught.value.key


def packed(data):
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode()


@pytest.mark.parametrize(
    ("parameters", "key"),
    [
        ({"fn": "../../etc"}, "program.link_bad_choice"),
        ({"fn": ""}, "program.link_bad_choice"),
        ({"p": "11"}, "program.bad_passes"),
        ({"p": "0"}, "program.bad_passes"),
        ({"p": "-1"}, "program.link_bad_choice"),
        ({"p": "٣"}, "program.link_bad_choice"),
        ({"between": "zero"}, "program.link_bad_choice"),
        ({"seed": "{x}"}, "program.link_bad_choice"),
        ({"same": "yes"}, "program.link_bad_choice"),
        ({"second": "import os"}, "program.bad_second"),
        ({"seed": "own", "v": "{}"}, "program.bad_seed_values"),
        ({"code": "%%%"}, "program.link_damaged"),
        ({"code": "中文"}, "program.link_damaged"),
        ({"code": ""}, "program.link_damaged"),
        ({"code": "AAAA"}, "program.link_damaged"),
        ({"code": packed(b"x = 1")[:-6]}, "program.link_damaged"),
        ({"code": packed(b"\xff\xfe")}, "program.link_damaged"),
        ({"code": base64.urlsafe_b64encode(zlib.compress(b"x") + b"more").decode()}, "program.link_damaged"),
        ({"code": packed(b"x" * (LONGEST + 1))}, "program.link_too_large"),
        ({"code": packed(b"x" * 2_900_000)}, "program.link_too_large"),
        ({"code": "A" * 4001}, "program.link_too_long"),
    ],
)
def test_refusals(parameters, key):
    assert refused(parameters) == key


@given(st.dictionaries(st.sampled_from(["fn", "code", "p", "i", "same", "second", "seed", "v", "between"]), st.text()))
def test_anything_decodes_or_is_refused(parameters):
    with contextlib.suppress(LinkInvalid):
        assert decode(encode(decode(parameters))) == decode(parameters)


def test_programs_too_long_for_a_link():
    with pytest.raises(LinkInvalid, match="link_too_long"):
        encode(Choices(text=os.urandom(4000).hex()))
    with pytest.raises(LinkInvalid, match="link_too_long"):
        encode(Choices(text="x" * (LONGEST + 1)))
    with pytest.raises(LinkInvalid, match="link_damaged"):
        encode(Choices(text="\ud800"))
    assert decode(encode(Choices(text="x = 1\n" * 3000))).text == "x = 1\n" * 3000


def test_program_text_is_the_users_own_or_the_gallerys():
    assert program_text("a = 1", Choices()) == "a = 1"
    assert program_text("a = 1", Choices(text="")) == ""
    twice = program_text("y = x * x\ny.backward()\n", Choices(toggles=Toggles(passes=2)))
    assert twice.count("y.backward()") == 2

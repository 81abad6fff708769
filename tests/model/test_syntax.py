"""What a program's syntax tree tells."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer.model.syntax import parsed, parsed_expression


class Garbage:
    """Lets another thread go on while it is collected, in the middle of whatever makes objects."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        for _ in range(50):
            pass


@pytest.fixture
def hurried_threads() -> Iterator[None]:
    seconds = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(seconds)
    gc.collect()


def test_many_threads_parse_at_once(hurried_threads: None) -> None:
    program = "x = f(a + [b, (c, d)], key=lambda y: {y: -y})\n" * 200

    def parse(_: int) -> str:
        _garbage = [Garbage() for _ in range(20)]
        return ast.dump(parsed(program).body[-1])

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(parse, range(200)))) == 1


def test_an_expression_is_its_node_alone() -> None:
    assert isinstance(parsed_expression("x + 1"), ast.BinOp)
    with pytest.raises(SyntaxError):
        parsed_expression("x = 1")

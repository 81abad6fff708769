"""Limits end a program; what happened up to there comes back where it can."""

from __future__ import annotations

import pytest

import explorer
from explorer.i18n import LANGUAGES
from explorer.runner import Completed, Failed, Limits, Rejected, Stopped
from explorer.runner.running import WORKERS_PER_CORE

PRINTS_THEN_LOOPS = "import torch\nprint(torch.ones(1))\nwhile True:\n    x = 1\n"


def test_the_recording_up_to_the_time_limit_comes_back() -> None:
    ending = explorer.run(PRINTS_THEN_LOOPS, limits=Limits(wall_seconds=0.5))
    assert isinstance(ending, Stopped)
    assert ending.reason == "wall"
    assert ending.recording is not None
    assert ending.recording.printed == "tensor([1.])\n"
    assert ending.recording.error is None


def test_processor_time_is_limited_apart_from_the_clock() -> None:
    ending = explorer.run(PRINTS_THEN_LOOPS, limits=Limits(wall_seconds=30.0, cpu_seconds=1))
    assert isinstance(ending, Stopped)
    assert ending.reason == "cpu"
    assert ending.recording is not None


def test_a_program_that_shares_its_core_may_compute_as_long_as_one_that_does_not() -> None:
    assert Limits().wall_seconds > WORKERS_PER_CORE * Limits().cpu_seconds


def test_code_that_hears_no_signal_is_killed() -> None:
    ending = explorer.run("x = 7 ** 7 ** 12", limits=Limits(wall_seconds=0.2))
    assert isinstance(ending, Stopped)
    assert ending.reason == "wall"


def test_memory_that_torch_does_not_get_keeps_torchs_message() -> None:
    ending = explorer.run("import torch\nx = torch.ones(2)\ny = torch.empty(2**28)")
    assert isinstance(ending, Stopped)
    assert ending.reason == "memory"
    assert ending.recording is not None
    assert ending.recording.error is not None
    assert "allocate" in ending.recording.error.message


def test_a_program_may_catch_that_there_is_no_memory() -> None:
    code = "import torch\ntry:\n    torch.empty(2**28)\nexcept RuntimeError:\n    print('less')"
    ending = explorer.run(code)
    assert isinstance(ending, Completed)
    assert ending.recording.printed == "less\n"


def test_output_up_to_the_limit_comes_back() -> None:
    ending = explorer.run("for i in range(100):\n    print(i)", limits=Limits(output_characters=50))
    assert isinstance(ending, Stopped)
    assert ending.reason == "output"
    assert ending.recording is not None
    assert ending.recording.printed.startswith("0\n1\n2\n")


def test_a_recording_that_is_cut_off_says_so_and_the_program_goes_on() -> None:
    code = "import torch\nx = torch.ones(1, requires_grad=True)\nfor i in range(50):\n    x = x * 1\nx.backward()\n"
    ending = explorer.run(code, limits=Limits(events=20))
    assert isinstance(ending, Completed)
    assert ending.recording.truncated
    assert len(ending.recording.events) <= 20


def test_a_loop_of_a_few_hundred_steps_is_recorded_whole() -> None:
    code = (
        "import torch\nnet = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))\n"
        "opt = torch.optim.Adam(net.parameters(), lr=0.01)\nx = torch.randn(32, 2)\nfor step in range(300):\n"
        "    loss = (net(x) ** 2).mean()\n    opt.zero_grad()\n    loss.backward()\n    opt.step()\n"
    )
    ending = explorer.run(code, limits=Limits(wall_seconds=60.0, cpu_seconds=60))
    assert isinstance(ending, Completed)
    assert not ending.recording.truncated
    assert len(ending.recording.backward_passes) == len(ending.recording.rounds) == 300


def test_large_tensors_are_sampled() -> None:
    ending = explorer.run("import torch\nx = torch.ones(10_000)", limits=Limits(values=16))
    assert isinstance(ending, Completed)
    assert max(len(value.values) for event in ending.recording.events for value in event.values) <= 16


def test_a_text_that_is_too_long_is_not_even_read() -> None:
    ending = explorer.run("#" * 101, limits=Limits(code_characters=100))
    assert isinstance(ending, Rejected)
    assert [violation.code for violation in ending.violations] == ["too_long"]


def test_text_that_is_no_unicode_is_rejected() -> None:
    ending = explorer.run("x = '\ud800'")
    assert isinstance(ending, Rejected)
    assert ending.violations[0].code == "not_text"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stop_names_its_limit(language: explorer.i18n.Language) -> None:
    ending = explorer.run("while True: pass", limits=Limits(wall_seconds=0.25))
    assert isinstance(ending, Stopped)
    assert "0.25" in ending.sentence(language)


def test_a_failure_holds_the_error_and_what_came_before() -> None:
    code = "import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 2\ny.backward()\n"
    ending = explorer.run(code)
    assert isinstance(ending, Failed)
    error = ending.recording.error
    assert error is not None
    assert error.message == "grad can be implicitly created only for scalar outputs"
    assert error.span is not None
    assert error.span.line == 4
    assert {node.name for node in ending.recording.nodes} == {"MulBackward0", "AccumulateGrad"}


def test_the_seed_decides_the_numbers() -> None:
    code = "import random, torch\nprint(torch.rand(1), random.random())"
    first, again, other = (explorer.run(code, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.recording.printed != other.recording.printed
    assert first.recording.seed == 1


def test_the_seed_is_torchs_manual_seed() -> None:
    import torch

    torch.manual_seed(7)
    assert explorer.run("import torch\nprint(torch.rand(2))", seed=7).recording.printed == f"{torch.rand(2)}\n"

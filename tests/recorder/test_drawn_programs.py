"""Programs that Hypothesis draws: every gradient and every sum at every node as plain torch has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from programs import programs
from sweep import COUNTS

from checker import check_recording

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=120, suppress_health_check=SLOW, derandomize=True)
@given(programs())
def test_drawn_programs(code: Any) -> None:
    recording = check_recording(code)
    assert recording.error is None
    COUNTS["programs drawn"] += 1
    COUNTS["passes of drawn programs"] += len(recording.backward_passes)

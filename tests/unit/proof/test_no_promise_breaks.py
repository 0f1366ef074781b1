"""The proof as part of the normal suite: the same examples every time, many of them with all their 50 steps."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.proof.machine import NothingIsLost
from tests.unit.proof.profiles import STEPS, WHOLE


@pytest.mark.timeout(1200)  # `make proof` computes for four minutes, on a machine that may do other work
def test_no_promise_breaks_whatever_happens_in_whatever_order() -> None:
    run_state_machine_as_test(NothingIsLost, settings=settings.get_profile("proof"))

    assert NothingIsLost.steps[STEPS] >= WHOLE

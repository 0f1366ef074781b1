"""The proof for schedules as part of the normal suite: a rule for each thing that somebody does or that happens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.proof.adversary import Kind, Trouble
from tests.unit.proof.clockwork import CLOCKS, DECLARED, WORDS, Clockwork
from tests.unit.proof.profiles import SCHEDULES
from tests.unit.proof.ticking import EveryTickRunsOnce


def test_every_tick_is_one_job_whatever_happens_in_whatever_order() -> None:
    run_state_machine_as_test(EveryTickRunsOnce, settings=settings.get_profile(SCHEDULES))


def test_a_clock_that_writes_what_another_code_has_just_been_brought_to_lets_the_next_tick_look_again() -> None:
    work = Clockwork(dict.fromkeys((*CLOCKS, "operator"), -2), words="none that is late", deployed="each five minutes")
    work.tick(Trouble(), "clock-1")
    work.deploy("clock-1", "each seven minutes")
    work.deploy("clock-2", "each ten minutes elsewhere")
    work.time.advance(timedelta(minutes=16))
    work.tick(Trouble(Kind.MEANWHILE, 3, ("ten minutes pass", "another ticks")), "clock-1")
    work.deploy("clock-1", "each ten minutes elsewhere")

    work.every_tick_has_its_job()


@pytest.mark.parametrize("how", ["delayed", "another"])
@pytest.mark.parametrize("words", sorted(WORDS))
def test_ids_that_somebody_took_before_their_ticks_hold_no_run_up(how: str, words: str) -> None:
    work = Clockwork(dict.fromkeys((*CLOCKS, "operator"), 0), words=words, deployed="each five minutes")
    work.tick(Trouble(), "clock-1")
    for ahead in range(4):
        work.take(DECLARED, ahead=ahead, how=how)

    work.every_tick_has_its_job()

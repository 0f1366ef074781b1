"""Every tick runs once: what may happen to the clock, and what must hold after it."""

from __future__ import annotations

import sys
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.unit.proof.adversary import Kind, Trouble
from tests.unit.proof.clockwork import CLOCKS, NAMES, TIMETABLES, WORDS, Clockwork
from tests.unit.proof.world import SKEWS

_KINDS = (Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.REFUSED, Kind.LOST, Kind.LEDGER_DOWN, Kind.SQS_DOWN, Kind.ALL_DOWN)
_MEANWHILE = (
    ("another ticks",),
    ("another prods",),
    ("ten minutes pass", "another ticks"),
    ("a minute passes",),
    ("paused",),
    ("paused and resumed",),
    ("added anew",),
)
troubles = st.one_of(
    st.just(Trouble()),
    st.sampled_from([Trouble(kind, at) for kind in _KINDS for at in range(1, 7)]),
    st.sampled_from([Trouble(Kind.MEANWHILE, at, what) for what in _MEANWHILE for at in range(1, 7)]),
)
clocks = st.sampled_from(CLOCKS)
names = st.sampled_from(NAMES)
timetables = st.sampled_from(sorted(TIMETABLES))
skews = st.sampled_from(SKEWS)


class EveryTickRunsOnce(RuleBasedStateMachine):
    """Schedules, and everybody's steps in any order."""

    work: Clockwork

    def __init__(self) -> None:
        super().__init__()
        self.is_begun = False

    @initialize(skews=st.tuples(skews, skews, skews), words=st.sampled_from(sorted(WORDS)), deployed=timetables)
    def a_deployment(self, skews: tuple[int, int, int], words: str, deployed: str) -> None:
        self.is_begun = True
        self.work = Clockwork(dict(zip((*CLOCKS, "operator"), skews, strict=True)), words=words, deployed=deployed)
        self.work.operate(Trouble(), "add", "", "each five minutes")
        self.work.tick(Trouble(), "clock-1")

    @rule(trouble=troubles, clock=clocks)
    def a_minute_ticks(self, trouble: Trouble, clock: str) -> None:
        self.work.time.advance(timedelta(minutes=1))
        self.work.tick(trouble, clock)

    @rule(trouble=troubles, clock=clocks, name=names, minutes_off=st.sampled_from([None, 0, -1, -20, 1]))
    def eventbridge_prods(self, trouble: Trouble, clock: str, name: str, minutes_off: int | None) -> None:
        self.work.prod(trouble, clock, name, minutes_off=minutes_off)

    @rule(trouble=troubles, act=st.sampled_from(["pause", "resume", "remove", "add", "add"]), name=names, to=timetables)
    def an_operator_acts(self, trouble: Trouble, act: str, name: str, to: str) -> None:
        self.work.operate(trouble, act, name, to)

    @rule(clock=clocks, timetable=timetables)
    def a_deployment_changes_the_code(self, clock: str, timetable: str) -> None:
        self.work.deploy(clock, timetable)

    @rule(seconds=st.sampled_from([1, 5, 30, 55, 180, 300, 900, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.work.time.advance(timedelta(seconds=seconds))

    @rule(name=names, ahead=st.integers(0, 3), how=st.sampled_from(["delayed", "another"]))
    def somebody_takes_the_id_of_a_run(self, name: str, ahead: int, how: str) -> None:
        self.work.take(name, ahead=ahead, how=how)

    @rule()
    def jobs_end(self) -> None:
        self.work.end_jobs()

    def teardown(self) -> None:
        if self.is_begun and sys.exc_info()[0] is None:  # else a step has failed, and that is the report
            self.work.every_tick_has_its_job()

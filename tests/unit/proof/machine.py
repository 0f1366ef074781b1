"""
The proof: whatever is delivered, lost, repeated, cancelled, redriven and killed, in whatever order, no promise breaks.

A rule for each thing that somebody does or that befalls somebody.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lanework import Cancel, Discard, RetryAfter, Snooze
from lanework.memory import MemoryFlags, MemoryLedger, MemoryLimits
from lanework.model.job.job_exceptions import TimedOut
from lanework.model.limits import Bound, Concurrency, Rate
from lanework.model.workflow.dependency import OnFailure
from tests.unit.proof.adversary import CrashError, Kind, Trouble
from tests.unit.proof.forger import KINDS
from tests.unit.proof.guarded import DEBOUNCED, GUARDED
from tests.unit.proof.poison import POISONS
from tests.unit.proof.promises import MEMBERS
from tests.unit.proof.queues import LANES_USED
from tests.unit.proof.world import ENVIRONMENTS, PAUSES, SKEWS, STARTED, TYPES, Ending, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.ports.flags import Flags
    from lanework.engine.ports.ledger import Ledger
    from lanework.engine.ports.limits import Limits
    from lanework.model.lanes import Lane
    from tests.unit.proof.world import Bounds

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

_NOTHING = Trouble()
_MEANWHILE = (
    ("others run",),
    ("visibility ends", "others run"),
    ("visibility ends", "others claim"),
    ("visibility ends", "others claim ahead"),
    ("a minute passes",),
    ("a minute passes", "visibility ends", "others run"),
    ("a minute passes", "visibility ends", "others fail"),
    ("a minute passes", "visibility ends", "others claim"),
    ("seconds pass", "others fail"),
    ("cancel",),
    ("signal",),
    ("visibility ends", "others run", "signal"),
    ("others enqueue",),
    ("others enqueue", "others claim"),
    ("ten minutes pass", "others enqueue"),
    ("sweep", "others run"),
    ("reconcile", "others fail"),
    ("ten minutes pass", "sweep", "others claim"),
    ("a minute passes", "reconcile", "others claim"),
    ("a minute passes", "visibility ends", "others run", "others run"),
)
_CALLS = (1, 2, 3, 4, 5, 6, 8)
"""At which call of a step: what follows from an end comes after the claim and the outcome."""

_TROUBLES = [Trouble(kind, at) for kind in Kind if kind is not Kind.MEANWHILE for at in _CALLS]
_INTERFERENCES = [Trouble(Kind.MEANWHILE, at, meanwhile) for meanwhile in _MEANWHILE for at in _CALLS]

ONE = Bound(Concurrency(1), "type:proof.one")
FAMILY = Bound(Concurrency(2), "queue:proof")
SLOW = Bound(Rate(2, per=20 * SECOND), "type:proof.one")
PACED = Bound(Rate(3, per=30 * SECOND), "queue:proof")
LIMITS: Mapping[str, Bounds] = {
    "none": {},
    "one at a time": {"proof.one": (ONE,)},
    "a family's and a type's": {
        "proof.one": (FAMILY, ONE),
        **dict.fromkeys(("proof.two", STARTED, DEBOUNCED), (FAMILY,)),
    },
    "a rate": {"proof.one": (SLOW,)},
    "everything": {"proof.one": (FAMILY, ONE, PACED, SLOW), "proof.two": (FAMILY, PACED), STARTED: (FAMILY, PACED)},
}

troubles = st.one_of(st.just(_NOTHING), st.sampled_from(_TROUBLES), st.sampled_from(_INTERFERENCES))
numbers = st.integers(min_value=0, max_value=3)
names = st.sampled_from(["a", "b", "c"])
written = st.sampled_from([None, "o", "p"])
subjects = st.sampled_from(["a", "b", "c", "d", "e", "o", "w.1", "v.1", "guarded"])
guarded = st.sampled_from(sorted(GUARDED))
windows = st.sampled_from([5 * SECOND, 40 * SECOND, 20 * MINUTE, 180 * MINUTE])
breaks = st.lists(st.sampled_from([0 * SECOND, SECOND, 6 * SECOND, 45 * SECOND, 21 * MINUTE]), max_size=2)
workers = st.sampled_from(["worker-1", "worker-2", "worker-3"])
lanes = st.sampled_from(LANES_USED)
delays = st.sampled_from([None, None, None, 5 * SECOND, 14 * MINUTE, 20 * MINUTE, 180 * MINUTE])
attempts = st.integers(min_value=1, max_value=3)
last_moments = st.sampled_from([None, None, None, 10 * SECOND, 20 * MINUTE])
skews = st.sampled_from(SKEWS)
acts = st.sampled_from(["cancel", "redrive", "press twice", "edit", "drop", "signal"])
endings = st.sampled_from(
    [
        Ending(),
        Ending(does="progress"),
        Ending(does="looks"),
        Ending(does="once"),
        Ending(raises=OSError),
        Ending(raises=OSError, does="progress"),
        Ending(raises=TimedOut),
        Ending(raises=CrashError),
        Ending(raises=CrashError, does="once"),
        Ending(raises=Snooze, wait=SECOND),
        Ending(raises=Snooze, wait=40 * SECOND),
        Ending(raises=Snooze, wait=60 * MINUTE),
        Ending(raises=RetryAfter, wait=30 * SECOND),
        Ending(raises=RetryAfter, wait=20 * MINUTE),
        Ending(raises=Discard),
        Ending(raises=Cancel),
        Ending(does="waits", wait=40 * SECOND),
        Ending(does="waits", wait=60 * MINUTE, raises=OSError),
        Ending(does="asks", wait=40 * SECOND),
        Ending(does="asks", wait=60 * MINUTE),
        Ending(does="asks", wait=60 * MINUTE, raises=OSError),
    ]
)


class NothingIsLost(RuleBasedStateMachine):
    """The engine over its ports, and everybody's steps in any order."""

    steps: ClassVar[Counter[int]] = Counter()
    """How many examples took how many steps, so far: hypothesis ends some early, to learn from."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    def new_ledger(self) -> Ledger:
        """Return where the records are kept; the run over moto has another."""
        return MemoryLedger()

    def new_flags(self) -> Flags:
        """Return where pauses are kept."""
        return MemoryFlags()

    def new_limits(self) -> Limits:
        """Return where slots and starts are kept."""
        return MemoryLimits()

    @initialize(
        skews=st.lists(skews, min_size=len(ENVIRONMENTS), max_size=len(ENVIRONMENTS)),
        asked=st.lists(attempts, min_size=1, max_size=2),
        ends_well=st.booleans(),
        limits=st.sampled_from(sorted(LIMITS)),
        type_=st.sampled_from(["proof.one", STARTED]),
    )
    def a_deployment(self, skews: list[int], asked: list[int], ends_well: bool, limits: str, type_: str) -> None:
        """Clocks that are wrong by seconds, limits; and jobs a and b to begin with."""
        self.world = World(
            self.new_ledger(),
            self.new_flags(),
            self.new_limits(),
            skews=dict(zip(ENVIRONMENTS, skews, strict=True)),
            bounds=LIMITS[limits],
        )
        self.last_ending = Ending() if ends_well else Ending(raises=OSError)
        self.world.look_for_unsent(_NOTHING)  # as its first minute does: what is an hour older than that is the audit's
        for name, most in zip("ab", asked, strict=False):
            self.world.enqueue(_NOTHING, name=name, type_=type_, delay=None, attempts=most)

    # --- producers

    @rule(
        trouble=troubles,
        name=names,
        type_=st.sampled_from(sorted(TYPES)),
        delay=delays,
        attempts=attempts,
        last=last_moments,
    )
    def a_producer_enqueues(
        self,
        trouble: Trouble,
        name: str,
        type_: str,
        delay: timedelta | None,
        attempts: int,
        last: timedelta | None,
    ) -> None:
        start_by = None if last is None else (delay or timedelta(0)) + last
        self.world.enqueue(trouble, name=name, type_=type_, delay=delay, attempts=attempts, start_by=start_by)

    @rule(
        trouble=troubles,
        chosen=st.lists(st.one_of(names, st.none(), guarded), min_size=1, max_size=3),
        delay=delays,
    )
    def a_producer_enqueues_many(self, trouble: Trouble, chosen: list[str | None], delay: timedelta | None) -> None:
        self.world.enqueue_many(trouble, chosen, delay=delay)

    @rule(trouble=troubles, type_=guarded, window=windows, breaks=breaks, name=st.sampled_from([None, None, None, "c"]))
    def a_producer_enqueues_under_guards(
        self, trouble: Trouble, type_: str, window: timedelta, breaks: list[timedelta], name: str | None
    ) -> None:
        """Several in a row; the trouble comes with the last one."""
        for wait in breaks:
            self.world.enqueue_under_guards(_NOTHING, type_, window=window)
            self.world.time.advance(wait)
        own = None if type_ == DEBOUNCED else name
        self.world.enqueue_under_guards(trouble, type_, window=window, name=own)

    @rule(
        trouble=troubles,
        which=st.sampled_from([("d", "abc"), ("d", "abc"), ("e", "ad"), ("f", "de")]),
        number=st.integers(min_value=1, max_value=7),
        policy=st.sampled_from(OnFailure),
    )
    def a_producer_enqueues_a_job_that_waits(
        self, trouble: Trouble, which: tuple[str, str], number: int, policy: OnFailure
    ) -> None:
        """For some of those that were named before it."""
        name, earlier = which
        chosen = [one for bit, one in enumerate(earlier) if number & 1 << bit] or list(earlier[:1])
        self.world.enqueue_waiting(trouble, name, after=chosen, policy=policy)

    @rule(trouble=troubles, workflow_id=st.sampled_from(sorted(MEMBERS)))
    def a_producer_enqueues_a_workflow(self, trouble: Trouble, workflow_id: str) -> None:
        self.world.enqueue_workflow(trouble, workflow_id)

    @rule(trouble=troubles, workflow_id=st.sampled_from(sorted(MEMBERS)))
    def an_operator_retries_a_workflow(self, trouble: Trouble, workflow_id: str) -> None:
        self.world.retry_workflow(trouble, workflow_id)

    @rule(
        trouble=troubles,
        chosen=st.lists(st.sampled_from([None, "o", "p"]), min_size=1, max_size=3),
        is_sent=st.booleans(),
    )
    def an_application_commits_jobs(self, trouble: Trouble, chosen: list[str | None], is_sent: bool) -> None:
        """What dies before it sends leaves them to the relay."""
        self.world.commit(trouble, chosen, is_sent=is_sent)

    @precondition(lambda self: self.world.outbox.rows)
    @rule(trouble=troubles, seconds=st.sampled_from([0, 31, 31, 70]))
    def a_relay_sends_what_is_left(self, trouble: Trouble, seconds: int) -> None:
        self.world.time.advance(timedelta(seconds=seconds))
        self.world.relay(trouble)

    # --- workers

    @precondition(lambda self: self.world.queues.is_any_waiting)
    @rule(trouble=troubles, worker=workers, lane=lanes, ending=endings)
    def a_worker_takes_a_message(self, trouble: Trouble, worker: str, lane: Lane, ending: Ending) -> None:
        self.world.deliver(trouble, worker=worker, lane=lane, ending=ending)

    @precondition(lambda self: self.world.queues.is_any_waiting)
    @rule(trouble=troubles, worker=workers, chosen=st.lists(endings, min_size=1, max_size=4))
    def a_worker_takes_all_that_come(self, trouble: Trouble, worker: str, chosen: list[Ending]) -> None:
        """Waiting for what is due next, so that jobs get on; the trouble comes with the last message."""
        for number, ending in enumerate(chosen, start=1):
            if not self.world.queues.is_any_visible:
                self.world.pass_time()
            for lane in LANES_USED:
                present = trouble if number == len(chosen) else _NOTHING
                self.world.deliver(present, worker=worker, lane=lane, ending=ending)

    @precondition(lambda self: self.world.queues.is_any_waiting)
    @rule(trouble=troubles, worker=workers, lane=lanes)
    def a_worker_claims_a_job(self, trouble: Trouble, worker: str, lane: Lane) -> None:
        self.world.deliver(trouble, worker=worker, lane=lane, ending=Ending(), begins_only=True)

    @precondition(lambda self: self.world.queues.is_any_waiting)
    @rule(trouble=troubles, worker=workers, lane=lanes)
    def a_worker_claims_a_job_ahead_of_a_free_slot(self, trouble: Trouble, worker: str, lane: Lane) -> None:
        self.world.deliver(trouble, worker=worker, lane=lane, ending=Ending(), claims_only=True)

    @precondition(lambda self: any(run.is_ahead for run in self.world.open))
    @rule(trouble=troubles, number=numbers, act=st.sampled_from(["begins", "begins", "is given back", "is left"]))
    def a_job_that_was_claimed_ahead_begins_or_not(self, trouble: Trouble, number: int, act: str) -> None:
        match act:
            case "begins":
                self.world.begin(trouble, number)
            case "is given back":
                self.world.unclaim(trouble, number)
            case _:
                self.world.bereave(trouble, number)

    @precondition(lambda self: self.world.open)
    @rule(trouble=troubles, number=numbers, ending=endings)
    def a_jobs_code_ends(self, trouble: Trouble, number: int, ending: Ending) -> None:
        self.world.run(trouble, number, ending)

    @precondition(lambda self: any(run.ending for run in self.world.open))
    @rule(trouble=troubles, number=numbers)
    def an_outcome_is_recorded(self, trouble: Trouble, number: int) -> None:
        self.world.settle(trouble, number)

    @precondition(lambda self: self.world.open)
    @rule(trouble=troubles, number=numbers, act=st.sampled_from(["gives back what runs", "before it began", "beats"]))
    def a_worker_stops_or_beats(self, trouble: Trouble, number: int, act: str) -> None:
        """What was given back runs on: later steps let it report, return or fail, until its process is killed."""
        if act == "beats":
            self.world.heartbeat(trouble, number)
        else:
            self.world.give_back(trouble, number, has_begun=act == "gives back what runs")

    @rule(worker=workers)
    def a_worker_is_started_anew(self, worker: str) -> None:
        self.world.start_anew(worker)

    @precondition(lambda self: len(self.world.open) > 1)
    @rule(number=numbers)
    def a_worker_is_killed(self, number: int) -> None:
        self.world.vanish(number)

    # --- the clock, an operator, the console

    @rule(trouble=troubles, act=st.sampled_from(["sweep", "reconcile", "look for unsent"]))
    def the_clock_ticks(self, trouble: Trouble, act: str) -> None:
        if act == "sweep":
            self.world.sweep(trouble)
        elif act == "look for unsent":
            self.world.look_for_unsent(trouble)
        else:
            self.world.reconcile(trouble)

    @rule(
        trouble=troubles,
        name=subjects,
        act=acts,
    )
    def an_operator_acts(self, trouble: Trouble, name: str, act: str) -> None:
        name = self.world.named(name)
        match act:
            case "cancel":
                self.world.cancel(trouble, name)
            case "drop":
                self.world.drop(trouble, name)
            case "signal":
                self.world.signal(trouble, name)
            case _:
                self.world.redrive(trouble, name, presses=1 + (act == "press twice"), is_edited=act == "edit")

    @rule(trouble=troubles, name=subjects, delay=st.sampled_from([0 * SECOND, 5 * SECOND, 10 * MINUTE, 60 * MINUTE]))
    def an_operator_reschedules(self, trouble: Trouble, name: str, delay: timedelta) -> None:
        self.world.reschedule(trouble, self.world.named(name), delay)

    @rule(trouble=troubles, name=st.sampled_from(PAUSES), is_over=st.booleans())
    def an_operator_pauses_or_resumes(self, trouble: Trouble, name: str, is_over: bool) -> None:
        if is_over:
            self.world.resume(trouble, name)
        else:
            self.world.pause(trouble, name)

    @precondition(lambda self: self.world.queues.is_any_dead)
    @rule(twice=st.booleans(), limit=st.sampled_from([1, 100]))
    def the_console_redrives(self, twice: bool, limit: int) -> None:
        self.world.queues.press_redrive(twice=twice, limit=limit)

    # --- time, and SQS

    @rule(seconds=st.sampled_from([1, 2, 5, 20, 36, 70, 900, 3600, 7300]))
    def time_passes(self, seconds: int) -> None:
        self.world.time.advance(timedelta(seconds=seconds))

    @rule(plus=st.sampled_from([0, 1, 5]))
    def time_passes_until_something_is_due(self, plus: int) -> None:
        self.world.pass_time()
        self.world.time.advance(timedelta(seconds=plus))

    @precondition(lambda self: self.world.queues.is_any_waiting)
    @rule(number=numbers, act=st.sampled_from(["ends a visibility", "doubles", "brings back", "gives up"]))
    def sqs_misbehaves(self, number: int, act: str) -> None:
        queues = self.world.queues
        match act:
            case "ends a visibility":
                queues.end_visibility(number)
            case "doubles":
                queues.copy(number)
            case "brings back":
                queues.deliver_again(number)
            case _:
                queues.give_up_on(number)

    # --- somebody who may send to the queues, and nothing more

    @rule(kinds=st.lists(st.sampled_from(sorted(POISONS)), min_size=1, max_size=5, unique=True), lane=lanes)
    def something_lies_in_the_way_of_the_ticks(self, kinds: list[str], lane: Lane) -> None:
        for kind in kinds:
            self.world.poison(kind, lane)

    @rule(kind=st.sampled_from(KINDS), name=subjects, lane=lanes)
    def somebody_forges_a_message(self, kind: str, name: str, lane: Lane) -> None:
        self.world.forge(kind, self.world.named(name), lane)

    # --- what must hold

    @invariant()
    def every_acknowledged_job_has_a_path_to_an_end(self) -> None:
        self.taken += 1
        self.world.every_acknowledged_job_has_a_path_to_an_end()

    def teardown(self) -> None:
        if self.taken > 0 and sys.exc_info()[0] is None:  # else a step has failed, and that is the report
            self.world.every_acknowledged_job_ends(self.last_ending)
            self.steps[self.taken] += 1

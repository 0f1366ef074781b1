"""One worker process: it receives from its lanes, runs jobs side by side, keeps them alive, and stops without loss."""

from __future__ import annotations

import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial
from threading import Event as Flag
from threading import Lock
from typing import TYPE_CHECKING, Final

from lanework.edges.process.config import MOST_AT_ONCE, NO_WAIT
from lanework.edges.process.heartbeat import HEART
from lanework.edges.process.interrupt import interrupt
from lanework.edges.process.lane_scheduler import LaneScheduler
from lanework.edges.process.message_handler import Work
from lanework.edges.process.receiver import Receiver
from lanework.edges.shared_loop import SharedLoop
from lanework.model.events import Action, Event
from lanework.model.job.error_text import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from lanework.app import App
    from lanework.edges.process.batch_calls import BatchCalls
    from lanework.edges.process.config import Plan
    from lanework.edges.process.lane_scheduler import Place
    from lanework.edges.process.lease_board import LeaseBoard
    from lanework.engine.execution.attempt import Attempt
    from lanework.engine.ports.consumer import MessageConsumer, Received
    from lanework.errors import LaneworkError
    from lanework.model.lanes import Lane

_CUT_OFF: Final = timedelta(seconds=5)
"""How long a process may take to give back what still runs, and to end: its code runs on meanwhile."""


class WorkerStats:
    """
    Counts jobs, and reads the memory they took.

    Attributes:
        begun: Jobs whose code was begun since the process started.
        ended: Those of them that have ended.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self._lock = Lock()

    def begin(self) -> None:
        """Count a job that begins."""
        with self._lock:
            self.begun += 1

    def end(self) -> None:
        """Count one that has ended."""
        with self._lock:
            self.ended += 1

    @property
    def peak_mb(self) -> int:
        """The most memory that the process has had, in MB (getrusage counts in KiB on Linux, in bytes on macOS)."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 // (1024 if sys.platform == "darwin" else 1)


class Consumer:
    """
    Empties lanes until it is stopped.

    Attributes:
        gauge: How it goes.
        is_worn_out: Whether it receives no more because it has done enough: another one is to take its place.
        fault: Why it gives up because of a fault of its own, if it does.
    """

    def __init__(
        self,
        app: App,
        inbox: MessageConsumer,
        plan: Plan,
        *,
        roster: LeaseBoard | None = None,
        end_within: Callable[[timedelta], object] = lambda _: None,
    ) -> None:
        """
        Prepare; `run` begins. `roster` shows the parent what runs.

        `end_within` is called before what still runs is given back: by then the process has ended, whatever it does.
        """
        app.runtime.limit_code_by(interrupt)
        self.gauge = WorkerStats()
        self.is_worn_out = False
        self.fault: str | None = None
        self._app = app
        self._inbox = inbox
        self._plan = plan
        self._ending = Flag()
        self._asked = Flag()
        self._giving_up = Flag()
        self._turns = LaneScheduler(plan.lanes, slots=plan.slots)
        self._fault: BaseException | None = None
        self._end_within = end_within
        self._loop = SharedLoop(self.fail)
        self._work = Work(app, inbox, lease=plan.lease, run_async=self._loop.run, roster=roster, failed=self.fail)
        self._received = 0
        self._threads = ThreadPoolExecutor(plan.most_held, thread_name_prefix="slot")
        self._calls = self._batch_calls()
        self._receiving = ThreadPoolExecutor(len(plan.lanes) * plan.receivers, thread_name_prefix="receive")

    def stop(self) -> None:
        """Receive no more, and end when what runs has ended or grace is over."""
        self._asked.set()
        self._end()

    def give_up(self) -> None:
        """Receive no more, give back what runs, and end at once."""
        self._giving_up.set()
        self.stop()

    def fail(self, name: str, error: BaseException) -> None:
        """
        Stop: a thread of the process's own has ended by itself, and what it did nobody does any more.

        What runs may end, and its outcome counts, unless nobody keeps its lease any more: then it is given back.
        """
        reason = f"its thread {name!r} ended by itself: {place_of(error)}"
        ports = self._app.ports
        ports.events.emit(Event(action=Action.WORKER_FAULT, at=ports.clock(), reason=reason))
        self._fault, self.fault = self._fault or error, self.fault or reason
        (self.give_up if name == HEART else self.stop)()

    def run(self) -> bool:
        """
        Work until stopped or worn out, or, with `is_once`, until there is nothing more to do.

        Only who is asked to stop counts grace; a worn-out process lets its jobs take their time.

        Returns:
            Whether everything that was begun has ended; otherwise it was given back and still runs: end the process.

        Raises:
            ConfigError: There is no such stack, or no permission; what had been begun has ended.
            BaseException: What has ended a thread of its own; what had been begun was given back: end the process.
        """
        problem = self._receive_all()
        if self._calls is not None:
            self._calls.close()
        self._turns.wait_until_free(unless=self._asked)
        has_ended = self._turns.wait_until_free(self._plan.grace, unless=self._giving_up)
        self._turns.end()
        self._receiving.shutdown()  # what a poll brings yet is put back
        if not has_ended:
            self._end_within(_CUT_OFF)
            self._work.give_back_all(ends_within=_CUT_OFF)
        self._threads.shutdown(wait=has_ended, cancel_futures=True)
        self._work.close()
        if has_ended:
            self._loop.close()
        if self._fault is not None:
            raise self._fault
        if problem is not None:
            raise problem
        return has_ended

    def _end(self) -> None:
        self._ending.set()
        self._turns.end()

    def _receive_all(self) -> LaneworkError | None:
        """Receive until it is time to end; return what can't be got over."""
        receptions = [Receiver(lane, self._inbox, self._app.ports, self._ending) for lane in self._plan.lanes]
        for _ in range(self._plan.receivers - 1):
            self._start(receptions, is_extra=True)
        while True:
            received = self._received
            receivers = self._start(receptions)
            if not self._plan.is_once:
                self._ending.wait()
                break
            wait(receivers)
            if self._calls is not None:
                self._calls.flush()
            self._turns.wait_until_free(unless=self._ending)
            if self._ending.is_set() or self._received == received:  # else jobs may have enqueued others meanwhile
                break
        return next((one.problem for one in receptions if one.problem is not None), None)

    def _start(self, receptions: Sequence[Receiver], *, is_extra: bool = False) -> Sequence[Future[None]]:
        """Receive from each lane in a thread more."""
        receivers = [self._receiving.submit(self._receive, one, is_extra=is_extra) for one in receptions]
        for receiver in receivers:
            receiver.add_done_callback(self._end_by_fault)
        return receivers

    def _receive(self, reception: Receiver, *, is_extra: bool) -> None:
        """Receive from one lane, whenever it is its turn; an extra receiver only while each receive brings ten."""
        had_some, lane = True, reception.lane
        while True:
            grant = self._turns.take(lane, MOST_AT_ONCE, is_poll=not (had_some or is_extra), is_extra=is_extra)
            if grant is None:
                return
            messages: Sequence[Received] = ()
            wait, asked_at = self._plan.poll if grant.is_poll else NO_WAIT, time.monotonic()
            try:
                messages = reception.receive(limit=grant.count, wait=wait, hide_for=self._plan.hides_for)
            finally:
                took_s = None if grant.is_poll else time.monotonic() - asked_at
                places = self._turns.came(grant, len(messages), took_s=took_s)
            self._begin(list(zip(places, messages, strict=True)))
            if reception.problem is not None:
                self.stop()
            if self._plan.is_once and not messages and not had_some and not is_extra:
                return
            had_some = bool(messages)

    def _end_by_fault(self, receiver: Future[None]) -> None:
        """End a process of which a lane would be received from no more, though it looked well."""
        error = receiver.exception()
        if error is not None:
            self.fail("receive", error)

    def _begin(self, received: Sequence[tuple[Place, Received]]) -> None:
        """Take messages through the engine; all are held before one is, so that the first to claim knows of others."""
        if self._ending.is_set():
            for place, message in received:
                self._work.put_back(place.lane, message)
                self._turns.let_go(place)
            return
        self._received += len(received)
        if self._calls is not None:
            received = [(place, message) for place, message in received if not self._calls.takes(place, message)]
        for place, message in received:
            self._work.hold(place.lane, message)
        for place, message in received:
            self._submit(self._threads, place.lane, partial(self._do, place, message))

    def _do(self, place: Place, message: Received) -> None:
        gets_slot, ran = partial(self._turns.begin, place), partial(self._turns.free, place)
        try:
            self._counted(partial(self._work.do, place.lane, message, gets_slot=gets_slot, ran=ran))
        finally:
            self._turns.let_go(place)

    def _do_in_call(self, lane: Lane, message: Received, wait: Callable[[Attempt], object]) -> None:
        self._counted(partial(self._work.do, lane, message, wait=wait))

    def _counted(self, do: Callable[..., None]) -> None:
        """Take a message through the engine, and count its job if it begins."""
        begun: list[None] = []

        def began() -> None:
            begun.append(None)
            self._count()

        try:
            do(began=began)
        finally:
            if begun:
                self.gauge.end()

    def _batch_calls(self) -> BatchCalls | None:
        """Return what gathers jobs of batch functions; None if the application has none."""
        if all(one.batch is None for one in self._app.registry.types):
            return None
        from lanework.edges.process.batch_calls import BatchCalls  # noqa: PLC0415 - for who has any

        run, submit, fail = self._do_in_call, self._submit, self.fail
        return BatchCalls(self._app, self._work, self._turns, self._threads, run_one=run, submit=submit, failed=fail)

    def _count(self) -> None:
        """Count a job that begins; end once there were enough of them."""
        self.gauge.begin()
        if self._plan.is_worn_out_by(begun=self.gauge.begun, peak_mb=self.gauge.peak_mb):
            self.is_worn_out = True
            self._end()

    def _submit(self, threads: ThreadPoolExecutor, lane: Lane, do: Callable[[], None]) -> Future[None]:
        done = threads.submit(do)
        done.add_done_callback(partial(self._tell_fault, lane))
        return done

    def _tell_fault(self, lane: Lane, done: Future[None]) -> None:
        """Say that the worker itself failed; the message comes again. An error's text may quote a payload: not said."""
        error = None if done.cancelled() else done.exception()
        if error is not None:
            ports = self._app.ports
            ports.events.emit(Event(action=Action.WORKER_FAULT, at=ports.clock(), lane=lane, reason=place_of(error)))

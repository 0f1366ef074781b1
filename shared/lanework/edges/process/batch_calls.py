"""Batch functions in a worker process: one slot a call, and none for what is gathered for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from lanework.edges.batch_gate import BatchGate
from lanework.edges.process.gatherer import Gatherer
from lanework.edges.process.interrupt import disarm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from lanework.app import App
    from lanework.edges.process.lane_scheduler import LaneScheduler, Place
    from lanework.edges.process.message_handler import Work
    from lanework.edges.process.watchdog import Failed
    from lanework.engine.execution.attempt import Attempt
    from lanework.engine.ports.consumer import Received
    from lanework.model.lanes import Lane

    RunOne = Callable[[Lane, Received, Callable[[Attempt], object]], None]
    Submit = Callable[[ThreadPoolExecutor, Lane, Callable[[], None]], Future[None]]


class BatchCalls:
    """Gathers the jobs of batch functions, and makes their calls."""

    def __init__(
        self,
        app: App,
        work: Work,
        turns: LaneScheduler,
        threads: ThreadPoolExecutor,
        *,
        run_one: RunOne,
        submit: Submit,
        failed: Failed,
    ) -> None:
        """
        Begin to gather.

        Args:
            app: Whose jobs.
            work: Keeps what is gathered.
            turns: Has the slots.
            threads: Each call has one of them while it lasts, and its jobs others of its own.
            run_one: Takes a message that is kept through the engine, and calls back to wait for its call.
            submit: Runs something for a lane in a thread of a pool, and says what went wrong in it.
            failed: Hears of a thread of this that has ended by itself.
        """
        self._app = app
        self._work = work
        self._turns = turns
        self._threads = threads
        self._run_one = run_one
        self._submit = submit
        self._gatherer = Gatherer(self._start, failed)
        self.flush = self._gatherer.flush

    def takes(self, place: Place, message: Received) -> bool:
        """Gather a message, if it is of a batch function's job, and give its place up; tell whether it was."""
        found = self._app.runtime.type_of(message.body)
        if found is None or found.batch is None:
            return False
        self._work.gather(place.lane, message)
        if not self._gatherer.add(place.lane, found.name, found.batch, message):
            self._work.release(place.lane, message)
        self._turns.let_go(place)
        return True

    def close(self) -> None:
        """Gather no more, and give back at once what no call has begun for."""
        for lane, message in self._gatherer.close():
            self._work.release(lane, message)

    def _start(self, lane: Lane, messages: Sequence[Received]) -> None:
        self._submit(self._threads, lane, partial(self._call, self._turns.enter(lane), messages))

    def _call(self, place: Place, messages: Sequence[Received]) -> None:
        """Make a call once there is a slot, which it must be soon; the function runs in this thread."""
        try:
            if not self._turns.begin(place):
                for message in messages:
                    self._work.release(place.lane, message)
                return
            gate = BatchGate(len(messages))
            self._work.expect(len(messages))
            with self._work.burst(), ThreadPoolExecutor(len(messages), thread_name_prefix="batch") as threads:
                for message in messages:
                    run_one = partial(self._run_one, place.lane, message, gate.wait)
                    self._submit(threads, place.lane, run_one).add_done_callback(gate.ended)
                gate.call(self._apart(gate))
                disarm()
                self._turns.free(place)
        finally:
            self._turns.let_go(place)

    @contextmanager
    def _apart(self, gate: BatchGate) -> Iterator[None]:
        """While the function runs, its jobs write nothing; then all of them do."""
        try:
            with self._work.burst(-1):
                yield
        finally:
            self._work.expect(gate.waiting)

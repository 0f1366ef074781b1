"""Running what is due in memory, one message after the other: what a worker does, for unit tests."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from lanework.engine.execution.attempt import in_order
from lanework.engine.execution.batch_call import call_once
from lanework.engine.execution.claim import LEASE_MARGIN
from lanework.engine.messaging.delivery import Delivery, Nack
from lanework.model.lanes import LANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.engine.execution.attempt import Attempt, StepDriver
    from lanework.engine.execution.executor import Executor
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.messaging.delivery import Report
    from lanework.engine.ports.consumer import Received
    from lanework.memory.lanes import MemoryLanes
    from lanework.model.lanes import Lane

_SECOND: Final = timedelta(seconds=1)


class RunsJobs(Protocol):
    """What is needed of an application."""

    def executor(self, drive: StepDriver) -> Executor:
        """Return what runs jobs from messages."""

    def type_of(self, body: str) -> JobType | None:
        """Return the type of a message's job."""


class Drain:
    """Runs what is due in lanes."""

    def __init__(self, queues: MemoryLanes, app: RunsJobs) -> None:
        self._queues = queues
        self._app = app
        self._handled = 0

    def run(self, lanes: Sequence[Lane]) -> int:
        """Run lane by lane until nothing is due, also in a lane that a job enqueues into; return how many messages."""
        while (lane := next((one for one in lanes if self._queues.counts(one).waiting > 0), None)) is not None:
            received: deque[Received] = deque()
            while (first := received.popleft() if received else self._queues.receive(lane)) is not None:
                job_type = self._app.type_of(first.body)
                if job_type is None or job_type.batch is None:
                    self._answer(lane, first, self._app.executor(in_order).execute(_delivery(first, lane)))
                else:
                    self._call(lane, self._gather(lane, first, job_type, received))
        return self._handled

    def _gather(self, lane: Lane, first: Received, job_type: JobType, others: deque[Received]) -> list[Received]:
        """Return the messages of one call; what is received beside them goes to the others."""
        size = 1 if job_type.batch is None else job_type.batch.size
        found = [first]
        for one in [one for one in others if self._app.type_of(one.body) is job_type][: size - 1]:
            others.remove(one)
            found.append(one)
        while len(found) < size and (message := self._queues.receive(lane)) is not None:
            (found if self._app.type_of(message.body) is job_type else others).append(message)
        return found

    def _call(self, lane: Lane, messages: Sequence[Received]) -> None:
        """Claim the jobs of messages, call their function once, and write how each of them ended."""
        claimed: list[tuple[Received, Attempt]] = []
        for message in messages:

            def claim(attempt: Attempt, message: Received = message) -> None:
                if attempt.claim() and attempt.begin():
                    claimed.append((message, attempt))

            report = self._app.executor(claim).execute(_delivery(message, lane))
            if not claimed or claimed[-1][0] is not message:
                self._answer(lane, message, report)
        if claimed:
            call_once([attempt for _, attempt in claimed])
        for message, attempt in claimed:
            attempt.run()
            attempt.record()
            self._answer(lane, message, attempt.report)

    def _answer(self, lane: Lane, message: Received, report: Report) -> None:
        self._handled += 1
        if not isinstance(report, Nack):
            self._queues.delete(lane, message.handle)
        elif report.after is not None:
            self._queues.change_visibility(lane, message.handle, max(report.after, _SECOND))


def _delivery(message: Received, lane: Lane) -> Delivery:
    time_left = LANES[lane].timeout
    return Delivery(
        body=message.body,
        lane=lane,
        time_left=time_left,
        message_id=message.message_id,
        lease=time_left + LEASE_MARGIN,
    )

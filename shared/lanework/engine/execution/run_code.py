"""Running a job's code: within its timeout, inside its middleware, in a loop where it is asynchronous."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, cast

from lanework.engine.execution.outcome import of_value
from lanework.engine.jobtypes.middleware import around, awaited_within
from lanework.engine.jobtypes.returned import awaited, ran
from lanework.engine.jobtypes.run import Run
from lanework.engine.ports.code_runner import bounded
from lanework.model.job.payload import parsed, public_part

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import timedelta

    from pydantic import BaseModel

    from lanework.engine.execution.outcome import Returned
    from lanework.engine.execution.run_store import LedgerRunStore
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.middleware import Middleware
    from lanework.engine.messaging.message_events import MessageEvents
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.code_runner import Body
    from lanework.model.lifecycle.states import JobRecord


@dataclass(frozen=True, slots=True)
class JobCode:
    """The code of one attempt, which it runs for at most so long; `text`: its payload, as JSON."""

    type: JobType
    record: JobRecord
    text: str
    timeout: timedelta
    ports: Ports
    events: MessageEvents
    run_store: LedgerRunStore
    middleware: Sequence[Middleware]

    def run(self) -> Returned:
        """
        Run it, and return what it returned, awaited if it can be and written as JSON.

        Synchronous code does all of that within its timeout; of `async def` the coroutine has it. What it raises is
        raised; `TimedOut` if its time was over, `InvalidPayloadError` if the payload isn't one of its type.
        """
        run = self.new_run
        with self.ports.code_runner.limit(self.timeout):
            payload = self.payload
            arguments = (payload, run) if self.type.takes_run else (payload,)
            if not self.type.is_async:
                with around(self.middleware, run):
                    value = self.type.function(*arguments)
                    if isawaitable(value):
                        value = self._wait(awaited(value), run.deadline - self.ports.clock())
                return of_value(ran(value))
        code = partial(self.type.function, *arguments)
        return of_value(self._wait(awaited_within(self.middleware, run, code), self.timeout))

    @property
    def payload(self) -> BaseModel:
        """Its payload, brought up to date; InvalidPayloadError if it isn't one of its type."""
        is_old = self.record.version < self.type.version
        text = self.type.current(self.text, self.record.version) if is_old else self.text
        payload = parsed(self.type.name, self.type.model, text)
        self.events.public = public_part(payload)
        return payload

    @property
    def new_run(self) -> Run:
        """Its run, whose time begins now."""
        return Run(
            workflow_id=self.record.workflow,
            job_id=self.record.job_id,
            job_type=self.record.type,
            queue=self.record.queue,
            lane=self.record.lane,
            headers=dict(self.record.headers),
            attempt=self.record.attempts,
            max_attempts=self.record.max_attempts,
            deadline=self.ports.clock() + self.timeout,
            notebook=self.run_store,
        )

    def _wait(self, coroutine: Coroutine[Any, Any, object], timeout: timedelta) -> object:
        """Return a coroutine's value, or raise what it raised."""
        body = cast("Body", self.ports.code_runner.run_async(bounded(coroutine, timeout)))
        return body.result()

"""One message's way through the engine: decoded, its job taken from claim to report, its fate said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lanework.engine.claim import UNANSWERED
from lanework.engine.dead_letters import set_aside
from lanework.engine.delivery import Ack, Keep
from lanework.engine.execution import Execution, GaveUpError
from lanework.engine.hold import LOOK_AGAIN, hold, wait_for_code, wait_for_worker
from lanework.engine.journal import Journal
from lanework.errors import ConfigError, UnavailableError, UndecodableError
from lanework.model.envelope import Envelope
from lanework.model.events import Action
from lanework.model.ids import needs_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.engine.delivery import Delivery, Report
    from lanework.engine.middleware import Middleware
    from lanework.engine.pauses import PauseWatch
    from lanework.engine.ports import Guard, Ports
    from lanework.engine.registry import JobType, Registry


class Executor:
    """Runs jobs from messages."""

    def __init__(
        self,
        *,
        registry: Registry,
        ports: Ports,
        guard: Guard,
        pauses: PauseWatch,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        """
        Take what runs need.

        Args:
            registry: The job types.
            ports: Where everything is.
            guard: Takes each execution through its steps.
            pauses: What is paused.
            middleware: Runs around the jobs' code, the first outermost.
        """
        self._middleware = middleware
        self._pauses = pauses
        self._registry = registry
        self._ports = ports
        self._guard = guard

    def execute(self, delivery: Delivery) -> Report:
        """Run the job that a message carries, if it may run now, and say what to do with the message."""
        try:
            envelope = Envelope.decode(delivery.body)
        except UndecodableError as problem:
            return set_aside(delivery, str(problem), self._ports)
        if envelope.unrecorded and needs_record(envelope.id):
            reason = "its id is one of Lanework's own, whose jobs are recorded before they are sent"
            Journal(envelope, self._ports.events, self._ports.clock).note(Action.DROPPED, reason=reason)
            return Ack()
        job_type = self._registry.find(envelope.type)
        return self._not_now(delivery, envelope, job_type) or self._run(delivery, envelope)

    def _not_now(self, delivery: Delivery, envelope: Envelope, job_type: JobType | None) -> Report | None:
        """Say what becomes of a message whose job may not start here or now; None if it may."""
        journal = Journal(envelope, self._ports.events, self._ports.clock)
        try:
            pause = self._pauses.holding(envelope)
        except (UnavailableError, ConfigError) as error:
            wait = UNANSWERED.wait_after(delivery.receives, rand=self._ports.rand)
            journal.note(Action.CLAIM_FAILED, reason=f"what is paused: {error}", wait=wait)
            return Keep(wait)
        if pause is not None:
            return hold(envelope, pause, self._ports, journal)
        elsewhere = wait_for_worker(delivery, envelope, job_type, self._ports, journal)
        if elsewhere is not None:
            return elsewhere
        missing = wait_for_code(delivery, envelope, job_type, self._ports)
        if missing is not None:
            journal.note(Action.WAITED, reason=missing, wait=LOOK_AGAIN)
            return Keep(LOOK_AGAIN)
        return None

    def _run(self, delivery: Delivery, envelope: Envelope) -> Report:
        execution = Execution(envelope, self._registry.find, delivery, self._ports, self._middleware)
        if not delivery.is_first and not execution.fits:
            return Keep(timedelta(0))
        self._guard(execution)
        return execution.report


def in_order(execution: Execution) -> None:
    """Take an execution through its steps with nobody's help: the guard where Powertools isn't."""
    if execution.claim():
        finish(execution)


def finish(execution: Execution, *, ran: Callable[[], None] = lambda: None) -> None:
    """Take an execution that has claimed its job through what remains; `ran` is called when its code has ended."""
    try:
        execution.run()
    except GaveUpError:
        ran()
        execution.settle()
    else:
        ran()
        execution.complete()

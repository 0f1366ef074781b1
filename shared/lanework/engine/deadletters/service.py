"""What an operator does with dead jobs: list, redrive, edit, drop. The CLI, the API and the pages call this."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.deadletters.bulk_redrive import BulkRedrive, check_rate
from lanework.engine.deadletters.groups import groups, latest_groups
from lanework.engine.deadletters.query import PAGE, DeadJobs
from lanework.engine.deadletters.redrive import Redriver, RedriveResult, checked_edit
from lanework.engine.jobtypes.builtin import DROP, REDRIVE, BulkRedrivePayload, RedriveOptions
from lanework.engine.jobtypes.request import request_of
from lanework.errors import InvalidOptionError, NotRedrivenError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.engine.deadletters.bulk_redrive import RedriveSummary
    from lanework.engine.deadletters.dlq_scan import Unread
    from lanework.engine.deadletters.groups import Grouping
    from lanework.engine.deadletters.query import RedrivePlan
    from lanework.engine.deadletters.refused_messages import RefusedMessages
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.dead_filter import DeadFilter
    from lanework.model.job.payload import Edit
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import JobRecord

FASTEST_MOVE: Final = 500
"""Messages a second (SQS, StartMessageMoveTask, MaxNumberOfMessagesPerSecond)."""


class DeadLetters:
    """Lists dead jobs and moves them, and decides whether that is done now or by a job of Lanework's own."""

    def __init__(
        self,
        ports: Ports,
        registry: Registry,
        enqueue: Callable[[Request], Receipt[Any]],
        *,
        event_queues: Sequence[str] = (),
    ) -> None:
        """Take the ports, the job types that edited payloads must fit, what enqueues, and names of queues of events."""
        self._event_queues = event_queues
        self._ports = ports
        self._registry = registry
        self._enqueue = enqueue
        self._redriver = Redriver(ports)

    @cached_property
    def jobs(self) -> DeadJobs:
        """Reads them: one, a page, all that match, a plan."""
        return DeadJobs(self._ports)

    def unreadable(self) -> dict[Lane, Unread]:
        """Return what lies in dead-letter queues that can't be read, as the clock last saw it: no job's, in no list."""
        from lanework.engine.deadletters.dlq_scan import unread  # noqa: PLC0415 - the clock's, which an API has no need of

        return unread(self._ports)

    @property
    def messages(self) -> RefusedMessages:
        """Messages of dead-letter queues that are no jobs: open ones and events that were refused can be sent again."""
        from lanework.engine.deadletters.refused_messages import RefusedMessages  # noqa: PLC0415 - few stacks get any

        return RefusedMessages(self._ports, self._event_queues)

    def groups(self, which: DeadFilter) -> Grouping:
        """Return the dead jobs by error, of at most 10,000; NothingMatchesError if the filter matches none."""
        return groups(self.jobs, which)

    def latest_groups(self, which: DeadFilter) -> Grouping:
        """Return the latest 100 deaths, by error, of those that match."""
        return latest_groups(self.jobs, which)

    def redrive(
        self,
        plan: RedrivePlan,
        options: RedriveOptions = RedriveOptions(),  # noqa: B008 - frozen
        *,
        can_wait: bool = True,
        between: Callable[[RedriveSummary], None] = lambda _: None,
    ) -> RedriveSummary | Receipt[Any]:
        """
        Give the jobs of a plan another life: now if they are at most 100, otherwise by a job of Lanework's own.

        Args:
            plan: Which jobs.
            options: At which rate, and whether as a canary.
            can_wait: Whether the caller can wait for a rate or a canary. A command can; an HTTP request
                ends after 30 s, so a job does it.
            between: Called with the summary so far, where it is done now.

        Returns:
            What was done; or the receipt of the job that does it, which has progress and can be cancelled.

        Raises:
            InvalidOptionError: The rate can't be kept.
        """
        takes_time = plan.count > 0 and options != RedriveOptions()
        if plan.count > PAGE or (takes_time and not can_wait):
            return self._by_a_job(REDRIVE, plan, options)
        bulk = BulkRedrive(self._ports, self._redriver.redrive, options, between=between)
        try:
            return bulk.run(self.fixed(plan), count=plan.count) if options.canary else bulk.move(plan.jobs)
        finally:
            self._ports.events.flush()

    def drop(
        self, plan: RedrivePlan, *, between: Callable[[RedriveSummary], None] = lambda _: None
    ) -> RedriveSummary | Receipt[Any]:
        """End the jobs of a plan for good: now if they are at most 100, otherwise by a job; returns as `redrive`."""
        if plan.count > PAGE:
            return self._by_a_job(DROP, plan, RedriveOptions())
        try:
            return BulkRedrive(self._ports, self._redriver.drop, RedriveOptions(), between=between).move(plan.jobs)
        finally:
            self._ports.events.flush()

    def redrive_job(self, job_id: str, *, payload: str | None = None) -> JobRecord:
        """
        Give one dead job another life, and return its record after that.

        Args:
            job_id: Which job.
            payload: Another payload, as JSON; None keeps the one it has.

        Raises:
            JobNotFoundError, NotDeadError: There is no such job, or it isn't dead.
            UnknownJobTypeError, InvalidPayloadError, TooLargeError: The payload can't be used; the message says why.
            NotRedrivenError: Somebody else moved it meanwhile, its payload is gone, or it can't be sent.
        """
        record = self.jobs.get(job_id)
        edit = None if payload is None else self.checked_edit(record, payload)
        try:
            result = self._redriver.redrive(record, edit=edit)
        finally:
            self._ports.events.flush()
        after = self._ports.ledger.get(job_id)
        if result is not RedriveResult.REDRIVEN or after is None:
            raise NotRedrivenError(job_id, result)
        return after

    def checked_edit(self, record: JobRecord, payload: str) -> Edit:
        """Return another payload for a job as its type writes it; an unknown type or an invalid payload is refused."""
        return checked_edit(record, payload, self._registry)

    def move_back(self, lane: Lane, *, rate: int | None = None) -> None:
        """
        Have SQS itself move all tickets of a lane back, as the console's button does.

        Args:
            lane: Which lane.
            rate: Most a second, 1 to 500; None leaves it to SQS.

        Raises:
            InvalidOptionError: The rate can't be used.
            UnsupportedError: The endpoint can't do it; the message says what to do instead.
        """
        if rate is not None and not 1 <= rate <= FASTEST_MOVE:
            msg = f"SQS moves 1 to {FASTEST_MOVE} messages a second, got a rate of {rate}"
            raise InvalidOptionError(msg)
        try:
            self._ports.lanes.move_back(lane, rate=rate)
        except UnsupportedError as error:
            msg = f"{error}; redrive by record instead: lanework dlq redrive --lane {lane}"
            raise UnsupportedError(msg) from error

    def fixed(self, plan: RedrivePlan) -> DeadFilter:
        """Return the plan's filter as of now: what dies, or dies again, from now on isn't asked for."""
        deaths = [job.ended_at for job in plan.jobs if job.ended_at is not None]
        # The dead were stamped by workers' clocks, which may be ahead of this one.
        until = max([self._ports.clock(), *(death + timedelta(milliseconds=1) for death in deaths)])
        asked = plan.filter.died_before
        return replace(plan.filter, died_before=until if asked is None else min(asked, until))

    def _by_a_job(self, name: str, plan: RedrivePlan, options: RedriveOptions) -> Receipt[Any]:
        if options.rate is not None:
            check_rate(options.rate)
        payload = BulkRedrivePayload(which=self.fixed(plan), options=options)
        return self._enqueue(request_of(self._registry.get(name), payload, {}))

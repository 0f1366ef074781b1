"""What an operator does with dead jobs: look, redrive, edit, drop. The CLI, the API and the pages come here."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.deadletters.bulk_redrive import BulkRedrive, checked_rate
from lanework.engine.deadletters.groups import groups, latest_groups
from lanework.engine.deadletters.query import DeadJobs
from lanework.engine.deadletters.redrive import Redriver, checked_edit
from lanework.engine.jobtypes.builtin import DROP, REDRIVE, BulkRedrivePayload, RedriveOptions
from lanework.engine.jobtypes.job_type import Options
from lanework.engine.jobtypes.request import Request
from lanework.errors import InvalidOptionError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lanework.engine.deadletters.bulk_redrive import Outcome
    from lanework.engine.deadletters.dlq_scan import Unread
    from lanework.engine.deadletters.groups import Grouping
    from lanework.engine.deadletters.query import Plan
    from lanework.engine.deadletters.redrive import Fate
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.dead_filter import Filter
    from lanework.model.job.payload import Edit
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import JobRecord

FASTEST_MOVE: Final = 500
"""Messages a second (SQS, StartMessageMoveTask, MaxNumberOfMessagesPerSecond)."""


class DeadLetters:
    """Looks at dead jobs and moves them. A page is moved here and now, more by a job of Lanework's own."""

    def __init__(self, ports: Ports, registry: Registry, enqueue: Callable[[Request], Receipt[Any]]) -> None:
        """Take the ports, the job types that edited payloads must fit, and what enqueues."""
        self._ports = ports
        self._registry = registry
        self._enqueue = enqueue
        self._redriver = Redriver(ports)

    @cached_property
    def jobs(self) -> DeadJobs:
        """Reads them: one, a page, all that match, a plan."""
        return DeadJobs(self._ports)

    def unreadable(self) -> dict[Lane, Unread]:
        """
        Return what lies in dead-letter queues that can't be read, as the clock last saw it: no job's, so in no list.

        It stays there until somebody looks at it and deletes it, or for 14 days.
        """
        from lanework.engine.deadletters.dlq_scan import unread  # noqa: PLC0415 - the clock's, which an API has no need of

        return unread(self._ports)

    def groups(self, which: Filter) -> Grouping:
        """Return them by error; see `dead_groups.groups`."""
        return groups(self.jobs, which)

    def latest_groups(self, which: Filter) -> Grouping:
        """Return the latest of them by error; see `dead_groups.latest_groups`."""
        return latest_groups(self.jobs, which)

    def redrive(
        self, plan: Plan, orders: RedriveOptions | None = None, *, between: Callable[[Outcome], None] = lambda _: None
    ) -> Outcome | Receipt[Any]:
        """
        Give the jobs of a plan another life.

        Args:
            plan: Which.
            orders: How to.
            between: Called with what became of them so far, where it is done here and now.

        Returns:
            What became of them; or, where they are more than a page, the receipt of the job that does it, which has
            progress and can be cancelled.

        Raises:
            InvalidOptionError: The rate can't be kept.
        """
        if not plan.is_one_page:
            return self._by_a_job(REDRIVE, plan, orders or RedriveOptions())
        orders = orders or RedriveOptions()
        rollout = BulkRedrive(self._ports, self._redriver.redrive, orders, between=between)
        with self._told():
            return rollout.run(self.fixed(plan), count=plan.count) if orders.canary else rollout.these(plan.jobs)

    def redrive_later(self, plan: Plan, orders: RedriveOptions) -> Receipt[Any]:
        """
        Have the jobs of a plan given another life by a job of Lanework's own, for callers that can't wait for waves.

        Raises:
            InvalidOptionError: The rate can't be kept.
        """
        return self._by_a_job(REDRIVE, plan, orders)

    def drop(self, plan: Plan, *, between: Callable[[Outcome], None] = lambda _: None) -> Outcome | Receipt[Any]:
        """End the jobs of a plan for good; takes and returns what `redrive` does."""
        if not plan.is_one_page:
            return self._by_a_job(DROP, plan, RedriveOptions())
        with self._told():
            return BulkRedrive(self._ports, self._redriver.drop, RedriveOptions(), between=between).these(plan.jobs)

    def checked_edit(self, record: JobRecord, text: str) -> Edit:
        """
        Return another payload for a job, as its type writes it, for `redrive_with`.

        Raises:
            UnknownJobTypeError, InvalidPayloadError, TooLargeError: It can't be used; the message says why.
        """
        return checked_edit(record, text, self._registry)

    def redrive_one(self, record: JobRecord) -> Fate:
        """Give a dead job another life, with the payload it has."""
        with self._told():
            return self._redriver.redrive(record)

    def redrive_with(self, record: JobRecord, edit: Edit) -> Fate:
        """Give a dead job another life with another payload, one that `checked_edit` returned."""
        with self._told():
            return self._redriver.redrive(record, edit=edit)

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

    def fixed(self, plan: Plan) -> Filter:
        """Return the plan's filter as of now: what dies, or dies again, from now on isn't asked for."""
        deaths = [job.ended_at for job in plan.jobs if job.ended_at is not None]
        # The dead were stamped by workers' clocks, which may be ahead of this one.
        until = max([self._ports.clock(), *(death + timedelta(milliseconds=1) for death in deaths)])
        asked = plan.filter.died_before
        return replace(plan.filter, died_before=until if asked is None else min(asked, until))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Let events go out: whoever calls may be a process that does so nowhere else."""
        try:
            yield
        finally:
            self._ports.events.flush()

    def _by_a_job(self, name: str, plan: Plan, orders: RedriveOptions) -> Receipt[Any]:
        checked_rate(orders.rate)
        order = BulkRedrivePayload(which=self.fixed(plan), orders=orders)
        return self._enqueue(Request(type=self._registry.get(name), payload=order, options=Options()))

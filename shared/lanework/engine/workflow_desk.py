"""What an application, its operators and its jobs do with workflows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from lanework.engine.cancel import cancel
from lanework.engine.inspect import DAYS_KEPT, check_limit, day_before, iso, read_cursor, start_of
from lanework.engine.listing import JobKey
from lanework.engine.redrive import Fate, Redriver
from lanework.engine.shards import Shards
from lanework.engine.workflow_enqueue import WorkflowEnqueuer
from lanework.engine.workflow_graph import MOST_NODES, Drawing
from lanework.errors import JobNotFoundError, WorkflowNotFoundError
from lanework.model.states import ENDED, State
from lanework.model.workflow import Counts, When, place_of, read_ref, ref_of, slot_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from lanework.engine.plan import Workflow
    from lanework.engine.ports import Ports
    from lanework.engine.receipt import Receipt
    from lanework.engine.registry import Registry
    from lanework.engine.request import Request
    from lanework.engine.workflow_enqueue import WorkflowReceipt
    from lanework.engine.workflow_graph import Graph
    from lanework.model.states import JobRecord
    from lanework.model.workflow import WorkflowRecord

_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """
    What came of one job of a workflow.

    Attributes:
        job_id: Which.
        state: Where it stands.
        result: What it returned, as JSON values; None if it has not completed.
        omitted: Why its result could not be kept.
    """

    job_id: str
    state: State
    result: Any = None
    omitted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """
    Part of a workflow's results, in the order of its jobs.

    Attributes:
        results: What came of its jobs; nested workflows, and jobs whose record is gone, are left out.
        next: Where the next page begins; None after the last.
    """

    results: tuple[JobResult, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStanding:
    """A workflow, and how its jobs stand: those that are its own, nested workflows counting as one."""

    record: WorkflowRecord
    counts: Counts

    @property
    def percent(self) -> int:
        """How many of its jobs have ended, 0 to 100."""
        jobs = self.counts.jobs
        return 100 if jobs == 0 else 100 * (jobs - self.counts.open) // jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowPage:
    """
    Part of a list of workflows.

    Attributes:
        workflows: Newest first, those that are part of another left out.
        cursor: Give it to get the next page; None after the last.
        seen_until: Workflows enqueued later than this are in the pages so far.
    """

    workflows: tuple[WorkflowRecord, ...]
    cursor: str | None
    seen_until: datetime


class WorkflowDesk:
    """Enqueues workflows, looks at them, adds to them, cancels them and retries what died in them."""

    def __init__(
        self, ports: Ports, registry: Registry, enqueue_many: Callable[[Iterable[Request]], list[Receipt[Any]]]
    ) -> None:
        """Take the ports, the job types, and what enqueues."""
        self._ports = ports
        self._store = ports.workflows
        self._shards = Shards(ports)
        self._enqueuer = WorkflowEnqueuer(ports, registry, enqueue_many)

    def enqueue(self, plan: Workflow, *, workflow_id: str | None = None) -> WorkflowReceipt:
        """
        Enqueue a workflow.

        Args:
            plan: What `chain`, `group` or `batch` returned.
            workflow_id: An id of yours: a repeated one enqueues nothing new. Its jobs are called `ID.1`, `ID.2` and so
                on, unless they have ids of their own; what is called back is `ID.on-success` and so on.

        Raises:
            InvalidOptionError: The id or the plan can't be used; nothing was enqueued.
            UnknownJobTypeError: A job's type, or a callback's, isn't the application's; nothing was enqueued.
            EnqueueError, QuotaExceededError, UnavailableError: Not all was enqueued. Repeat it with the same id; what
                isn't repeated within an hour is cancelled.
        """
        return self._enqueuer.enqueue(plan, workflow_id)

    def add(self, workflow_id: str, steps: Iterable[Request | Workflow]) -> tuple[str, ...]:
        """
        Add jobs to a workflow, from inside one of its jobs or from anywhere, while not all its jobs have ended.

        Args:
            workflow_id: Which; `run.workflow_id` inside a job.
            steps: Requests and plans. A retry adds them again, unless they have ids of their own or are added within
                `run.once`.

        Returns:
            The names of what was added.

        Raises:
            WorkflowNotFoundError: There is none.
            WorkflowClosedError: Its jobs have all ended, or it was cancelled. Nothing was enqueued.
            InvalidOptionError, UnknownJobTypeError, EnqueueError, QuotaExceededError: As in `enqueue`.
            UnavailableError: Not all was added. What is missing after an hour is not waited for.
        """
        return self._enqueuer.add(workflow_id, tuple(steps))

    def get(self, workflow_id: str) -> WorkflowStanding:
        """
        Return where a workflow stands; it costs a read for each 256 of its jobs.

        Raises:
            WorkflowNotFoundError: There is none.
        """
        found = self._found(workflow_id)
        counts = Counts()
        for shard in self._store.shards(workflow_id, range(1, found.shards + 1)):
            counts = counts.plus(shard.counts)
        return WorkflowStanding(record=found, counts=counts)

    def newest(self, *, limit: int = 20) -> tuple[WorkflowRecord, ...]:
        """Return the latest workflows of the last 15 days, newest first, those that are part of another left out."""
        found: tuple[WorkflowRecord, ...] = ()
        cursor: str | None = None
        while len(found) < limit:
            page = self.page(limit=limit, cursor=cursor)
            found += page.workflows
            cursor = page.cursor
            if cursor is None:
                break
        return found[:limit]

    def page(self, *, limit: int = 20, cursor: str | None = None) -> WorkflowPage:
        """
        Return workflows, newest first, in five reads. A page is of one day (UTC) and may be empty and have a cursor.

        Args:
            limit: Most workflows to return, 1 to 100.
            cursor: `cursor` of the page before.

        Raises:
            InvalidOptionError: The limit or the cursor can't be used.
        """
        check_limit(limit)
        today = self._ports.clock().date()
        day, before = (today.isoformat(), None) if cursor is None else read_cursor(cursor, today=today)
        page = self._store.recent(day=day, before=before, limit=limit)
        found = self._store.get_many([key.job_id for key in page.keys])
        outermost = tuple(
            found[key.job_id] for key in page.keys if key.job_id in found and found[key.job_id].parent is None
        )
        if page.cursor is not None:
            seen_until = JobKey.at(page.cursor).created_at
            return WorkflowPage(workflows=outermost, cursor=f"{day}|{page.cursor}", seen_until=seen_until)
        is_last = day <= (today - timedelta(days=DAYS_KEPT)).isoformat()
        following = None if is_last else f"{day_before(day)}|"
        return WorkflowPage(workflows=outermost, cursor=following, seen_until=start_of(day))

    def graph(self, workflow_id: str, *, most: int = MOST_NODES) -> Graph:
        """
        Return a workflow as nodes and edges.

        Raises:
            WorkflowNotFoundError: There is none.
        """
        return Drawing(self._ports, most=most).of(self._found(workflow_id))

    def results(self, workflow_id: str) -> Iterator[JobResult]:
        """
        Return what came of a workflow's own jobs, in their order, read page by page as they are asked for.

        Raises:
            WorkflowNotFoundError: There is none.
        """
        after: int | None = None
        while True:
            page = self.result_page(workflow_id, after=after, limit=_PAGE)
            yield from page.results
            after = page.next
            if after is None:
                return

    def result_page(self, workflow_id: str, *, after: int | None = None, limit: int = _PAGE) -> ResultPage:
        """
        Return what came of some of a workflow's own jobs.

        Args:
            workflow_id: Which.
            after: `next` of the page before.
            limit: Most results to return, 1 to 100.

        Raises:
            WorkflowNotFoundError: There is none.
            InvalidOptionError: The limit can't be used.
        """
        check_limit(limit)
        found = self._found(workflow_id)
        number, place = (1, 0) if after is None else place_of(after)
        while number <= found.shards:
            names = self._store.names(workflow_id, number)
            page = names[place : place + limit]
            if page:
                last = place + len(page)
                more = last < len(names) or number < found.shards
                following = slot_of(number, last) if last < len(names) else slot_of(number + 1, 0)
                return ResultPage(results=self._results(page), next=following if more else None)
            number, place = number + 1, 0
        return ResultPage(results=(), next=None)

    def _results(self, names: Sequence[str]) -> tuple[JobResult, ...]:
        jobs = [name for name in names if read_ref(name) is None]
        records = self._ports.ledger.get_many(jobs, consistent=True) if jobs else {}
        return tuple(_result(records[job_id]) for job_id in jobs if job_id in records)

    def cancel(self, workflow_id: str) -> int:
        """
        Cancel a workflow: nothing can be added, jobs that wait end at once, running ones are asked to stop.

        What is called back on completion or failure runs. Repeating it is safe.

        Returns:
            How many jobs had not ended.

        Raises:
            WorkflowNotFoundError: There is none.
        """
        found = self._found(workflow_id)
        now = self._ports.clock()
        self._shards.update(
            workflow_id,
            lambda one: one if one.closed_at is not None else replace(one, cancelled_at=one.cancelled_at or now),
        )
        asked = 0
        for names in self._names(found):
            jobs = [name for name in names if read_ref(name) is None]
            asked += sum(self._cancel_job(record) for record in self._records(jobs))
            nested = (ref[0] for name in names if (ref := read_ref(name)) is not None)
            asked += sum(self.cancel(one) for one in nested if self._store.get(one) is not None)
        return asked

    def retry(self, workflow_id: str) -> int:
        """
        Redrive what died in a workflow, and in those that are part of it; return how many jobs.

        Raises:
            WorkflowNotFoundError: There is none.
        """
        found = self._found(workflow_id)
        redriver = Redriver(self._ports)
        redriven = 0
        for names in self._names(found):
            nested = (ref[0] for name in names if (ref := read_ref(name)) is not None)
            redriven += sum(self.retry(one) for one in nested if self._store.get(one) is not None)
            jobs = [name for name in names if read_ref(name) is None]
            dead = [one for one in self._records(jobs) if one.state is State.DEAD]
            redriven += sum(redriver.redrive(one) is Fate.REDRIVEN for one in dead)
        for when in When:
            called = self._ports.workflows.children(ref_of(workflow_id, when), after=None, limit=_PAGE)
            ours = [one for one in self._records(called) if one.workflow == workflow_id and one.state is State.DEAD]
            redriven += sum(redriver.redrive(one) is Fate.REDRIVEN for one in ours)
        return redriven

    def _cancel_job(self, record: JobRecord) -> bool:
        if record.state in ENDED:
            return False
        try:
            cancel(record.job_id, self._ports)
        except JobNotFoundError:
            return False
        return True

    def _names(self, found: WorkflowRecord) -> Iterator[tuple[str, ...]]:
        for number in range(1, found.shards + 1):
            yield self._store.names(found.workflow_id, number)

    def _records(self, job_ids: Sequence[str]) -> Iterator[JobRecord]:
        for start in range(0, len(job_ids), _PAGE):
            yield from self._ports.ledger.get_many(job_ids[start : start + _PAGE], consistent=True).values()

    def _found(self, workflow_id: str) -> WorkflowRecord:
        found = self._store.get(workflow_id)
        if found is None or found.expires_at <= self._ports.clock():
            raise WorkflowNotFoundError(workflow_id)
        return found


def _result(record: JobRecord) -> JobResult:
    return JobResult(
        job_id=record.job_id,
        state=record.state,
        result=None if record.result is None else from_json(record.result),
        omitted=record.result_omitted,
    )


def as_json(record: WorkflowRecord) -> dict[str, object]:
    """Return a workflow as JSON values, in the names that HTTP clients and scripts use."""
    return {
        "workflowId": record.workflow_id,
        "kind": record.kind,
        "status": record.state,
        "createdAt": iso(record.created_at),
        "endedAt": iso(record.closed_at),
        "completedAt": iso(record.completed_at),
        "cancelledAt": iso(record.cancelled_at),
        "partOf": record.parent,
    }


def counts_as_json(standing: WorkflowStanding) -> dict[str, object]:
    """Return how the jobs of a workflow stand, likewise."""
    counts = standing.counts
    return {
        "jobs": counts.jobs,
        "open": counts.open,
        "completed": counts.completed,
        "dead": counts.dead,
        "cancelled": counts.cancelled,
        "percent": standing.percent,
    }

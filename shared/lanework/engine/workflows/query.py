"""Where workflows stand, what is in them and what came of it: what the CLI, the API and the pages show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lanework.async_calls import async_twin
from lanework.engine.queries.recent import check_limit, recent_keys
from lanework.engine.workflows.graph import MOST_NODES, Drawing, shards_of
from lanework.errors import WorkflowNotFoundError, foreign_cursor
from lanework.model.job.payload import as_values
from lanework.model.workflow.shard import Counts, place_of, slot_of
from lanework.model.workflow.workflow import read_ref

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from datetime import datetime

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.index_keys import JobKey, Page
    from lanework.engine.workflows.graph import Graph
    from lanework.model.lifecycle.states import JobRecord, State
    from lanework.model.workflow.shard import Shard
    from lanework.model.workflow.workflow import WorkflowRecord

_PAGE: Final = 100

_MARK: Final = "workflows|"
"""Begins a cursor: those of the list of jobs are like it otherwise."""


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
class WorkflowStatus:
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


class WorkflowQuery:
    """Reads workflows; writes nothing."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._store = ports.workflows

    def get(self, workflow_id: str) -> WorkflowStatus:
        """Return where a workflow stands; a read for each 256 of its jobs. WorkflowNotFoundError if there is none."""
        found = self.found(workflow_id)
        return _status_of(found, shards_of(found, self._ports))

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

        def read(day: str, before: str | None) -> Page[JobKey]:
            return self._store.recent(day=day, before=before, limit=limit)

        page = next(recent_keys(read, today=self._ports.clock().date(), cursor=_unmarked(cursor)))
        found = self._store.get_many([key.job_id for key in page.keys])
        outermost = tuple(
            found[key.job_id] for key in page.keys if key.job_id in found and found[key.job_id].parent is None
        )
        following = None if page.cursor is None else f"{_MARK}{page.cursor}"
        return WorkflowPage(workflows=outermost, cursor=following, seen_until=page.seen_until)

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

    def graph(self, workflow_id: str, *, most: int = MOST_NODES) -> Graph:
        """Return a workflow as nodes and edges; see `drawn`."""
        return self.drawn(workflow_id, most=most)[1]

    def drawn(self, workflow_id: str, *, most: int = MOST_NODES) -> tuple[WorkflowStatus, Graph]:
        """
        Return where a workflow stands, and it as nodes and edges.

        The steps of a chain stand in its order, others as they need attention: the dead, the cancelled, those that have
        not ended, the completed. Where not all has room, the same come first, and the others are left out.

        Reads: the workflow; its shards, 100 a call; the names of each shard of which something is drawn, a call each;
        the records of what is drawn, 100 a call; and three to six calls for what is called back. So a batch of 5,000
        jobs, three of which died and the rest completed, takes 10 to 13 calls with 50 nodes. Each workflow within takes
        its own calls likewise.

        Args:
            workflow_id: Which.
            most: Most nodes. Beyond them, only what is called back is drawn.

        Raises:
            WorkflowNotFoundError: There is none.
        """
        found = self.found(workflow_id)
        shards = shards_of(found, self._ports)
        return _status_of(found, shards), Drawing(self._ports, most=most).of(found, shards)

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
        found = self.found(workflow_id)
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

    get_async = async_twin(get)
    page_async = async_twin(page)
    newest_async = async_twin(newest)
    graph_async = async_twin(graph)
    drawn_async = async_twin(drawn)
    result_page_async = async_twin(result_page)

    async def results_async(self, workflow_id: str) -> AsyncIterator[JobResult]:
        """Do as `results` does, from asyncio code: `async for one in app.workflows.results_async(…)`."""
        after: int | None = None
        while True:
            page = await self.result_page_async(workflow_id, after=after, limit=_PAGE)
            for one in page.results:
                yield one
            after = page.next
            if after is None:
                return

    def records_of(self, job_ids: Sequence[str]) -> Iterable[JobRecord]:
        """Return the jobs that exist, as of now."""
        return self._ports.ledger.get_many(job_ids, consistent=True).values()

    def found(self, workflow_id: str) -> WorkflowRecord:
        """Return a workflow's record; WorkflowNotFoundError if there is none."""
        found = self._store.get(workflow_id)
        if found is None or found.expires_at <= self._ports.clock():
            raise WorkflowNotFoundError(workflow_id)
        return found

    def _results(self, names: Sequence[str]) -> tuple[JobResult, ...]:
        jobs = [name for name in names if read_ref(name) is None]
        records = self._ports.ledger.get_many(jobs, consistent=True)
        return tuple(_result(records[job_id]) for job_id in jobs if job_id in records)


def _status_of(found: WorkflowRecord, shards: Iterable[Shard]) -> WorkflowStatus:
    counts = Counts()
    for shard in shards:
        counts = counts.plus(shard.counts)
    return WorkflowStatus(record=found, counts=counts)


def _result(record: JobRecord) -> JobResult:
    result, problem = (None, None) if record.result is None else as_values(record.result)
    return JobResult(
        job_id=record.job_id,
        state=record.state,
        result=result,
        omitted=record.result_omitted or problem,
    )


def _unmarked(cursor: str | None) -> str | None:
    if cursor is not None and not cursor.startswith(_MARK):
        raise foreign_cursor(cursor)
    return None if cursor is None else cursor.removeprefix(_MARK)

"""What an application, its operators and its jobs do with workflows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lanework.async_calls import async_twin
from lanework.engine.deadletters.redrive import Redriver, RedriveResult
from lanework.engine.dependencies.workflow_progress import Shards
from lanework.engine.jobtypes.request import Request
from lanework.engine.operations.cancel import cancel
from lanework.engine.workflows.enqueue import WorkflowEnqueuer
from lanework.engine.workflows.query import WorkflowQuery
from lanework.errors import JobNotFoundError, NotRedrivenError, WorkflowClosedError
from lanework.model.lifecycle.states import ENDED, State
from lanework.model.workflow.workflow import When, read_ref, ref_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.workflows.definition import Workflow
    from lanework.engine.workflows.enqueue import WorkflowReceipt
    from lanework.model.lifecycle.states import JobRecord
    from lanework.model.workflow.workflow import WorkflowRecord

_PAGE: Final = 100


class Workflows(WorkflowQuery):
    """Enqueues workflows, looks at them, adds to them, cancels them and retries what died in them."""

    def __init__(
        self, ports: Ports, registry: Registry, enqueue_many: Callable[[Iterable[Request]], list[Receipt[Any]]]
    ) -> None:
        super().__init__(ports)
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
            UnknownParentError: A job waits for one that doesn't exist; nothing was enqueued.
            EnqueueError, QuotaExceededError, UnavailableError: Not all was enqueued. Repeat it with the same id; what
                isn't repeated within an hour is cancelled.
        """
        receipt = self._enqueuer.enqueue(plan, workflow_id)
        if not receipt.duplicate:
            self._cancel_what_came_late(receipt.workflow_id)
        return receipt

    def add(self, workflow_id: str, steps: Iterable[Request | Workflow]) -> tuple[str, ...]:
        """
        Add jobs to a workflow, from inside one of its jobs or from anywhere, while not all its jobs have ended.

        Jobs that exist already, under ids of their own, are not added twice; to add only such is no error afterwards
        either, so that a job which added some and died can be redriven once the workflow has ended.

        Args:
            workflow_id: Which; `run.workflow_id` inside a job.
            steps: Requests and plans. A retry adds them again, unless they have ids of their own or are added within
                `run.once`.

        Returns:
            The names of what was added.

        Raises:
            WorkflowNotFoundError: There is none.
            WorkflowClosedError: Its jobs have all ended, or it was cancelled, and some of the steps are new. Nothing
                was enqueued.
            InvalidOptionError, UnknownJobTypeError, UnknownParentError: As in `enqueue`; nothing was enqueued.
            EnqueueError, QuotaExceededError: As in `enqueue`.
            UnavailableError: Not all was added. What is missing after an hour is not waited for.
        """
        given = tuple(steps)
        try:
            names = self._enqueuer.add(workflow_id, given)
        except WorkflowClosedError:
            existing = self._existing(given)
            if existing is None:
                raise
            return existing
        if names:
            self._cancel_what_came_late(workflow_id)
        return names

    def cancel(self, workflow_id: str) -> int:
        """
        Cancel a workflow: nothing can be added, jobs that wait end at once, running ones are asked to stop.

        What is called back on completion or failure runs. Repeating it is safe.

        Returns:
            How many jobs had not ended.

        Raises:
            WorkflowNotFoundError: There is none.
        """
        found = self.found(workflow_id)
        now = self._ports.clock()
        _, marked = self._shards.update(
            workflow_id,
            lambda one: one if one.closed_at is not None else replace(one, cancelled_at=one.cancelled_at or now),
        )
        asked = 0
        for jobs, nested in self._parts_of(marked or found):
            asked += sum(map(self._cancel_job, jobs)) + sum(map(self.cancel, nested))
        return asked

    def retry(self, workflow_id: str) -> int:
        """
        Redrive dead jobs in a workflow, and in those that are part of it; return how many jobs.

        Raises:
            WorkflowNotFoundError: There is none.
        """
        found = self.found(workflow_id)
        redriven = 0
        for jobs, nested in self._parts_of(found):
            redriven += sum(map(self.retry, nested))
            redriven += sum(self._is_redriven(one) for one in jobs if one.state is State.DEAD)
        for when in When:
            for called in self._waiting_for(ref_of(workflow_id, when)):
                dead = [one for one in self.records_of(called) if one.state is State.DEAD]
                redriven += sum(self._is_redriven(one) for one in dead if one.workflow == workflow_id)
        return redriven

    enqueue_async = async_twin(enqueue)
    add_async = async_twin(add)
    cancel_async = async_twin(cancel)
    retry_async = async_twin(retry)

    def _parts_of(self, found: WorkflowRecord) -> Iterator[tuple[Iterable[JobRecord], list[str]]]:
        """Yield, shard by shard, the jobs of a workflow that exist, as of now, and the ids of the workflows in it."""
        for number in range(1, found.shards + 1):
            refs = {name: read_ref(name) for name in self._store.names(found.workflow_id, number)}
            nested = [ref[0] for ref in refs.values() if ref is not None and self._store.get(ref[0]) is not None]
            yield self.records_of([name for name, ref in refs.items() if ref is None]), nested

    def _is_redriven(self, dead: JobRecord) -> bool:
        try:
            return Redriver(self._ports).redrive(dead) is RedriveResult.REDRIVEN
        except NotRedrivenError:  # it stays dead, and says why to who redrives it alone
            return False

    def _existing(self, steps: Sequence[Request | Workflow]) -> tuple[str, ...] | None:
        """Return the ids of steps all of which are jobs that exist; None if one is new. A nested workflow always is."""
        ids = [step.job_id for step in steps if isinstance(step, Request) and step.job_id is not None]
        now = self._ports.clock()
        found = {one.job_id for one in self.records_of(sorted(set(ids))) if not one.is_expired(now)}
        return tuple(ids) if len(ids) == len(steps) and found.issuperset(ids) else None

    def _waiting_for(self, ref: str) -> Iterator[Sequence[str]]:
        """Yield all jobs that wait for a workflow, page by page: those that it calls back, and any others."""
        after: str | None = None
        while called := self._ports.workflows.children(ref, after=after, limit=_PAGE):
            yield called
            after = called[-1]

    def _cancel_what_came_late(self, workflow_id: str) -> None:
        """Cancel jobs that were made while somebody cancelled their workflow, who could not see them yet."""
        found = self._store.get(workflow_id)
        if found is not None and found.cancelled_at is not None:
            self.cancel(workflow_id)

    def _cancel_job(self, record: JobRecord) -> bool:
        if record.state in ENDED:
            return False
        try:
            cancel(record.job_id, self._ports)
        except JobNotFoundError:
            return False
        return True

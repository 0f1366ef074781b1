"""Jobs that one request enqueues under an idempotency key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanework.errors import JobIdTakenError, QuotaExceededError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanework.engine.enqueue.enqueuer import Failure
    from lanework.engine.enqueue.prepared_job import PreparedJob

    Recorded = tuple[list[PreparedJob], dict[str, Failure]]


def record_keyed(jobs: Sequence[PreparedJob], record: Callable[[Sequence[PreparedJob]], Recorded]) -> Recorded:
    """
    Record the jobs of one request: one first, which holds the key, and only then the others.

    Its record says with which request the key went. So of two requests at one moment one wins, and the other leaves no
    job. One that is the duplicate of other unique work, or over a quota, holds nothing: then it is the next one.

    Raises:
        JobIdTakenError: The key went with another request; nothing was recorded.
        EnqueueError: The first could not be recorded, and so none was.
    """
    recorded: list[PreparedJob] = []
    failed: dict[str, Failure] = {}
    for at, job in enumerate(jobs):
        first, refused = record([job])
        for error in refused.values():
            if not isinstance(error, QuotaExceededError):
                raise error
        recorded, failed = [*recorded, *first], {**failed, **refused}
        if first and first[0].record.job_id == job.job_id:
            if first[0].receipt.payload_differs:
                raise JobIdTakenError(job.job_id, job.request.type.name, taken_by=first[0].record.type)
            others, refused = record(jobs[at + 1 :])
            return [*recorded, *others], failed | refused
    return recorded, failed

"""When nothing can be enqueued: a job's code is run here and now, for the few that can't wait."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from jobs.clock import utc_now
from lanework import EnqueueError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lanework import Job, Receipt

WITHIN: Final = timedelta(seconds=25)
"""The deadline that such a run is told; nothing enforces it."""


def enqueue_or_run(
    job: Job[Any, ..., None, None],
    payload: BaseModel,
    *,
    job_id: str,
    **fakes: Any,  # noqa: ANN401 - the job's own
) -> Receipt[None] | None:
    """
    Enqueue a job; if neither SQS nor DynamoDB answers, run its code in the caller's thread, once, and warn.

    It is the caller who waits then, and there is no retry. An answer that was lost on its way looks like none, so the
    job may run as well: for what may happen twice rather than not at all.

    Args:
        job: A job that takes `(payload, run)`.
        payload: Its payload.
        job_id: Its id.
        **fakes: What the job takes by keyword, in a test.

    Returns:
        The receipt; None if the code ran here.
    """
    try:
        return job.enqueue(payload, job_id=job_id)
    except EnqueueError:
        logging.getLogger("jobs").warning("can't be enqueued, runs directly: %s, job %s", job.name, job_id)
    # A run that no record is kept of is what a unit test has.
    from lanework.testing import a_run  # noqa: PLC0415 - not for producers that are well

    run = a_run(job_id=job_id, max_attempts=1, deadline=utc_now() + WITHIN)
    job(payload, run, **fakes)
    return None

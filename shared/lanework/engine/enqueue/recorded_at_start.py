"""The record of a job that its start should have made, where its message could not be sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lanework.errors import EnqueueError, UnavailableError, UnsendableError
from lanework.model.events import Action

if TYPE_CHECKING:
    from lanework.engine.enqueue.prepared_job import PreparedJob
    from lanework.engine.ports.bundle import Ports
    from lanework.errors import LaneworkError


def record_unsent(job: PreparedJob, unsent: LaneworkError, ports: Ports) -> None:
    """
    Record a job with an entry for the sweep, unless another has its id, which is then the one that runs.

    If its message was sent after all, its answer lost, one of the two finds what the other has left.

    Raises:
        EnqueueError: SQS refuses the message for what it is; or DynamoDB doesn't answer either.
    """
    if isinstance(unsent, UnsendableError):
        raise EnqueueError(job.job_id, f"not sent: {unsent}", is_final=True) from unsent
    try:
        ports.ledger.put(replace(job.record, sweep_at=max(job.record.run_at, ports.clock())))
    except UnavailableError as error:
        raise EnqueueError(job.job_id, f"not sent ({unsent}), and not recorded ({error})") from error
    ports.emit(Action.JOB_SEND_DEFERRED, job.record, reason=str(unsent))

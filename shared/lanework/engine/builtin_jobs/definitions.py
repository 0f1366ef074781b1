"""Lanework's own jobs, in every application: what an operator asks for and what takes longer than a command should."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.dependencies.release_job import QUEUE, RELEASE
from lanework.engine.jobtypes.family import Jobs
from lanework.engine.jobtypes.run import Run
from lanework.engine.webhooks.notify import WebhookPayload
from lanework.errors import DeclarationError, ForbiddenAddressError, InvalidOptionError
from lanework.model.job.ids import OURS
from lanework.model.limits import Concurrency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.ports.bundle import Ports
from lanework.engine.jobtypes.builtin import (
    ARCHIVE,
    CLEAN,
    DROP,
    REDRIVE,
    WEBHOOK,
    ArchivePayload,
    BulkRedrivePayload,
    CleanupPayload,
    ReleasePayload,
)

WEBHOOK_ATTEMPTS: Final = 12
WEBHOOK_BACKOFF: Final = timedelta(seconds=30)
"""Twelve attempts, with waits from 30 s to 8.5 h: a receiver may be away for 17 hours."""

WEBHOOK_TIMEOUT: Final = timedelta(seconds=20)
"""Of a delivery as a whole: the exchange has 10 s, and the secret may have to be read."""

ATTEMPTS: Final = 3


def refuse_names_of_ours(types: Iterable[JobType]) -> None:
    """Refuse, with DeclarationError, job types of an application that could be taken for Lanework's own."""
    for one in types:
        if one.queue == QUEUE or any(name.startswith(OURS) for name in (one.name, *one.aliases)):
            msg = (
                f"job type {one.name!r} of queue {one.queue!r}: names that begin with {OURS} and the queue {QUEUE} are "
                "Lanework's own"
            )
            raise DeclarationError(msg)


def system_jobs(ports: Callable[[], Ports]) -> Jobs:
    """Return the family of Lanework's own jobs, whose work is loaded when one runs; ports are asked for at each run."""
    family = Jobs(queue=QUEUE, lane="low", attempts=ATTEMPTS)

    @family.job(REDRIVE)
    def redrive(order: BulkRedrivePayload, run: Run) -> dict[str, Any]:
        """Redrive the dead jobs that a filter asks for."""
        from lanework.engine.builtin_jobs import handlers  # noqa: PLC0415

        return handlers.redrive(order, run, ports())

    @family.job(DROP)
    def drop(order: BulkRedrivePayload, run: Run) -> dict[str, Any]:
        """Drop the dead jobs that a filter asks for."""
        from lanework.engine.builtin_jobs import handlers  # noqa: PLC0415

        return handlers.drop(order, run, ports())

    @family.job(
        WEBHOOK,
        attempts=WEBHOOK_ATTEMPTS,
        backoff=WEBHOOK_BACKOFF,
        timeout=WEBHOOK_TIMEOUT,
        concurrency=Concurrency(1, key="host"),
        discard_on=(ForbiddenAddressError, InvalidOptionError),
    )
    def webhook(order: WebhookPayload) -> dict[str, Any]:
        """Send a webhook: one at a time to each host, so that a slow one leaves the lane a worker."""
        from lanework.engine.webhooks.deliver import deliver  # noqa: PLC0415

        return deliver(order, ports())

    @family.job(CLEAN)
    def clean(order: CleanupPayload, run: Run) -> dict[str, Any]:
        """Retire ended jobs, until none is left of those that are asked for."""
        from lanework.engine.builtin_jobs import handlers  # noqa: PLC0415

        return handlers.clean(order, run, ports())

    @family.job(ARCHIVE)
    def archive(_: ArchivePayload, run: Run) -> dict[str, Any]:
        """Put jobs into the archive whose records expire soon."""
        from lanework.engine.builtin_jobs import handlers  # noqa: PLC0415

        return handlers.archive(run, ports())

    @family.job(RELEASE, lane="high")
    def release(order: ReleasePayload, run: Run) -> dict[str, Any]:
        """Let go what waits for a job or a workflow that has ended."""
        from lanework.engine.builtin_jobs import handlers  # noqa: PLC0415

        return handlers.release(order, run, ports())

    return family

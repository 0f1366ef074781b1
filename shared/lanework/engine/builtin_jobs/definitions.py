"""Lanework's own jobs, in every application: what an operator asks for and what takes longer than a command should."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Unpack

from lanework.engine.jobtypes.builtin import (
    ARCHIVE,
    CLEAN,
    DROP,
    REDRIVE,
    RELEASE,
    WEBHOOK,
    ArchivePayload,
    BulkRedrivePayload,
    CleanupPayload,
    ReleasePayload,
)
from lanework.engine.jobtypes.family import Jobs
from lanework.engine.jobtypes.run import Run
from lanework.engine.webhooks.notify import WebhookPayload
from lanework.errors import DeclarationError, ForbiddenAddressError, InvalidOptionError
from lanework.model.job.ids import OURS, QUEUE_OF_OURS
from lanework.model.limits import Concurrency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel

    from lanework.engine.jobtypes.family import JobOptions
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.ports.bundle import Ports

WEBHOOK_ATTEMPTS: Final = 12
WEBHOOK_BACKOFF: Final = timedelta(seconds=30)
"""Twelve attempts, with waits from 30 s to 8.5 h: a receiver may be away for 17 hours."""

WEBHOOK_TIMEOUT: Final = timedelta(seconds=20)
"""Of a delivery as a whole: the exchange has 10 s, and the secret may have to be read."""

ATTEMPTS: Final = 3


def refuse_names_of_ours(types: Iterable[JobType]) -> None:
    """Refuse, with DeclarationError, job types of an application that could be taken for Lanework's own."""
    for one in types:
        if one.queue == QUEUE_OF_OURS or any(name.startswith(OURS) for name in (one.name, *one.aliases)):
            msg = (
                f"job type {one.name!r} of queue {one.queue!r}: names that begin with {OURS} and the queue "
                f"{QUEUE_OF_OURS} are Lanework's own"
            )
            raise DeclarationError(msg)


def system_jobs(ports: Callable[[], Ports]) -> Jobs:
    """Return the family of Lanework's own jobs; their work is loaded, and `ports` asked for, when one runs."""
    family = Jobs(queue=QUEUE_OF_OURS, lane="low", attempts=ATTEMPTS)

    def declare(name: str, model: type[BaseModel], **options: Unpack[JobOptions]) -> None:
        def work(payload: BaseModel, run: Run) -> dict[str, Any]:
            from lanework.engine.builtin_jobs.handlers import HANDLERS  # noqa: PLC0415 - few processes ever run one

            return HANDLERS[name](payload, run, ports())

        work.__annotations__ |= {"payload": model, "run": Run}
        family.job(name, **options)(work)

    declare(REDRIVE, BulkRedrivePayload)
    declare(DROP, BulkRedrivePayload)
    declare(CLEAN, CleanupPayload)
    declare(ARCHIVE, ArchivePayload)
    declare(RELEASE, ReleasePayload, lane="high")
    declare(
        WEBHOOK,
        WebhookPayload,
        attempts=WEBHOOK_ATTEMPTS,
        backoff=WEBHOOK_BACKOFF,
        timeout=WEBHOOK_TIMEOUT,
        concurrency=Concurrency(1, key="host"),  # a slow receiver leaves the lane a worker
        discard_on=(ForbiddenAddressError, InvalidOptionError),
    )
    return family

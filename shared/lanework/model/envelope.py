"""What a message carries: the whole job, so that a worker reads nothing before it runs it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from lanework.errors import UndecodableError
from lanework.model.headers import Headers
from lanework.model.lanes import Lane
from lanework.model.refusals import problems_of
from lanework.model.wire import escaped

if TYPE_CHECKING:
    from lanework.model.states import JobRecord

LARGEST_PAYLOAD: Final = 256 * 1024
"""Bytes of JSON. The payload's item (at most 400 KB) and the message (at most 1 MiB) then fit with room to spare."""


class Envelope(BaseModel):
    """
    A message's body.

    Attributes:
        v: Version of this form.
        id: The job's id.
        life: The life that this message may start; a message of an earlier life is dropped.
        payload: The payload as JSON text, as the producer's model wrote it.
        version: Version of the payload, as the producer's code declares it.
        attempts: Most attempts.
        backoff: Wait before the second attempt.
        timeout: How long an attempt may take; None leaves it to the lane.
        created_at: When the job was enqueued, by the producer's clock.
        run_at: The start that was asked for; None for at once, so that no clock is compared with another.
        start_by: When the job is no longer worth starting; None never.
        tenant: On whose behalf; the message's group.
        headers: What goes along beside the payload, by name.
        webhook: Where its completion or death is told.
        digest: Of the request that it was asked for with, where that says more than its payload.
        ticket: A dead job's message in the DLQ, stamped with the life that a redrive begins.
        unrecorded: The ledger could not be reached at enqueue: whoever claims the job makes its record.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="float")

    v: Literal[1] = 1
    id: str
    type: str
    queue: str
    lane: Lane
    life: PositiveInt = 1
    payload: str = Field(max_length=LARGEST_PAYLOAD)
    version: PositiveInt = 1
    attempts: PositiveInt
    backoff: timedelta
    timeout: timedelta | None = None
    created_at: AwareDatetime
    run_at: AwareDatetime | None = None
    start_by: AwareDatetime | None = None
    tenant: str | None = None
    headers: Headers = ()
    webhook: str | None = None
    digest: str | None = Field(default=None, pattern="^[0-9a-f]{16}$")
    ticket: bool = False
    unrecorded: bool = False

    def encode(self) -> str:
        """Return the message body; defaults are left out. SQS takes it whatever the payload's text is."""
        return escaped(self.model_dump_json(exclude_defaults=True))

    @classmethod
    def decode(cls, body: str) -> Self:
        """
        Return the envelope that a message body holds.

        Raises:
            UndecodableError: The body isn't one; the message says where, and repeats nothing of the body.
        """
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            msg = f"not a Lanework message: {_problems(error)}"
            raise UndecodableError(msg) from None

    @classmethod
    def of(cls, record: JobRecord, payload: str) -> Self:
        """
        Return the message that carries a recorded job in its present life.

        Raises:
            UndecodableError: The record holds what no message may, such as one that another release wrote.
        """
        try:
            return cls(
                id=record.job_id,
                type=record.type,
                queue=record.queue,
                lane=record.lane,
                life=record.life,
                payload=payload,
                version=record.version,
                attempts=record.max_attempts,
                backoff=record.backoff_base,
                timeout=record.timeout,
                created_at=record.created_at,
                run_at=None if record.run_at == record.created_at else record.run_at,
                start_by=record.start_by,
                tenant=record.tenant,
                headers=record.headers,
                webhook=record.webhook,
            )
        except ValidationError as error:
            raise UndecodableError(_problems(error)) from None

    def as_ticket(self, *, life: int) -> Self:
        """Return the ticket for the dead-letter queue that begins the given life when SQS moves it back."""
        return self.model_copy(update={"ticket": True, "unrecorded": False, "life": life, "start_by": None})

    @property
    def asked_start(self) -> datetime:
        """The start that was asked for, or the moment of enqueue."""
        return self.created_at if self.run_at is None else self.run_at


def _problems(error: ValidationError) -> str:
    return "; ".join(problems_of(error, whole="body"))

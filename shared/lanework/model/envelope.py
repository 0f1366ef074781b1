"""What a message carries: the whole job, so that a worker reads nothing before it runs it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from lanework.errors import UndecodableError
from lanework.model.headers import Headers
from lanework.model.ids import OURS
from lanework.model.lanes import LARGEST_PAYLOAD, Lane
from lanework.model.refusals import problems_of
from lanework.model.wire import escaped

if TYPE_CHECKING:
    from lanework.model.states import JobRecord

__all__ = ["LARGEST_PAYLOAD", "Envelope"]


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
        nonce: What its record has, too, and nobody else can know: a message without it doesn't speak for the job.
        ticket: A dead job's message in the DLQ, stamped with the life that a redrive begins.
        unrecorded: The ledger could not be reached at enqueue: whoever claims the job makes its record.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, ser_json_timedelta="float")

    v: Literal[1] = 1
    id: str
    type: str
    queue: str
    lane: Lane
    life: PositiveInt = 1
    payload: str = Field(max_length=LARGEST_PAYLOAD)
    version: PositiveInt = 1
    attempts: PositiveInt
    backoff: timedelta = Field(strict=False)  # a number of seconds, which strictness doesn't take
    timeout: timedelta | None = Field(default=None, strict=False)
    created_at: AwareDatetime
    run_at: AwareDatetime | None = None
    start_by: AwareDatetime | None = None
    tenant: str | None = None
    headers: Headers = ()
    webhook: str | None = None
    digest: str | None = Field(default=None, pattern="^[0-9a-f]{16}$")
    nonce: str | None = None
    ticket: bool = False
    unrecorded: bool = False

    def encode(self) -> str:
        """Return the message body; defaults are left out. SQS takes it whatever the payload's text is."""
        return escaped(self.model_dump_json(exclude_defaults=True))

    @classmethod
    def decode(cls, body: str, *, lane: Lane | None = None) -> Self:
        """
        Return the envelope that a message body holds.

        Args:
            body: The body.
            lane: The lane whose queue, or dead-letter queue, it was received from, where that is known.

        Raises:
            UndecodableError: The body isn't one, or is of another lane; the message says where, and repeats nothing of
                the body.
        """
        from lanework.model.intake import in_utc, refusals_of  # noqa: PLC0415 - only where messages come in

        try:
            message = cls.model_validate_json(body)
        except ValidationError as error:
            msg = f"not a Lanework message: {_problems(error)}"
            raise UndecodableError(msg) from None
        wrong = [*refusals_of(message)]
        if lane not in (None, message.lane):
            wrong.append(f"lane: it lies in the queue of lane {lane}")
        if wrong:
            msg = f"not a Lanework message: {'; '.join(wrong)}"
            raise UndecodableError(msg)
        return in_utc(message)

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
                nonce=record.nonce,
            )
        except ValidationError as error:
            raise UndecodableError(_problems(error)) from None

    def as_ticket(self, *, life: int) -> Self:
        """Return the ticket for the dead-letter queue that begins the given life when SQS moves it back."""
        return self.model_copy(update={"ticket": True, "unrecorded": False, "life": life, "start_by": None})

    def speaks_for(self, record: JobRecord) -> bool:
        """Tell whether what it says of a recorded job counts: it has the record's nonce."""
        return self.nonce == record.nonce

    @property
    def may_make_a_record(self) -> bool:
        """Whether a job without a record may begin with it; Lanework's own are recorded before they are sent."""
        return self.unrecorded or (self.ticket and not self.type.startswith(OURS))

    @property
    def asked_start(self) -> datetime:
        """The start that was asked for, or the moment of enqueue."""
        return self.created_at if self.run_at is None else self.run_at


def _problems(error: ValidationError) -> str:
    return "; ".join(problems_of(error, whole="body"))

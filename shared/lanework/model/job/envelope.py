"""What a message carries: the whole job, so that a worker reads nothing before it runs it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from pydantic_core import from_json

from lanework.errors import InvalidOptionError, UndecodableError
from lanework.model.job.headers import Headers, with_headers
from lanework.model.job.ids import (
    OURS,
    QUEUE_OF_OURS,
    checked_job_type,
    checked_queue,
    checked_tenant,
    well_formed_job_id,
)
from lanework.model.job.sqs_text import escaped
from lanework.model.job.validation_errors import problems_of
from lanework.model.lanes import LARGEST_PAYLOAD, LONGEST_IN_WORKER, MOST_ATTEMPTS, Lane
from lanework.model.lifecycle.states import JobRecord
from lanework.model.retry.wait import Backoff
from lanework.model.webhooks import checked_webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LARGEST_PAYLOAD", "Envelope"]


class Envelope(BaseModel):
    """
    A message's body.

    Attributes:
        v: Version of this form.
        life: The life that this message may start; a message of an earlier life is dropped.
        payload: The payload as JSON text, as the producer's model wrote it.
        version: Version of the payload, as the producer's code declares it.
        backoff: Wait before the second attempt.
        timeout: How long an attempt may take; None leaves it to the lane.
        created_at: When the job was enqueued, by the producer's clock.
        run_at: The start that was asked for; None for at once, so that no clock is compared with another.
        tenant: On whose behalf; the message's group.
        request_digest: Of the request that it was asked for with, under an idempotency key.
        nonce: What its record has, too, and nobody else can know: a message without it doesn't speak for the job.
        ticket: A dead job's message in the DLQ, stamped with the life that a redrive begins.
        unrecorded: Whoever claims the job makes its record: its type has `record="start"`, or the ledger could not be
            reached at enqueue.
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
    request_digest: str | None = Field(default=None, pattern="^[0-9a-f]{16}$")
    nonce: str | None = None
    ticket: bool = False
    unrecorded: bool = False

    def encode(self) -> str:
        """Return the message body; defaults are left out. SQS takes it whatever the payload's text is."""
        return escaped(self.model_dump_json(exclude_defaults=True))

    @classmethod
    def decode(cls, body: str, *, lane: Lane | None = None) -> Self:
        """
        Return the envelope that a message body holds, received from a lane's queue or DLQ, where that is known.

        Raises:
            UndecodableError: The body isn't one, or is of another lane; the message says where, and repeats nothing of
                the body.
        """
        try:
            message = cls.model_validate_json(body)
        except ValidationError as error:
            msg = f"not a Lanework message: {_problems(error)}"
            raise UndecodableError(msg) from None
        wrong = [*refusals_of(message)]
        if lane not in (None, message.lane):
            wrong.append(f"lane: it is in the queue of lane {lane}")
        if wrong:
            msg = f"not a Lanework message: {'; '.join(wrong)}"
            raise UndecodableError(msg)
        return in_utc(message)

    @classmethod
    def of(cls, record: JobRecord, payload: str) -> Self:
        """Return the message that carries a recorded job in its present life; UndecodableError if none may say so."""
        try:
            return cls(
                payload=payload,
                run_at=None if record.run_at == record.created_at else record.run_at,
                **{name: getattr(record, of_record) for name, of_record in CARRIED.items()},
            )
        except ValidationError as error:
            raise UndecodableError(_problems(error)) from None

    def as_ticket(self, *, life: int) -> Self:
        """Return the ticket for the dead-letter queue that begins the given life when SQS moves it back."""
        return self.model_copy(update={"ticket": True, "unrecorded": False, "life": life, "start_by": None})

    def speaks_for(self, record: JobRecord) -> bool:
        """Tell whether what it says of a recorded job counts: it has the record's nonce, or neither has one."""
        return self.nonce == record.nonce and not (self.nonce is None and self.unrecorded)

    @property
    def carried(self) -> dict[str, Any]:
        """The fields of its record that it carries as they are, by the record's names."""
        return {of_record: getattr(self, name) for name, of_record in CARRIED.items()}

    @property
    def may_make_a_record(self) -> bool:
        """Whether a job without a record may begin with it; Lanework's own are recorded before they are sent."""
        return self.unrecorded or (self.ticket and not self.type.startswith(OURS))

    @property
    def asked_start(self) -> datetime:
        """The start that was asked for, or the moment of enqueue."""
        return self.created_at if self.run_at is None else self.run_at


_RENAMED: Final = {"id": "job_id", "attempts": "max_attempts", "backoff": "backoff_base"}
_OWN: Final = frozenset({"payload", "run_at"})
"""The record has these in a form of its own: a payload that may lie beside it, a start that every message has."""

CARRIED: Final = {
    name: _RENAMED.get(name, name)
    for name in Envelope.model_fields
    if name not in _OWN and _RENAMED.get(name, name) in {one.name for one in fields(JobRecord)}
}
"""Each field of a message that is its record's, and the record's name of it."""


def _problems(error: ValidationError) -> str:
    return "; ".join(problems_of(error, whole="body"))


EnvelopeT = TypeVar("EnvelopeT", bound="Envelope")

_MOST_LIVES: Final = 1_000_000
_LATEST_VERSION: Final = 2**31
_LONGEST_NONCE: Final = 64
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


def refusals_of(message: Envelope) -> Iterator[str]:
    """Yield what an enqueue would not have written, by its fields; no value is repeated."""
    checks: dict[str, bool] = {
        "id": _passes(well_formed_job_id, message.id),
        "type": _passes(checked_job_type, message.type),
        "queue": _passes(checked_queue, message.queue),
        "life": message.life <= _MOST_LIVES,
        "payload": len(message.payload.encode(errors="replace")) <= LARGEST_PAYLOAD,
        "version": message.version <= _LATEST_VERSION,
        "attempts": message.attempts <= MOST_ATTEMPTS,
        "backoff": _passes(lambda base: Backoff(base=base), message.backoff),
        "timeout": message.timeout is None or timedelta(0) < message.timeout <= LONGEST_IN_WORKER,
        "created_at": _is_kept(message.created_at),
        "run_at": message.run_at is None or _is_kept(message.run_at),
        "start_by": message.start_by is None or _is_kept(message.start_by),
        "headers": _passes(_checked_headers, message.headers),
        "nonce": message.nonce is None or 0 < len(message.nonce) <= _LONGEST_NONCE,
    }
    yield from (f"{field}: no enqueue writes this" for field, is_right in checks.items() if not is_right)
    yield from _refusals_of_kind(message)


def _refusals_of_kind(message: Envelope) -> Iterator[str]:
    """Yield what no message may be."""
    if message.unrecorded and (message.ticket or message.life != 1):
        yield "unrecorded: a first life, and no ticket"
    if message.unrecorded and (message.type.startswith(OURS) or message.queue == QUEUE_OF_OURS):
        yield "type: Lanework's own jobs are recorded before they are sent"


def refusals_of_first(message: Envelope) -> Iterator[str]:
    """Yield what speaks against a message whose words may become a record; of any other job the record has them."""
    if not _is_json(message.payload):
        yield "payload: not JSON"
    if message.tenant is not None and not _passes(checked_tenant, message.tenant):
        yield "tenant: no enqueue takes this"
    if message.webhook is not None and not _passes(checked_webhook, message.webhook):
        yield "webhook: no enqueue takes this"


def in_utc(message: EnvelopeT) -> EnvelopeT:
    """Return a message with its times in UTC: the index of recent jobs sorts them as text."""
    times = {name: getattr(message, name) for name in ("created_at", "run_at", "start_by")}
    other = {name: at.astimezone(UTC) for name, at in times.items() if at is not None and at.utcoffset()}
    return message.model_copy(update=other) if other else message


def _is_kept(moment: datetime) -> bool:
    return _EARLIEST <= moment < _LATEST


def _passes(check: Callable[[Any], object], value: object) -> bool:
    try:
        check(value)
    except InvalidOptionError:
        return False
    return True


def _checked_headers(headers: tuple[tuple[str, str], ...]) -> None:
    """Check headers as an enqueue does: each by itself, and their size together."""
    if len(dict(headers)) != len(headers):
        msg = "a header comes twice"
        raise InvalidOptionError(msg)
    with_headers((), dict(headers))


def _is_json(text: str) -> bool:
    try:
        from_json(text, allow_inf_nan=False)
    except ValueError:
        return False
    return True

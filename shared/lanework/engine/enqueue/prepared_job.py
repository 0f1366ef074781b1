"""A job between its request and its receipt: its message, its record, and what the caller gets to know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.jobtypes.arguments import LONGEST_DELAY
from lanework.engine.jobtypes.receipt import Receipt
from lanework.errors import InvalidOptionError
from lanework.model.events import Action
from lanework.model.job.envelope import Envelope
from lanework.model.job.guard_items import debounce_mark, quota_mark, unique_mark
from lanework.model.job.headers import with_headers
from lanework.model.job.ids import needs_record
from lanework.model.job.payload import public_part, written
from lanework.model.lanes import LANES
from lanework.model.lifecycle import dependency_moves, run_moves
from lanework.model.lifecycle.states import State
from lanework.model.limits import TENANT, Quota, fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import NewId
    from lanework.model.lifecycle.states import JobRecord

_SENT_LATER: Final = frozenset({State.SCHEDULED, State.BLOCKED})
"""The sweep sends these when it is time, or the end of a parent does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """A quota that a job counts against: its name for errors and logs, and the item that holds its window."""

    name: str
    item: str
    quota: Quota


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueKey:
    """
    What makes a job the same as another.

    Attributes:
        item: Name of the item that holds the job which has the key.
        keeps_last: The last job of the window runs (`debounce`), not the first (`unique_for`).
    """

    item: str
    window: timedelta
    keeps_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedJob:
    """
    One job on its way from request to receipt. Recording returns it changed where it finds a duplicate.

    Attributes:
        envelope: Its own message.
        record: The record to write. Of a duplicate, once that is known: the record of the job that exists.
        message: What to send; None where nothing is to be sent now.
        public: The payload's public fields, for the event.
        quotas: Its family's and its type's, each once.
        key: Its key, if it is unique or debounced.
        action: The event about it, with its `reason`.
    """

    request: Request
    envelope: Envelope
    record: JobRecord
    message: Envelope | None
    receipt: Receipt[Any]
    public: Mapping[str, object]
    quotas: tuple[QuotaUse, ...] = ()
    key: UniqueKey | None = None
    action: Action = Action.JOB_ENQUEUED
    reason: str | None = None

    @property
    def job_id(self) -> str:
        """Its own id, also if it is a duplicate of another job."""
        return self.envelope.id

    @property
    def has_new_id(self) -> bool:
        """Whether its id was made here, so that no other job can have it."""
        return self.request.job_id is None

    @property
    def is_limited(self) -> bool:
        """Whether a quota or a key decides if it may be recorded."""
        return self.key is not None or bool(self.quotas)

    @property
    def is_recorded_at_start(self) -> bool:
        """Whether its type says so; a schedule's run has an id that a message alone can't claim (rule 22)."""
        return self.request.is_recorded_at_start and not needs_record(self.job_id)


def prepare(
    request: Request, *, now: datetime, new_id: NewId, look_ahead: timedelta, nonce: str | None = None
) -> PreparedJob:
    """
    Return the job that a request makes; nothing is written yet. What starts after `look_ahead` is left to the sweep.

    Raises:
        InvalidPayloadError, TooLargeError: The payload can't be written as JSON, would not come back as it is, or is
            over 256 KB.
        InvalidOptionError: Its headers can't be used; it would not be worth starting when it is to start; or it
            has nothing to wait for.
    """
    wait = request.delay or request.debounce
    asked = now + wait if wait else request.run_at
    start = asked if asked is not None and asked > now else None
    envelope = _envelope(request, request.job_id or new_id(), now, start, nonce)
    record = _record(request, envelope, look_ahead)
    overdue = now - asked if asked is not None and asked < now else None
    job = PreparedJob(
        request=request,
        envelope=envelope,
        record=record,
        message=None if record.state in _SENT_LATER else envelope,
        receipt=Receipt(job_id=envelope.id, overdue=overdue),
        public=public_part(request.payload),
        reason=None if overdue is None else f"its start lay {overdue} in the past: it starts now",
    )
    if request.type.is_recorded_at_start:
        return _without_record(job)
    return _limited(job) if request.is_limited else job


def _without_record(job: PreparedJob) -> PreparedJob:
    """Return a job whose message makes its record, where it starts; nobody knows before whether it is a duplicate."""
    from lanework.engine.jobtypes.recorded_at_start import check_request  # noqa: PLC0415 - few types say it

    check_request(job.request, wait=job.record.run_at - job.record.created_at)
    if not job.is_recorded_at_start:
        return job
    message = job.envelope.model_copy(update={"unrecorded": True})
    return replace(job, message=message, receipt=replace(job.receipt, duplicate=None))


def _envelope(request: Request, job_id: str, now: datetime, start: datetime | None, nonce: str | None) -> Envelope:
    job_type, policy = request.type, request.policy
    return Envelope(
        id=job_id,
        type=job_type.name,
        queue=job_type.queue,
        lane=policy.lane,
        payload=written(job_type.name, job_type.model, request.payload, partly=request.takes is not None),
        version=job_type.version,
        attempts=policy.attempts,
        backoff=policy.backoff,
        timeout=None if policy.timeout == LANES[policy.lane].usual_job else policy.timeout,
        created_at=now,
        run_at=start,
        start_by=now + request.start_by if isinstance(request.start_by, timedelta) else request.start_by,
        tenant=request.tenant,
        headers=with_headers((), dict(request.headers)),
        webhook=policy.webhook,
        request_digest=request.digest,
        nonce=nonce,
    )


def _record(request: Request, envelope: Envelope, look_ahead: timedelta) -> JobRecord:
    wait = envelope.asked_start - envelope.created_at
    if wait > LONGEST_DELAY:
        msg = f"run_at must be within {LONGEST_DELAY.days} days, got {envelope.asked_start.isoformat()}"
        raise InvalidOptionError(msg)
    if envelope.start_by is not None and envelope.start_by <= envelope.asked_start:
        by, start = envelope.start_by.isoformat(), envelope.asked_start.isoformat()
        msg = f"start_by {by} is not after the start, {start}: it would never run"
        raise InvalidOptionError(msg)
    record = run_moves.new_record(envelope)
    if wait > look_ahead:
        record = replace(record, state=State.SCHEDULED, sweep_at=envelope.run_at)
    if request.after:
        record = dependency_moves.blocked(
            record, after=request.after, on_failure=request.on_failure, takes=request.takes
        )
    elif request.on_failure is not None:
        msg = "on_failure is for jobs with parents: give them, with after=[…]"
        raise InvalidOptionError(msg)
    return record if request.workflow is None else replace(record, workflow=request.workflow, slot=request.slot)


def _limited(job: PreparedJob) -> PreparedJob:
    """Return a job with its quotas and its key."""
    request = job.request
    payload = fields_of(request.payload.model_dump(mode="json", by_alias=False, warnings=False))
    quotas: dict[str, QuotaUse] = {}
    for bound in request.type.bounds:
        if isinstance(bound.limit, Quota):
            name = bound.name_for(payload, request.tenant)
            use = QuotaUse(name=name, item=quota_mark(name, bound.limit.per), quota=bound.limit)
            # Two of one length and key share their window, and the stricter one says what fits into it.
            quotas[use.item] = min(quotas.get(use.item, use), use, key=lambda one: one.quota.n)
    return replace(job, quotas=tuple(quotas.values()), key=_key(request, payload))


def _key(request: Request, payload: Mapping[str, object]) -> UniqueKey | None:
    values = [request.tenant if name == TENANT else payload.get(name) for name in request.type.key]
    if request.unique_for is not None:
        item = unique_mark(request.type.name, values)
        return UniqueKey(item=item, window=request.unique_for, keeps_last=False)
    if request.debounce is not None:
        item = debounce_mark(request.type.name, values)
        return UniqueKey(item=item, window=request.debounce, keeps_last=True)
    return None

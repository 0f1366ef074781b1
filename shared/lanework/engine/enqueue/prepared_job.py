"""A request on its way in: the message and the record that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lanework.engine.enqueue.guards import guards_of
from lanework.engine.jobtypes.arguments import LONGEST_DELAY
from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.errors import InvalidOptionError
from lanework.model.job.envelope import Envelope
from lanework.model.job.payload import public_part, written
from lanework.model.lanes import LANES
from lanework.model.lifecycle import dependency_moves, run_moves
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.enqueue.guards import Guards
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import NewId
    from lanework.model.lifecycle.states import JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    One job on its way in.

    Attributes:
        request: What was asked for.
        envelope: Its message.
        record: Its record.
        is_ours: The id was made here, so nobody else's job can have it.
        public: The payload's public fields.
        overdue: How long ago the asked start was, if it lay in the past.
        guards: What it must pass to be recorded; None if nothing.
    """

    request: Request
    envelope: Envelope
    record: JobRecord
    is_ours: bool
    public: Mapping[str, object]
    overdue: timedelta | None = None
    guards: Guards | None = None


def order_of(
    request: Request, *, now: datetime, new_id: NewId, look_ahead: timedelta, nonce: str | None = None
) -> Order:
    """
    Return the order that a request makes.

    Args:
        request: What was asked for.
        now: When.
        new_id: Gives the job's id, unless the request has one.
        look_ahead: What starts later is left to the sweep.
        nonce: What its record and its messages share.

    Raises:
        TooLargeError: The payload is over 256 KB.
        InvalidOptionError: It would not be worth starting at the time it is to start, or it has nothing to wait for.
    """
    policy = resolve_policy(request.options.over(request.type.options))
    wait = request.delay or request.debounce
    asked = now + wait if wait else request.run_at
    start = asked if asked is not None and asked > now else None
    if start is not None and start - now > LONGEST_DELAY:
        msg = f"run_at must lie within {LONGEST_DELAY.days} days, got {start.isoformat()}"
        raise InvalidOptionError(msg)
    start_by = now + request.start_by if isinstance(request.start_by, timedelta) else request.start_by
    if start_by is not None and start_by <= (start or now):
        msg = (
            f"start_by {start_by.isoformat()} is not after the start, {(start or now).isoformat()}: it would never run"
        )
        raise InvalidOptionError(msg)
    envelope = Envelope(
        id=request.job_id or new_id(),
        type=request.type.name,
        queue=request.type.queue,
        lane=policy.lane,
        payload=written(request.type.name, request.type.model, request.payload, partly=request.takes is not None),
        version=request.type.version,
        attempts=policy.attempts,
        backoff=policy.backoff,
        timeout=None if policy.timeout == LANES[policy.lane].usual_job else policy.timeout,
        created_at=now,
        run_at=start,
        start_by=start_by,
        tenant=request.tenant,
        headers=request.headers,
        webhook=policy.webhook,
        request_digest=request.digest,
        nonce=nonce,
    )
    record = run_moves.new_record(envelope)
    if start is not None and start - now > look_ahead:
        record = replace(record, state=State.SCHEDULED, sweep_at=start)
    if request.after:
        record = dependency_moves.blocked(
            record, after=request.after, on_failure=request.on_failure, takes=request.takes
        )
    if request.workflow is not None:
        record = replace(record, workflow=request.workflow, slot=request.slot)
    if request.on_failure is not None and not request.after:
        msg = "on_failure says what a job's parents do to it: give them, with after=[…]"
        raise InvalidOptionError(msg)
    return Order(
        request=request,
        envelope=envelope,
        record=record,
        is_ours=request.job_id is None,
        public=public_part(request.payload),
        overdue=now - asked if asked is not None and asked < now else None,
        guards=guards_of(request),
    )

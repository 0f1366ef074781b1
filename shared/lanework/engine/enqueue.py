"""
Recording a job and sending its message.

The record comes first, requiring absence, then the message. Enqueue answers only when something durable carries the
job: a message, or an entry for the sweep (protocol, rules 3 and 4). A caller that crashed between the two repeats
itself with the same id, and the job is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.ports import Sending, UnavailableOne
from lanework.engine.receipt import Receipt
from lanework.engine.registry import settled
from lanework.errors import EnqueueError, InvalidOptionError, UnavailableError
from lanework.model import interventions, moves
from lanework.model.change import Refused
from lanework.model.envelope import Envelope
from lanework.model.events import Action, Event
from lanework.model.lanes import LANES
from lanework.model.payload import public_part, written
from lanework.model.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanework.engine.jobs import Request
    from lanework.engine.ports import Ports
    from lanework.model.states import JobRecord

LONGEST_SQS_DELAY: Final = timedelta(minutes=15)
"""DelaySeconds goes up to 900 (SQS, SendMessage). What waits longer is sent by the sweep."""

LONGEST_DELAY: Final = timedelta(days=366 * 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One job on its way in. `is_ours`: the id was made here, so nobody else's job can have it."""

    envelope: Envelope
    record: JobRecord
    is_ours: bool
    public: Mapping[str, object]


class Enqueuer:
    """Records jobs and sends their messages."""

    def __init__(self, ports: Ports) -> None:
        """Take the ports."""
        self._ledger = ports.ledger
        self._lanes = ports.lanes
        self._clock = ports.clock
        self._new_id = ports.new_id
        self._events = ports.events

    def enqueue(self, request: Request) -> Receipt[Any]:
        """
        Enqueue one job.

        Raises:
            TooLargeError: The payload is over 256 KB.
            InvalidOptionError: The delay can't be used.
            EnqueueError: Neither recorded nor sent.
        """
        order = self._order(request)
        try:
            existing = self._ledger.put(order.record)
        except UnavailableError as error:
            return self._send_unrecorded(order, error)
        if existing is not None and not order.is_ours:
            return self._repeat(order, existing)
        if order.record.state is not State.SCHEDULED:
            self._send(order.record, order.envelope)
        self._emit(Action.ENQUEUED, order)
        return Receipt(job_id=order.envelope.id)

    def enqueue_many(self, requests: Sequence[Request]) -> list[Receipt[Any]]:
        """
        Enqueue jobs: all puts before all sends (rule 11), a repeated id among them counted as a duplicate.

        Raises:
            TooLargeError, InvalidOptionError: One of them can't be enqueued; nothing was.
            EnqueueError: Some were neither recorded nor sent; the others were.
        """
        orders = [self._order(request) for request in requests]
        first: dict[str, _Order] = {}
        for order in orders:
            first.setdefault(order.envelope.id, order)
        new = list(first.values())
        answers = dict(zip(first, self._ledger.put_many([order.record for order in new]), strict=True))
        duplicates = self._send_all(new, answers)
        seen: set[str] = set()
        receipts: list[Receipt[Any]] = []
        for order in orders:
            job_id = order.envelope.id
            receipts.append(Receipt(job_id=job_id, duplicate=job_id in duplicates or job_id in seen))
            seen.add(job_id)
        return receipts

    def _order(self, request: Request) -> _Order:
        now = self._clock()
        delay = _checked_delay(request.delay)
        policy = settled(request.options.over(request.type.options))
        envelope = Envelope(
            id=request.job_id or self._new_id(),
            type=request.type.name,
            queue=request.type.queue,
            lane=policy.lane,
            payload=written(request.payload),
            version=request.type.version,
            attempts=policy.attempts,
            backoff=policy.backoff,
            timeout=None if policy.timeout == LANES[policy.lane].usual_job else policy.timeout,
            created_at=now,
            run_at=now + delay if delay else None,
        )
        record = moves.new_record(envelope)
        if delay > LONGEST_SQS_DELAY:
            record = replace(record, state=State.SCHEDULED, sweep_at=record.run_at)
        return _Order(
            envelope=envelope,
            record=record,
            is_ours=request.job_id is None,
            public=public_part(request.payload),
        )

    def _repeat(self, order: _Order, existing: JobRecord) -> Receipt[Any]:
        """Answer a repeated id; send again what was never claimed, since its message may never have left."""
        if existing.state is State.QUEUED and existing.life == 1 and existing.claim_id is None:
            try:
                payload = self._ledger.payload_of(existing)
            except UnavailableError as error:
                raise EnqueueError(existing.job_id, f"recorded before, but not sent again: {error}") from error
            self._send(existing, Envelope.of(existing, order.envelope.payload if payload is None else payload))
        self._emit(Action.REPEATED, order)
        return Receipt(job_id=existing.job_id, duplicate=True)

    def _send(self, record: JobRecord, envelope: Envelope) -> None:
        try:
            self._lanes.send(record.lane, self._sending(envelope))
        except UnavailableError as error:
            self._leave_to_sweep(record, error)

    def _leave_to_sweep(self, record: JobRecord, reason: UnavailableError) -> None:
        try:
            change = interventions.leave_to_sweep(record, at=max(record.run_at, self._clock()))
            answer = self._ledger.change(record.job_id, change)
        except UnavailableError as error:
            raise EnqueueError(record.job_id, f"recorded but not sent ({reason}), and then {error}") from error
        if isinstance(answer, Refused):
            return  # it was claimed meanwhile: its message had been sent after all
        self._events.emit(Event.about(record, Action.LEFT_TO_SWEEP, at=self._clock(), reason=str(reason)))

    def _send_unrecorded(self, order: _Order, reason: UnavailableError) -> Receipt[Any]:
        """Send a message that tells its worker to make the record: the ledger is out of reach (rule 6)."""
        envelope = order.envelope.model_copy(update={"unrecorded": True})
        try:
            self._lanes.send(envelope.lane, self._sending(envelope))
        except UnavailableError as error:
            raise EnqueueError(envelope.id, f"not recorded ({reason}) and not sent ({error})") from error
        self._emit(Action.ENQUEUED, order, reason=f"unrecorded: {reason}")
        return Receipt(job_id=envelope.id)

    def _send_all(self, orders: Sequence[_Order], answers: Mapping[str, JobRecord | UnavailableOne | None]) -> set[str]:
        """Send what was recorded, lane by lane; return the ids that existed before."""
        duplicates: set[str] = set()
        failed: dict[str, str] = {}
        to_send: list[tuple[_Order, Envelope]] = []
        for order in orders:
            match answers[order.envelope.id]:
                case None:
                    to_send.append((order, order.envelope))
                case UnavailableOne():
                    to_send.append((order, order.envelope.model_copy(update={"unrecorded": True})))
                case existing if order.is_ours:
                    to_send.append((order, order.envelope))
                case existing:
                    duplicates.add(existing.job_id)
                    try:
                        self._repeat(order, existing)
                    except EnqueueError as error:
                        failed[existing.job_id] = str(error)
        for lane in {order.record.lane for order, _ in to_send}:
            failed |= self._send_lane([(order, envelope) for order, envelope in to_send if order.record.lane is lane])
        if failed:
            job_id, reason = next(iter(failed.items()))
            raise EnqueueError(job_id, f"{reason} ({len(failed)} of {len(orders)} jobs were not enqueued)")
        return duplicates

    def _send_lane(self, batch: Sequence[tuple[_Order, Envelope]]) -> dict[str, str]:
        """Send messages of one lane; return the ids that nothing carries now, with the reason."""
        held = [one for one in batch if one[0].record.state is not State.SCHEDULED or one[1].unrecorded]
        lost: dict[str, str] = {}
        refused = (
            self._lanes.send_many(held[0][0].record.lane, [self._sending(envelope) for _, envelope in held])
            if held
            else {}
        )
        for index, reason in refused.items():
            order, envelope = held[index]
            if envelope.unrecorded:
                lost[envelope.id] = f"neither recorded nor sent: {reason}"
                continue
            try:
                self._leave_to_sweep(order.record, UnavailableError(reason))
            except EnqueueError as error:
                lost[envelope.id] = str(error)
        for order, envelope in batch:
            if envelope.id not in lost:
                self._emit(Action.ENQUEUED, order)
        return lost

    def _sending(self, envelope: Envelope) -> Sending:
        if envelope.run_at is None:
            return Sending(body=envelope.encode())
        left = max(envelope.run_at - self._clock(), timedelta(0))
        return Sending(body=envelope.encode(), delay=min(left, LONGEST_SQS_DELAY))

    def _emit(self, action: Action, order: _Order, *, reason: str | None = None) -> None:
        self._events.emit(Event.about(order.record, action, at=self._clock(), reason=reason, public=order.public))


def _checked_delay(delay: timedelta | None) -> timedelta:
    if delay is None:
        return timedelta(0)
    if not timedelta(0) <= delay <= LONGEST_DELAY:
        msg = f"delay must lie between 0 and {LONGEST_DELAY.days} days, got {delay}"
        raise InvalidOptionError(msg)
    return delay

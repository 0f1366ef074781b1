"""
Recording a job and sending its message.

The record comes first, requiring absence, then the message. Enqueue answers only when something durable carries the
job: a message, or an entry for the sweep (protocol, rules 3 and 4). A caller that crashed between the two repeats
itself with the same id, and the job is sent again.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lanework.engine.enqueue.prepared_job import order_of
from lanework.engine.enqueue.recorded import Placed, Placer, check_type
from lanework.engine.enqueue.uniqueness_and_quota import Gate
from lanework.engine.ports.ledger import UnavailableOne
from lanework.engine.ports.messages import LONGEST_SQS_DELAY, OutgoingMessage
from lanework.errors import (
    ConfigError,
    EnqueueError,
    JobIdTakenError,
    QuotaExceededError,
    UnavailableError,
    UnsendableError,
)
from lanework.model.events import Action, Event
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanework.engine.enqueue.parents import Parents
    from lanework.engine.enqueue.prepared_job import Order
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports
    from lanework.errors import LaneworkError
    from lanework.model.job.envelope import Envelope
    from lanework.model.lifecycle.states import JobRecord


class Enqueuer:
    """Records jobs and sends their messages."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._look_ahead = ports.look_ahead
        self._ledger = ports.ledger
        self._lanes = ports.lanes
        self._clock = ports.clock
        self._new_id = ports.new_id
        self._new_nonce = ports.new_nonce
        self._events = ports.events
        self._placer = Placer(ports.ledger, Gate(ports))

    def enqueue(self, request: Request) -> Receipt[Any]:
        """
        Enqueue one job.

        Raises:
            TooLargeError: The payload is over 256 KB.
            InvalidOptionError: The delay can't be used.
            QuotaExceededError: A quota of its is used up.
            JobIdTakenError: A job of another type has its id.
            UnknownParentError: It waits for a job that doesn't exist.
            EnqueueError: Neither recorded nor sent; or SQS refuses its message for what it is, and it is dead.
        """
        if request.after:
            return self.enqueue_many([request])[0]
        order = self._order(request)
        placed = self._place(order)
        if placed.message is not None:
            try:
                self._lanes.send(placed.record.lane, self._sending(placed.message))
            except (UnavailableError, UnsendableError, ConfigError) as error:
                self._make_up_for(placed, error)
        self._log_event(placed)
        return placed.receipt

    def enqueue_many(self, requests: Sequence[Request]) -> list[Receipt[Any]]:
        """
        Enqueue jobs: all puts before all sends (rule 11), a repeated id or key among them counted as a duplicate.

        They may wait for each other, in any order.

        Raises:
            TooLargeError, InvalidOptionError, UnknownParentError: One of them can't be enqueued; nothing was.
            EnqueueError: Some were neither recorded nor sent; the others were, if no quota refused them.
            QuotaExceededError: Some were refused by a quota; the others were enqueued.
            JobIdTakenError: Jobs of other types have the ids of some; the others were enqueued. None was if two types
                among them have the same id.
        """
        orders = [self._order(request) for request in requests]
        first: dict[str, Order] = {}
        for order in orders:
            check_type(order.request, first.setdefault(order.envelope.id, order).record)
        joined = self._joined(list(first.values()))
        placed, lost, refused = self._place_all(joined)
        lost |= self._send_all(placed.values())
        for one in placed.values():
            if one.record.job_id not in lost:
                self._log_event(one)
        if any(order.record.after for order in joined):
            self._parents.look(joined, {job_id for job_id, one in placed.items() if one.receipt.duplicate})
        if lost:
            error = next(iter(lost.values()))
            reason = f"{error.reason} ({len(lost)} of {len(first)} jobs were not enqueued)"
            raise EnqueueError(error.job_id, reason, is_final=all(one.is_final for one in lost.values()))
        if refused:
            raise _first_of(refused, orders)
        seen: set[str] = set()
        receipts: list[Receipt[Any]] = []
        for order in orders:
            job_id = order.envelope.id
            one = placed[job_id]
            receipts.append(one.receipt if job_id not in seen else one.repeated_by(first[job_id], order))
            seen.add(job_id)
        return receipts

    def _order(self, request: Request) -> Order:
        return order_of(
            request,
            now=self._clock(),
            new_id=self._new_id,
            look_ahead=self._look_ahead,
            nonce=self._new_nonce(),
        )

    @cached_property
    def _parents(self) -> Parents:
        from lanework.engine.enqueue.parents import Parents  # noqa: PLC0415 - few jobs wait for others

        return Parents(self._ports)

    def _joined(self, orders: Sequence[Order]) -> list[Order]:
        if not any(order.request.after for order in orders):
            return list(orders)
        try:
            return self._parents.joined(orders)
        except UnavailableError as error:
            waiting = next(order for order in orders if order.record.after)
            raise EnqueueError(waiting.envelope.id, f"what it waits for is out of reach: {error}") from error

    def _place(self, order: Order) -> Placed:
        if order.guards is not None:
            try:
                return self._placer.under_guards(order, order.guards)
            except QuotaExceededError as error:
                self._emit(order.record, Action.JOB_OVER_QUOTA, reason=str(error), public=order.public)
                raise
        try:
            existing = self._ledger.put(order.record)
        except UnavailableError as error:
            return self._placer.unrecorded(order, str(error))
        return self._placer.after_put(order, existing)

    def _place_all(
        self, orders: Sequence[Order]
    ) -> tuple[dict[str, Placed], dict[str, EnqueueError], dict[str, QuotaExceededError | JobIdTakenError]]:
        """Record jobs; return them by their orders' ids, with errors those that are lost, and that were refused."""
        plain = [order for order in orders if order.guards is None]
        answers = self._ledger.put_many([order.record for order in plain])
        put = {order.envelope.id: answer for order, answer in zip(plain, answers, strict=True)}
        placed: dict[str, Placed] = {}
        lost: dict[str, EnqueueError] = {}
        refused: dict[str, QuotaExceededError | JobIdTakenError] = {}
        for order in orders:
            job_id = order.envelope.id
            try:
                placed[job_id] = self._placed(order, put[job_id]) if job_id in put else self._place(order)
            except EnqueueError as error:
                lost[job_id] = error
            except (QuotaExceededError, JobIdTakenError) as error:
                refused[job_id] = error
        return placed, lost, refused

    def _placed(self, order: Order, answer: JobRecord | UnavailableOne | None) -> Placed:
        if isinstance(answer, UnavailableOne):
            return self._placer.unrecorded(order, answer.reason)
        return self._placer.after_put(order, answer)

    def _send_all(self, placed: Iterable[Placed]) -> dict[str, EnqueueError]:
        """Send messages, lane by lane; return the ids that nothing carries now, with the error."""
        to_send = [one for one in placed if one.message is not None]
        lost: dict[str, EnqueueError] = {}
        for lane in dict.fromkeys(one.record.lane for one in to_send):
            batch = [one for one in to_send if one.record.lane is lane]
            sendings = [self._sending(one.message) for one in batch if one.message is not None]
            for index, unsent in self._lanes.send_many(lane, sendings).items():
                try:
                    self._make_up_for(batch[index], unsent.error)
                except EnqueueError as error:
                    lost[batch[index].record.job_id] = error
        return lost

    def _make_up_for(self, placed: Placed, unsent: LaneworkError) -> None:
        """Leave a job whose message could not be sent to the sweep; end one that no later try could send."""
        job_id = placed.record.job_id
        is_final = isinstance(unsent, UnsendableError)
        if placed.message is not None and placed.message.unrecorded:
            reason = f"not recorded ({placed.reason}) and not sent ({unsent})"
            raise EnqueueError(job_id, reason, is_final=is_final) from unsent
        try:
            if is_final:
                self._end(placed.record, unsent)
                return
            entry = operator_moves.leave_to_sweep(placed.record, at=max(placed.record.run_at, self._clock()))
            answer = self._ledger.change(job_id, entry)
        except UnavailableError as error:
            raise EnqueueError(job_id, f"recorded but not sent ({unsent}), and then {error}") from error
        if isinstance(answer, Refused):
            return  # it was claimed meanwhile: its message had been sent after all
        self._emit(placed.record, Action.JOB_SEND_DEFERRED, reason=str(unsent))

    def _end(self, record: JobRecord, unsent: LaneworkError) -> None:
        from lanework.engine.enqueue.unsendable import end_unsendable  # noqa: PLC0415 - loads where it is needed, if ever

        if end_unsendable(record, str(unsent), self._ports):
            reason = f"recorded as dead, cause unsendable: {unsent}"
            raise EnqueueError(record.job_id, reason, is_final=True) from unsent

    def _sending(self, envelope: Envelope) -> OutgoingMessage:
        left = timedelta(0) if envelope.run_at is None else max(envelope.run_at - self._clock(), timedelta(0))
        return OutgoingMessage.of(envelope, delay=min(left, LONGEST_SQS_DELAY))

    def _log_event(self, placed: Placed) -> None:
        self._emit(placed.record, placed.action, reason=placed.reason, public=placed.public)

    def _emit(
        self, record: JobRecord, action: Action, *, reason: str | None, public: Mapping[str, object] | None = None
    ) -> None:
        self._events.emit(Event.about(record, action, at=self._clock(), reason=reason, public=public))


def _first_of(
    refused: Mapping[str, QuotaExceededError | JobIdTakenError], orders: Sequence[Order]
) -> QuotaExceededError | JobIdTakenError:
    """Return what was said to the first of many, with how many were refused."""
    places = tuple(index for index, order in enumerate(orders) if order.envelope.id in refused)
    error = refused[orders[places[0]].envelope.id]
    if isinstance(error, JobIdTakenError):
        rest = (
            f" ({len(places)} of {len(orders)} jobs were refused, the others were enqueued)" if len(orders) > 1 else ""
        )
        return JobIdTakenError(error.job_id, error.job_type, taken_by=error.taken_by, rest=rest)
    n, per, retry_at = error.n, error.per, error.retry_at
    return QuotaExceededError(error.quota, n=n, per=per, retry_at=retry_at, refused=places, of=len(orders))

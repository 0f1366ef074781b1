"""
Recording jobs and sending their messages.

The record comes first, requiring absence, then the message. Enqueue answers only when something durable carries the
job: a message, or an entry for the sweep (protocol, rules 3 and 4). A caller that crashed between the two repeats
itself with the same id, and the job is sent again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from lanework.engine.enqueue.prepared_job import prepare
from lanework.engine.ports.ledger import UnavailableOne
from lanework.engine.ports.messages import LONGEST_SQS_DELAY, OutgoingMessage, Unsent
from lanework.errors import (
    ConfigError,
    EnqueueError,
    JobIdTakenError,
    QuotaExceededError,
    UnavailableError,
    UnsendableError,
)
from lanework.model.events import Action
from lanework.model.job.ids import OURS, needs_record
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanework.engine.enqueue.inline_fallback import Answered
    from lanework.engine.enqueue.prepared_job import PreparedJob
    from lanework.engine.jobtypes.middleware import Middleware
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.transaction_items import TransactionItems
    from lanework.errors import LaneworkError
    from lanework.model.job.envelope import Envelope
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import JobRecord

Failure = EnqueueError | QuotaExceededError | JobIdTakenError


class Enqueuer:
    """Records jobs and sends their messages."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def enqueue(self, request: Request) -> Receipt[Any]:
        """Enqueue one job: as `enqueue_many` of one, whose own error is raised."""
        return self.enqueue_many([request])[0]

    def enqueue_many(self, requests: Sequence[Request], items: TransactionItems | None = None) -> list[Receipt[Any]]:
        """
        Enqueue jobs: all puts before all sends (rule 11), a repeated id or key among them counted as a duplicate.

        They may wait for each other, in any order. One alone is a put and a send; many share calls. Items of the
        caller's are written in one transaction with a job's record (`with_items.record_with` has the further errors).

        Raises:
            TooLargeError, InvalidOptionError, LaneLeftOutError, UnknownParentError: One of them can't be enqueued;
                nothing was.
            EnqueueError: Some were neither recorded nor sent, or SQS refuses their messages for what they are and they
                are dead; the others were enqueued, if no quota refused them.
            QuotaExceededError: Some were refused by a quota; the others were enqueued.
            JobIdTakenError: Jobs of other types have the ids of some; the others were enqueued. None was if two types
                among them have the same id.
        """
        for request in requests:
            self._ports.check_lane(request.policy.lane)
        ports, prepared = self._ports, partial(prepare, new_id=self._ports.new_id, look_ahead=self._ports.look_ahead)
        asked = [prepared(request, now=ports.clock(), nonce=ports.new_nonce()) for request in requests]
        if items is not None:
            from lanework.engine.enqueue.with_items import bound_to, record_with  # noqa: PLC0415 - few jobs have any

            asked = bound_to(asked, items)
        jobs = _with_different_ids(asked)
        is_waiting = any(job.request.after for job in jobs)
        if is_waiting:
            jobs = self._attached(jobs)
        recorded: list[PreparedJob]
        failed: dict[str, Failure]
        if items is not None:
            recorded, failed = [record_with(jobs[0], items, ports)], {}
        elif len(jobs) > 1 and jobs[0].request.digest is not None:
            from lanework.engine.enqueue.keyed_request import record_keyed  # noqa: PLC0415 - few requests have a key

            recorded, failed = record_keyed(jobs, self._record)
        else:
            recorded, failed = self._record(jobs)
        failed |= self._send(recorded)
        for job in recorded:
            if job.job_id not in failed:
                ports.emit(job.action, job.record, reason=job.reason, public=job.public)
        if is_waiting:
            self._look_at_parents(jobs, recorded)
        if failed:
            raise _error_of(failed, asked)
        return _receipts(asked, recorded)

    def enqueue_or_run(
        self, requests: Sequence[Request], *, middleware: Sequence[Middleware], answers: dict[object, Answered]
    ) -> list[Receipt[Any]]:
        """
        Enqueue as `enqueue_many` does; a single job that can't be enqueued runs here and now, if it asks for it.

        `answers` holds what became of such jobs in one call of the application's, however often middleware proceeds.
        """
        if len(requests) != 1 or not requests[0].runs_inline:
            return self.enqueue_many(requests)
        from lanework.engine.enqueue.inline_fallback import enqueue_once  # noqa: PLC0415 - few jobs ask for it

        return [enqueue_once(requests[0], self.enqueue, self._ports, middleware, answers)]

    def _attached(self, jobs: list[PreparedJob]) -> list[PreparedJob]:
        """Return jobs whose parents know of them."""
        from lanework.engine.enqueue.parents import attached  # noqa: PLC0415 - few jobs wait for others

        try:
            return attached(jobs, self._ports)
        except UnavailableError as error:
            waiting = next(job for job in jobs if job.record.after)
            raise EnqueueError(waiting.job_id, f"what it waits for is out of reach: {error}") from error

    def _look_at_parents(self, jobs: Sequence[PreparedJob], recorded: Sequence[PreparedJob]) -> None:
        from lanework.engine.enqueue.parents import look_at_parents  # noqa: PLC0415 - as above

        look_at_parents(jobs, {job.job_id for job in recorded if job.receipt.duplicate}, self._ports)

    def _record(self, jobs: Sequence[PreparedJob]) -> tuple[list[PreparedJob], dict[str, Failure]]:
        """Record jobs; return them as they were recorded, and by their ids the errors of those that were not."""
        plain = [job for job in jobs if not (job.is_limited or job.is_recorded_at_start)]
        answers = dict(zip([job.job_id for job in plain], self._put([job.record for job in plain]), strict=True))
        recorded: list[PreparedJob] = []
        failed: dict[str, Failure] = {}
        for job in jobs:
            try:
                recorded.append(self._recorded(job, answers.get(job.job_id)))
            except (EnqueueError, QuotaExceededError, JobIdTakenError) as error:
                failed[job.job_id] = error
        return recorded, failed

    def _put(self, records: Sequence[JobRecord]) -> list[JobRecord | UnavailableOne | None]:
        if len(records) != 1:
            return self._ports.ledger.put_many(records) if records else []
        try:
            return [self._ports.ledger.put(records[0])]
        except UnavailableError as error:
            return [UnavailableOne(str(error))]

    def _recorded(self, job: PreparedJob, answer: JobRecord | UnavailableOne | None) -> PreparedJob:
        """Return what became of a job by the ledger's answer; one with a quota or a key is recorded here."""
        if job.is_limited:
            from lanework.engine.enqueue.uniqueness_and_quota import record_limited  # noqa: PLC0415 - few job types

            return record_limited(job, self._ports)
        if isinstance(answer, UnavailableOne):
            return _unrecorded(job, answer.reason)
        if answer is None or job.has_new_id:
            return job
        from lanework.engine.enqueue.duplicates import duplicate_of  # noqa: PLC0415 - few ids are repeated

        return duplicate_of(answer, job, self._ports.ledger)

    def _send(self, jobs: Sequence[PreparedJob]) -> dict[str, Failure]:
        """Send messages, lane by lane; return by their ids the errors of the jobs that nothing carries now."""
        failed: dict[str, Failure] = {}
        to_send = [(job, job.message) for job in jobs if job.message is not None]
        for lane in dict.fromkeys(job.record.lane for job, _ in to_send):
            batch = [(job, message) for job, message in to_send if job.record.lane is lane]
            for index, unsent in self._send_batch(lane, [message for _, message in batch]).items():
                job, message = batch[index]
                try:
                    self._make_up_for(job, message, unsent.error)
                except EnqueueError as error:
                    failed[job.job_id] = error
        return failed

    def _send_batch(self, lane: Lane, messages: Sequence[Envelope]) -> dict[int, Unsent]:
        """Send messages of one lane; return those that were not sent, by index."""
        now = self._ports.clock()
        delays = [max((message.run_at or now) - now, timedelta(0)) for message in messages]
        outgoing = [
            OutgoingMessage.of(message, delay=min(delay, LONGEST_SQS_DELAY))
            for message, delay in zip(messages, delays, strict=True)
        ]
        if len(outgoing) != 1:
            return self._ports.lanes.send_many(lane, outgoing)
        try:
            self._ports.lanes.send(lane, outgoing[0])
        except (UnavailableError, UnsendableError, ConfigError) as error:
            return {0: Unsent(error)}
        return {}

    def _make_up_for(self, job: PreparedJob, message: Envelope, unsent: LaneworkError) -> None:
        """Leave a job whose message could not be sent to the sweep; end one that no later try could send."""
        is_final = isinstance(unsent, UnsendableError)
        job_id = job.record.job_id
        if job.is_recorded_at_start:
            from lanework.engine.enqueue.recorded_at_start import record_unsent  # noqa: PLC0415 - SQS is seldom away

            record_unsent(job, unsent, self._ports)
            return
        if message.unrecorded:
            reason = f"not recorded ({job.reason}) and not sent ({unsent})"
            raise EnqueueError(job_id, reason, is_final=is_final) from unsent
        try:
            if is_final:
                self._end(job.record, unsent)
                return
            entry = operator_moves.leave_to_sweep(job.record, at=max(job.record.run_at, self._ports.clock()))
            answer = self._ports.ledger.change(job_id, entry)
        except UnavailableError as error:
            raise EnqueueError(job_id, f"recorded but not sent ({unsent}), and then {error}") from error
        if isinstance(answer, Refused):
            return  # it was claimed meanwhile: its message had been sent after all
        self._ports.emit(Action.JOB_SEND_DEFERRED, job.record, reason=str(unsent))

    def _end(self, record: JobRecord, unsent: LaneworkError) -> None:
        from lanework.engine.enqueue.unsendable import end_unsendable  # noqa: PLC0415 - loads where it is needed, if ever

        if end_unsendable(record, str(unsent), self._ports):
            reason = f"recorded as dead, cause unsendable: {unsent}"
            raise EnqueueError(record.job_id, reason, is_final=True) from unsent


def _with_different_ids(asked: Sequence[PreparedJob]) -> list[PreparedJob]:
    """Return the first job of each id; JobIdTakenError if two types have the same."""
    first: dict[str, PreparedJob] = {}
    for job in asked:
        earlier = first.setdefault(job.job_id, job)
        if earlier is not job:
            from lanework.engine.enqueue.duplicates import check_type  # noqa: PLC0415 - few ids are repeated

            check_type(job.request, earlier.record)
    return list(first.values())


def _unrecorded(job: PreparedJob, reason: str) -> PreparedJob:
    """
    Return a job whose worker makes the record, as its message says: the ledger is out of reach (rule 6).

    Raises:
        EnqueueError: The job waits for others, which a message can't; or it, or its id, is one of Lanework's own.
    """
    if job.envelope.type.startswith(OURS):  # no worker would take it: anybody who may send could write it
        raise EnqueueError(job.job_id, f"{reason}; Lanework's own jobs are not sent unrecorded")
    if job.record.after or job.record.has_children or job.record.workflow is not None:
        why = f"{reason}; a job that waits for others, or that others wait for, can't be sent unrecorded"
        raise EnqueueError(job.job_id, why)
    if needs_record(job.job_id):  # of such a message, which anybody could have sent, no worker makes one
        raise EnqueueError(job.job_id, f"{reason}; a job under an id of Lanework's own is not sent unrecorded")
    message = job.envelope.model_copy(update={"unrecorded": True})
    receipt = job.receipt if job.has_new_id else replace(job.receipt, duplicate=None)
    return replace(job, message=message, receipt=receipt, reason=f"unrecorded: {reason}")


def _receipts(asked: Sequence[PreparedJob], recorded: Sequence[PreparedJob]) -> list[Receipt[Any]]:
    """Return the receipts of jobs that are all recorded; one whose id came before in the call is a duplicate."""
    by_id = {job.job_id: job for job in recorded}
    seen: set[str] = set()
    receipts: list[Receipt[Any]] = []
    for job in asked:
        first = by_id[job.job_id]
        receipt = first.receipt
        if job.job_id in seen:
            differs = receipt.payload_differs or first.envelope.payload != job.envelope.payload
            receipt = replace(receipt, duplicate=True, payload_differs=differs)
        seen.add(job.job_id)
        receipts.append(receipt)
    return receipts


def _error_of(failed: Mapping[str, Failure], asked: Sequence[PreparedJob]) -> Failure:
    """Return what was said to the first of those that failed, with how many did; those that are lost come first."""
    if len(asked) == 1:
        return failed[asked[0].job_id]
    lost = [error for error in failed.values() if isinstance(error, EnqueueError)]
    if lost:
        of = len({job.job_id for job in asked})
        reason = f"{lost[0].reason} ({len(lost)} of {of} jobs were not enqueued)"
        return EnqueueError(lost[0].job_id, reason, is_final=all(one.is_final for one in lost))
    places = tuple(index for index, job in enumerate(asked) if job.job_id in failed)
    error = failed[asked[places[0]].job_id]
    if isinstance(error, QuotaExceededError):
        n, per, retry_at = error.n, error.per, error.retry_at
        return QuotaExceededError(error.quota, n=n, per=per, retry_at=retry_at, refused=places, of=len(asked))
    if isinstance(error, JobIdTakenError):
        rest = f" ({len(places)} of {len(asked)} jobs were refused, the others were enqueued)"
        return JobIdTakenError(error.job_id, error.job_type, taken_by=error.taken_by, rest=rest)
    return error

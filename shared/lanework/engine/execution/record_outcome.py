"""Recording how an attempt ended, in the order that loses nothing: first the ledger, then what carries the job on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, assert_never, cast

from lanework.engine.dependencies.release_dependents import follow_up
from lanework.engine.execution.outcome import Awaiting, Cancelled, Doomed, Failed, Returned, Snoozed
from lanework.engine.execution.start_checks import LOOK_AGAIN, keep_payload
from lanework.engine.limits.acquire import Booked, NoSlot
from lanework.engine.messaging.delivery import Ack, Nack
from lanework.engine.messaging.resend import dispatch
from lanework.engine.webhooks.notify import end_with_ticket, notify_of_end
from lanework.errors import ConfigError, UnavailableError
from lanework.model.events import Action
from lanework.model.lifecycle import park_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import JobRecord
from lanework.model.retry.wait import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from lanework.engine.execution.outcome import Outcome
    from lanework.engine.messaging.delivery import Report
    from lanework.engine.messaging.message_events import MessageEvents
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.envelope import Envelope
    from lanework.model.lifecycle.change import Answer, Change

LONGEST_HELD: Final = timedelta(minutes=15)
"""What waits longer leaves the queue for the sweep index; up to here a message carries it (SQS, DelaySeconds)."""

_PAUSES_S: Final = (0.1, 0.3, 0.9)
"""Between the first tries to write an outcome, which stay within what an invocation keeps back for it."""

_LONGEST_PAUSE_S: Final = 10.0
"""Between later ones, each three times as long as the one before: for as long as the run surely holds its job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecorder:
    """
    The end of one attempt: its message, and its record as the claim left it.

    Attributes:
        may_try_until: Until when its outcome is tried to be written, as of now.
        is_ahead: It was claimed ahead of a free slot: when it began is written with its outcome.
    """

    envelope: Envelope
    run: JobRecord
    ports: Ports
    events: MessageEvents
    may_try_until: Callable[[], datetime]
    is_ahead: bool = False

    def record(self, outcome: Outcome) -> Report:
        """Record the outcome and say what becomes of the message."""
        match outcome:
            case Returned():
                return self._complete(outcome)
            case Failed():
                return self._retry(outcome)
            case Doomed():
                return self._die(outcome)
            case Snoozed(wait):
                return self._park(park_moves.snooze(self.run, now=self.ports.clock(), wait=wait))
            case Awaiting(signal, until):
                return self._park(
                    park_moves.wait_for_signal(self.run, signal=signal, until=until), reason=f"signal:{signal}"
                )
            case NoSlot(limit=limit):
                change = park_moves.wait_for_slot(self.run, limit=limit, now=self.ports.clock())
                return self._park(change, reason=limit)
            case Booked(limit, start):
                return self._park(park_moves.wait_for_start(self.run, limit=limit, start=start), reason=limit)
            case Cancelled(reason):
                return self._cancel(reason)
            case unreachable:
                assert_never(unreachable)

    def _complete(self, returned: Returned) -> Report:
        now = self.ports.clock()
        change = run_moves.complete(
            claim_id=self._claim_id,
            now=now,
            result=returned.result,
            result_omitted=returned.omitted,
            expires_at=run_moves.expiry(now=now, ever_died=self.run.life > 1),
        )
        record = self._write(self.ports.ending(change))
        if not isinstance(record, JobRecord):
            return record
        self.events.run(Action.JOB_COMPLETED, record)
        follow_up(record, self.ports)
        return notify_of_end(record, self.ports, self.events)

    def _retry(self, failed: Failed) -> Report:
        now = self.ports.clock()
        wait = failed.wait
        if wait is None:
            wait = Backoff(base=self.run.backoff_base).wait_after(self.run.attempts, rand=self.ports.rand)
        is_held = wait <= LONGEST_HELD
        move = run_moves.retry if is_held else run_moves.hand_to_sweep
        change = move(self.run, error=failed.error, error_type=failed.error_type, now=now, wait=wait)
        record = self._write(change)
        if not isinstance(record, JobRecord):
            return record
        self.events.run(Action.JOB_RETRYING, record, wait=wait)
        return Nack(wait) if is_held else self._let_go(record)

    def _die(self, doomed: Doomed) -> Report:
        now = self.ports.clock()
        expires_at = run_moves.expiry(now=now, ever_died=True)
        error, type_ = doomed.error, doomed.error_type
        change = run_moves.die(
            self.run, cause=doomed.cause, error=error, error_type=type_, now=now, expires_at=expires_at
        )
        record = self._write(change)
        if not isinstance(record, JobRecord):
            return record
        self.events.run(Action.JOB_DEAD, record)
        report = end_with_ticket(self.envelope, record, self.ports, self.events)
        follow_up(record, self.ports)
        return report

    def _park(self, change: Change, *, reason: str | None = None) -> Report:
        """Park the job, entered for the sweep; a short wait gets a message too, so that it ends to the second."""
        record = self._write(change)
        if not isinstance(record, JobRecord):
            return record
        wait = cast("datetime", record.due_at) - self.ports.clock()
        self.events.run(Action.JOB_PARKED, record, wait=max(wait, timedelta(0)), reason=reason)
        if record.held_by is None and wait <= LONGEST_HELD:
            message = self.envelope.model_copy(update={"run_at": record.due_at, "unrecorded": False})
            failed = dispatch(record, message, self.ports)
            if failed is not None:
                self.events.note(Action.RUN_WRITE_FAILED, reason=f"sending a parked job ahead: {failed}")
        return self._let_go(record)

    def _let_go(self, record: JobRecord) -> Report:
        """Ack a message whose job goes on without it, once the payload is known to lie beside the record."""
        try:
            keep_payload(self.envelope, record, self.ports)
        except UnavailableError as error:
            self.events.note(Action.RUN_WRITE_FAILED, reason=f"its payload: {error}", wait=LOOK_AGAIN)
            return Nack(LOOK_AGAIN)
        return Ack()

    def unclaim(self) -> Report:
        """Give back a job that was claimed ahead of a free slot and not begun: somebody else may have it at once."""
        record = self._write(park_moves.unclaim(self.run))
        if not isinstance(record, JobRecord):
            return record
        self.events.note(Action.MESSAGE_DEFERRED, reason="claimed ahead, and not begun", wait=timedelta(0))
        return Nack(timedelta(0))

    def _cancel(self, reason: str) -> Report:
        record = self._write(self._ending(reason))
        if not isinstance(record, JobRecord):
            return record
        self.events.run(Action.JOB_CANCELLED, record)
        follow_up(record, self.ports)
        return Ack()

    def _write(self, change: Change) -> JobRecord | Report:
        """Write this run's outcome and return the record; if it doesn't count, what becomes of the message."""
        if self.is_ahead:
            begun = {"started_at": self.run.started_at, "first_started_at": self.run.first_started_at}
            change = replace(change, write={**begun, **change.write})
        try:
            answer = self._change_persistently(change)
            record = answer.record
            if isinstance(answer, Applied):
                return answer.record
            if record is not None and record.cancel_asked and record.claim_id == self._claim_id:
                return self._end_cancelled()
            if record is not None and record.claim_id == self._claim_id and record.signal_id != self.run.signal_id:
                again = self._change_persistently(park_moves.look_again(self.run, now=self.ports.clock()))
                if isinstance(again, Applied):
                    return again.record
        except (UnavailableError, ConfigError) as error:
            self.events.note(Action.RUN_WRITE_FAILED, reason=f"{change.name}, given up: {error}")
            return Nack()
        self.events.note(Action.RUN_WRITE_REFUSED, reason=f"{change.name}: another attempt has taken over")
        return Nack()

    def _change_persistently(self, change: Change) -> Answer:
        """Write, and try again where the ledger doesn't answer, or refuses: what was done would be done again."""
        pauses: Iterator[float] | None = None
        while True:
            try:
                return self.ports.ledger.change(self.run.job_id, change)
            except (UnavailableError, ConfigError) as error:
                if pauses is None:
                    self.events.note(Action.RUN_WRITE_FAILED, reason=f"{change.name}: {error}")
                    pauses = self._pauses()
                pause_s = next(pauses, None)
                if pause_s is None:
                    raise
                self.ports.code_runner.pause(pause_s)

    def _pauses(self) -> Iterator[float]:
        """Yield pauses that grow, some in any case, then for as long as the run may go on trying."""
        yield from _PAUSES_S
        pause_s, paused_s = _PAUSES_S[-1], 0.0
        most_s = (self.may_try_until() - self.ports.clock()).total_seconds()
        while (left_s := (self.may_try_until() - self.ports.clock()).total_seconds()) > 0 and paused_s < most_s:
            pause_s = min(3 * pause_s, _LONGEST_PAUSE_S)
            paused_s += pause_s
            yield min(pause_s, left_s)

    def _end_cancelled(self) -> Report:
        """End a run that didn't complete as cancelled: that was asked for while it ran (rule 8)."""
        answer = self._change_persistently(self._ending())
        if not isinstance(answer, Applied):
            return Nack()
        self.events.run(Action.JOB_CANCELLED, answer.record)
        follow_up(answer.record, self.ports)
        return Ack()

    def _ending(self, reason: str | None = None) -> Change:
        now = self.ports.clock()
        expires_at = run_moves.expiry(now=now, ever_died=self.run.life > 1)
        return self.ports.ending(run_moves.cancel_run(self.run, now=now, expires_at=expires_at, reason=reason))

    @property
    def _claim_id(self) -> str:
        return cast("str", self.run.claim_id)

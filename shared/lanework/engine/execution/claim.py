"""Taking the right to run a job: one conditional write, or, if it is refused, what the record in the way says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, assert_never

from lanework.engine.dependencies.release_dependents import Waiting, follow_up
from lanework.engine.execution.record_outcome import LONGEST_HELD
from lanework.engine.execution.start_checks import keep_payload, leave_to_sweep
from lanework.engine.messaging.delivery import Ack, Nack
from lanework.engine.webhooks.notify import end_with_ticket, notify_of_death, notify_of_end
from lanework.model.events import Action
from lanework.model.job.ids import needs_record
from lanework.model.lifecycle import claim_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.claim_decision import (
    Claimant,
    ClaimBy,
    Create,
    Drop,
    EndBy,
    SendTicket,
    WaitAgain,
    WaitUntil,
    die_unreadable,
    judge,
)
from lanework.model.lifecycle.states import ENDED, JobRecord, State

if TYPE_CHECKING:
    from datetime import datetime

    from lanework.engine.messaging.delivery import Report
    from lanework.engine.messaging.message_events import MessageEvents
    from lanework.engine.ports.bundle import Ports
    from lanework.model.job.envelope import Envelope
    from lanework.model.lifecycle.change import Change
    from lanework.model.lifecycle.claim_decision import Verdict

LEASE_MARGIN: Final = timedelta(seconds=5)
"""A lease outlasts its invocation, or heartbeat, by this much: no clock's error ends it while the job still runs."""

_ROUNDS: Final = 4
"""How often a claim is tried against a record that changes under it, before the message is left to come back."""


@dataclass(frozen=True, slots=True)
class OtherJob:
    """The message's id is that of another job, which may start: run that one, as its record says."""

    record: JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """
    One try of one message to start its job.

    Attributes:
        is_first: The message was never received before, so that a job that is recorded when it starts has no record
            yet, most likely: the record is made first, and looked at only if there is one.
        makes_no_record: Its type's jobs never begin without a record.
    """

    envelope: Envelope
    claim_id: str
    lease: timedelta
    ports: Ports
    events: MessageEvents
    is_first: bool = False
    makes_no_record: bool = False

    def make(self) -> JobRecord | Report | OtherJob:
        """Return the record of the job, now claimed; or, if it may not run now, what to do with the message."""
        now = self.ports.clock()
        by = Claimant(
            claim_id=self.claim_id,
            now=now,
            lease=self.lease,
            expires_at=run_moves.expiry(now=now, ever_died=True),
        )
        first = claim_moves.claim(life=self.envelope.life, claim_id=self.claim_id, now=now, lease=self.lease)
        puts_first = self.is_first and not self.makes_no_record and _may_start(self.envelope, now)
        change = None if puts_first else claim_moves.asked_by(self.envelope, first)
        for _ in range(_ROUNDS):
            stored = self._put(now) if change is None else self.ports.ledger.change(self.envelope.id, change).record
            if stored is not None and stored.claim_id == self.claim_id and stored.state is State.RUNNING:
                return stored  # just written, or it had landed and its answer was lost
            verdict = self._verdict(stored, by)
            if isinstance(verdict, ClaimBy):
                if stored is not None and not self.envelope.speaks_for(stored):
                    self.events.note(
                        Action.MESSAGE_DROPPED, reason=f"its id is that of another job, of type {stored.type}"
                    )
                    return OtherJob(stored)
                change = verdict.change
            elif (answer := self._answer(verdict, stored, now)) is not None:
                return answer
        return Nack(timedelta(seconds=1))

    def _answer(
        self,
        verdict: Create | EndBy | WaitAgain | WaitUntil | SendTicket | Drop,
        stored: JobRecord | None,
        now: datetime,
    ) -> JobRecord | Report | None:
        """Do as a verdict says; None if somebody was faster, so that the claim is tried again."""
        match verdict:
            case Create():
                return self._create(now)
            case EndBy(change=ending) | WaitAgain(change=ending):
                return self._end(ending)
            case WaitUntil(moment):
                return self._wait(moment, now, stored)
            case SendTicket():
                assert stored is not None  # noqa: S101 - narrows: only a stored record is dead
                return end_with_ticket(self.envelope, stored, self.ports, self.events)
            case Drop(reason):
                self.events.note(Action.MESSAGE_DROPPED, reason=reason)
                return self._dropped(stored)
            case unreachable:
                assert_never(unreachable)

    def _verdict(self, stored: JobRecord | None, by: Claimant) -> Verdict:
        if stored is not None and stored.state is State.UNKNOWN and stored.claim_id == self.claim_id:
            return EndBy(die_unreadable(stored, by))
        if stored is None and needs_record(self.envelope.id):
            return Drop("its id is one of Lanework's own, whose jobs have records, and it has none")
        verdict = judge(stored, self.envelope, by)
        if stored is not None and stored.state is State.DEAD and isinstance(verdict, ClaimBy | WaitAgain):
            notify_of_death(stored, self.ports)  # its next life says nothing of its death
        return verdict

    def _create(self, now: datetime) -> JobRecord | Report | None:
        """Make the record of an unrecorded message, unless it isn't due yet; None if somebody was faster."""
        if self.makes_no_record:
            self.events.note(Action.MESSAGE_DROPPED, reason="without a record: its quota is spent with one")
            return Ack()
        if self.envelope.run_at is not None and self.envelope.run_at > now and not self.envelope.ticket:
            return self._wait(self.envelope.run_at, now, None)
        if self.envelope.start_by is not None and self.envelope.start_by <= now:
            # Too late: recorded as waiting, so that it is ended as any other that wasn't started by its time.
            self.ports.ledger.put(run_moves.new_record(self.envelope))
            return None
        stored = self._put(now)
        return stored if stored.claim_id == self.claim_id else None

    def _put(self, now: datetime) -> JobRecord:
        """Make the record, claimed; return it, or the one that has the id."""
        record = run_moves.claimed_record(self.envelope, claim_id=self.claim_id, now=now, lease=self.lease)
        return self.ports.ledger.put(record) or record

    def _end(self, ending: Change) -> Report:
        answer = self.ports.ledger.change(self.envelope.id, self.ports.ending(ending))
        match answer:
            case Applied(record) if record.state is State.DEAD:
                self.events.run(Action.JOB_DEAD, record)
                report = end_with_ticket(self.envelope, record, self.ports, self.events)
                follow_up(record, self.ports)
                return report
            case Applied(record) if record.state is State.BLOCKED:
                self.events.note(Action.JOB_REDRIVEN, reason="it waits again for what it died of")
                keep_payload(self.envelope.model_copy(update={"life": record.life}), record, self.ports)
                Waiting(self.ports).look([record.job_id])
                return Ack()
            case Applied(record) if record.state is State.UNKNOWN:
                self.events.note(Action.JOB_UNREADABLE, reason=record.damage or "")
                return Ack()
            case Applied(record):
                self.events.run(Action.JOB_CANCELLED, record)
                follow_up(record, self.ports)
                return Ack()
            case _:
                return Nack(timedelta(seconds=1))

    def _dropped(self, stored: JobRecord | None) -> Report:
        """Ack a message of an ended job; its webhook may be missing, since the process that ended it may have died."""
        if stored is None or stored.state not in ENDED or stored.life != self.envelope.life:
            return Ack()
        return notify_of_end(stored, self.ports, self.events)

    def _wait(self, moment: datetime, now: datetime, stored: JobRecord | None) -> Report:
        """Keep the message until then; one that would wait for longer than a message may be held goes to the sweep."""
        is_running = stored is not None and stored.state is State.RUNNING
        if moment - now > LONGEST_HELD and not is_running:
            if not leave_to_sweep(self.envelope, stored, at=moment, ports=self.ports):
                return Nack(timedelta(seconds=1))
            self.events.note(Action.JOB_SEND_DEFERRED, wait=moment - now)
            return Ack()
        nack = Nack.until(moment, now=now)
        self.events.note(Action.MESSAGE_DEFERRED, wait=nack.after)
        return nack


def _may_start(message: Envelope, now: datetime) -> bool:
    """Tell whether a message that makes its job's record may start it now."""
    is_due = message.run_at is None or message.run_at <= now
    return message.unrecorded and is_due and (message.start_by is None or message.start_by > now)

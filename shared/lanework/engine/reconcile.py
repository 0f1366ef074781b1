"""
What the clock makes good beside the sweep: what SQS moved to a dead-letter queue, and jobs that nothing carries.

SQS moves what was received too often, which throttles and outages cause too. Such a job isn't dead: it goes back with
growing waits, and is given up only after many rounds. Tickets and set-aside copies were sent there by us and stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.delivery import Ack
from lanework.engine.journal import Journal
from lanework.engine.messages import Sending
from lanework.engine.shard_look import ShardLook
from lanework.engine.telling import buried, tell_untold, told
from lanework.engine.waiting import Waiting, follow_up
from lanework.errors import UnavailableError, UndecodableError
from lanework.model import interventions, moves
from lanework.model.backoff import Backoff
from lanework.model.change import Applied
from lanework.model.envelope import Envelope
from lanework.model.events import Action, Event
from lanework.model.lanes import QUEUE_RETENTION, Lane
from lanework.model.states import ENDED, Cause, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanework.engine.messages import DeadLetter
    from lanework.engine.ports import Ports
    from lanework.model.states import JobRecord

MOST_BOUNCES: Final = 10
"""How often SQS may give up on a job before we do."""

_BOUNCE: Final = Backoff(base=timedelta(minutes=1), ceiling=timedelta(hours=6))
_HIDDEN_FOR: Final = timedelta(minutes=2)
"""How long a letter that must wait is hidden; others only while a tick looks at the rest."""

_LETTERS: Final = 10
_PAGES: Final = 10
_AUDITED_AFTER: Final = QUEUE_RETENTION - timedelta(days=1)
_AUDIT_PAGE: Final = 100
_AUDIT_PAGES: Final = 20
"""Of a tick: 2,000 jobs a minute, so that a day of 2.8 million is audited in a day."""

_AUDIT: Final = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """
    What a tick did.

    Attributes:
        letters: Messages that SQS had moved to a dead-letter queue and that were dealt with.
        told: Deaths that were told of, since whoever made them had not.
        unblocked: Jobs that waited for others and wait no longer: a crash had left them.
        audited: Jobs that were looked at.
        stranded: Of these, jobs that nothing carried, now entered for the sweep.
    """

    letters: int
    told: int
    unblocked: int
    audited: int
    stranded: int


class Reconciler:
    """Deals with what SQS moved, and audits each job once."""

    def __init__(self, ports: Ports) -> None:
        """Take the ports."""
        self._ports = ports

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> Reconciled:
        """Look at the letters of each lane and at a page of jobs."""
        letters = 0
        for lane in Lane:
            letters += self._look_through(lane, has_time)
        unblocked = ShardLook(self._ports).tick(has_time=has_time) + Waiting(self._ports).tick(has_time=has_time)
        told_of = tell_untold(self._ports, has_time=has_time)
        audited = stranded = 0
        for _ in range(_AUDIT_PAGES):
            seen, found = self._audit() if has_time() else (0, 0)
            if seen == 0:
                break
            audited, stranded = audited + seen, stranded + found
        return Reconciled(letters=letters, told=told_of, unblocked=unblocked, audited=audited, stranded=stranded)

    def _look_through(self, lane: Lane, has_time: Callable[[], bool]) -> int:
        """Look at up to a hundred letters of a lane; what is left alone is visible again at once, for a redrive."""
        dealt = 0
        left_alone: list[str] = []
        for _ in range(_PAGES):
            page = self._ports.lanes.receive_dead(lane, limit=_LETTERS, hide_for=_HIDDEN_FOR) if has_time() else []
            for letter in page:
                is_done = self._deal_with(lane, letter)
                dealt += is_done
                if not is_done and not letter.was_moved_by_sqs:
                    left_alone.append(letter.handle)
            if len(page) < _LETTERS:
                break
        self._ports.lanes.show_dead(lane, left_alone)
        return dealt

    def _deal_with(self, lane: Lane, letter: DeadLetter) -> bool:
        """Deal with one letter; it is deleted only once something durable stands in its place (rule 4)."""
        if not letter.was_moved_by_sqs:
            return False
        try:
            is_done = self._put_right(lane, letter.body)
        except UnavailableError:
            return False
        if is_done:
            self._ports.lanes.delete_dead(lane, letter.handle)
        return is_done

    def _put_right(self, lane: Lane, body: str) -> bool:
        try:
            message = Envelope.decode(body)
        except UndecodableError as problem:
            self._ports.lanes.bury(lane, body, cause=Cause.INVALID, error=str(problem))
            self._note_letter(Action.UNDECODABLE, lane, str(problem))
            return True
        stored = self._ports.ledger.get(message.id)
        if stored is None:
            return self._without_record(lane, message)
        if stored.state is State.DEAD and stored.life == message.life:
            journal = Journal(message, self._ports.events, self._ports.clock)
            return isinstance(buried(message, stored, self._ports, journal), Ack)
        if stored.state is State.DEAD and message.ticket and stored.life == message.life - 1:
            # Its redrive never came to a claim. The life that it stood for is burnt; a fresh ticket begins the next.
            self._ports.lanes.bury(lane, message.encode(), cause=stored.cause or Cause.INFRA, error=stored.error or "")
            return True
        if stored.state in ENDED or stored.life != message.life:
            self._note(Action.DROPPED, stored, "moved by SQS, and nothing waits for it")
            journal = Journal(message, self._ports.events, self._ports.clock)
            return stored.life != message.life or isinstance(told(stored, self._ports, journal), Ack)
        return self._bounce(stored)

    def _without_record(self, lane: Lane, message: Envelope) -> bool:
        """Send an unrecorded job's message back as it is; drop what belongs to a retired record."""
        if message.unrecorded or message.ticket:
            self._ports.lanes.send(lane, Sending.of(message, delay=timedelta(minutes=5)))
            self._note_letter(Action.BOUNCED, lane, "unrecorded", job_id=message.id)
        else:
            self._note_letter(Action.DROPPED, lane, "its record was retired", job_id=message.id)
        return True

    def _bounce(self, stored: JobRecord) -> bool:
        """Enter a job that SQS gave up on for the sweep, later each time; in the end it is dead, cause `infra`."""
        now = self._ports.clock()
        if stored.state is State.RUNNING and stored.due_at is not None and stored.due_at > now:
            return False  # it runs: look again when its lease is over
        if stored.bounces >= MOST_BOUNCES:
            return self._give_up(stored)
        wait = _BOUNCE.wait_after(stored.bounces + 1, rand=self._ports.rand)
        answer = self._ports.ledger.change(stored.job_id, interventions.bounce(stored, at=now + wait))
        if isinstance(answer, Applied):
            self._note(Action.BOUNCED, answer.record, "SQS had moved it to the dead-letter queue")
        return isinstance(answer, Applied)

    def _give_up(self, stored: JobRecord) -> bool:
        now = self._ports.clock()
        ending = interventions.die_of_infra(stored, now=now, expires_at=moves.expiry(now=now, ever_died=True))
        answer = self._ports.ledger.change(stored.job_id, ending)
        if not isinstance(answer, Applied):
            return False
        payload = self._ports.ledger.payload_of(answer.record) or ""
        message = Envelope.of(answer.record, payload)
        journal = Journal(message, self._ports.events, self._ports.clock)
        journal.run(Action.DEAD, answer.record)
        is_done = isinstance(buried(message, answer.record, self._ports, journal), Ack)
        follow_up(answer.record, self._ports)
        return is_done

    def _audit(self) -> tuple[int, int]:
        """Look at each job once, a day before its message would be gone, and enter what nothing carries (rule 15)."""
        today = (self._ports.clock() - _AUDITED_AFTER).date().isoformat()
        day, _, before = (self._ports.flags.bookmark(_AUDIT) or "").partition("|")
        if day != today:
            day, before = today, ""
        if before == "done":
            return 0, 0
        page = self._ports.ledger.recent(day=day, before=before or None, limit=_AUDIT_PAGE)
        records = self._ports.ledger.get_many([key.job_id for key in page.keys]) if page.keys else {}
        stranded = sum(self._rescue(record) for record in records.values())
        self._ports.flags.set_bookmark(_AUDIT, f"{day}|{page.cursor or 'done'}")
        return len(page.keys), stranded

    def _rescue(self, record: JobRecord) -> bool:
        if record.due_at is None or record.sweep_at is not None:
            return False
        now = self._ports.clock()
        answer = self._ports.ledger.change(record.job_id, interventions.enter(record, at=max(now, record.due_at)))
        if isinstance(answer, Applied):
            self._note(Action.LEFT_TO_SWEEP, record, "found by the audit: it may be without a message")
        return isinstance(answer, Applied)

    def _note(self, action: Action, record: JobRecord, reason: str) -> None:
        self._ports.events.emit(Event.about(record, action, at=self._ports.clock(), reason=reason))

    def _note_letter(self, action: Action, lane: Lane, reason: str, *, job_id: str | None = None) -> None:
        event = Event(action=action, at=self._ports.clock(), job_id=job_id, lane=lane, reason=reason)
        self._ports.events.emit(event)

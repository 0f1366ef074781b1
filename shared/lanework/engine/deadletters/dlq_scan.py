"""
What lies in the lanes' dead-letter queues, looked through by the clock.

SQS moves what was received too often, which throttles and outages cause too. Such a job isn't dead: it goes back with
growing waits, and is given up only after many rounds. Tickets were sent there by us. They stay for as long as their job
is dead, and go once it was redriven by its record, dropped, retired or has completed: whoever is alarmed by what lies
there is then done. One letter, or one lane, that can't be dealt with never stops the others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.dependencies.release_dependents import follow_up
from lanework.engine.dlq_messages.tickets import note_undecodable, send_to_dlq, ticket_of
from lanework.engine.messaging.delivery import Ack
from lanework.engine.messaging.message_events import MessageEvents
from lanework.engine.ports.messages import OutgoingMessage
from lanework.engine.webhooks.notify import end_with_ticket, notify_of_end
from lanework.errors import LaneworkError, UndecodableError, UnsendableError
from lanework.model.events import Action, Event
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.model.lifecycle import operator_moves, run_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import ENDED, Cause, State
from lanework.model.retry.wait import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lanework.engine.dlq_messages.tickets import TicketOf
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.messages import DeadLetter
    from lanework.model.lifecycle.states import JobRecord

MOST_BOUNCES: Final = 10
"""How often SQS may give up on a job before we do."""

_BOUNCE: Final = Backoff(base=timedelta(minutes=1), ceiling=timedelta(hours=6))
_HIDDEN_FOR: Final = timedelta(minutes=2)
"""How long a letter that must wait is hidden; others only while a tick looks at the rest."""

_LETTERS: Final = 10
_QUIET_PAGES: Final = 10
"""Pages in a row with nothing to deal with, after which a tick leaves the rest of a lane alone."""

_MOST_PAGES: Final = 1_000
_LOOKED_THROUGH_EVERY: Final = 10
"""Minutes: so often a tick looks at all letters of a lane; one to deal with may lie behind thousands that stay."""

_AGAIN: Final = "SQS moved its message to the dead-letter queue again and again"
_BOOKMARK: Final = "unread letters"
_LONGEST_PROBLEM: Final = 200


@dataclass(slots=True, kw_only=True)
class Unread:
    """
    Messages of a lane's dead-letter queue that can't be read.

    Attributes:
        problem: What is wrong with the first of them that was looked at; nothing of it is repeated.
        is_all: All of the queue was looked at; otherwise there may be more.
    """

    count: int = 0
    problem: str = ""
    is_all: bool = field(default=False, compare=False)

    def see(self, letter: DeadLetter) -> None:
        """Count one."""
        if self.count == 0:
            self.problem = (letter.error or "not a Lanework message")[:_LONGEST_PROBLEM]
        self.count += 1

    def is_news(self, before: Unread) -> bool:
        """Tell whether this says more than what was noted before."""
        return self.count > before.count or (self.is_all and self.count != before.count)


@dataclass(slots=True)
class Looked:
    """
    What a tick did with letters.

    Attributes:
        moved: Messages that SQS had moved there and that were dealt with.
        removed: Tickets that were removed, since their job is dead no more.
        refused: Why lanes could not be looked through.
    """

    moved: int = 0
    removed: int = 0
    unread: dict[Lane, Unread] = field(default_factory=dict)
    refused: list[Exception] = field(default_factory=list)


class DlqScan:
    """Looks through the dead-letter queues."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def tick(self, *, has_time: Callable[[], bool]) -> Looked:
        """Look through each lane: at a hundred letters at least, and at more while there is something to deal with."""
        looked = Looked()
        for lane in self._ports.stack_lanes:
            try:
                self._look_through(lane, looked, has_time)
            except Exception as error:  # noqa: BLE001 - the other lanes are looked through
                looked.refused.append(error)
                self._note(Action.MESSAGE_NOT_HANDLED, lane, _said(error))
        try:
            note_unread(looked.unread, self._ports)
        except LaneworkError as error:
            looked.refused.append(error)
        return looked

    def _look_through(self, lane: Lane, looked: Looked, has_time: Callable[[], bool]) -> None:
        """What is left alone is visible again at once, for a redrive; so is what was seen before something failed."""
        left_alone: list[str] = []
        unread = looked.unread[lane] = Unread()
        quiet, most_quiet = 0, self._most_quiet()
        try:
            for _ in range(_MOST_PAGES):
                page = self._receive(lane) if has_time() and quiet < most_quiet else None
                unread.is_all = page == []
                if not page:
                    break
                before = (looked.moved, looked.removed)
                left_alone += self._deal_with_page(lane, page, looked, unread)
                quiet = quiet + 1 if before == (looked.moved, looked.removed) else 0
        finally:
            self._ports.lanes.show_dead(lane, left_alone)

    def _most_quiet(self) -> int:
        return _MOST_PAGES if self._ports.clock().minute % _LOOKED_THROUGH_EVERY == 0 else _QUIET_PAGES

    def _receive(self, lane: Lane) -> list[DeadLetter]:
        return self._ports.lanes.receive_dead(lane, limit=_LETTERS, hide_for=_HIDDEN_FOR)

    def _deal_with_page(self, lane: Lane, page: Sequence[DeadLetter], looked: Looked, unread: Unread) -> list[str]:
        """Deal with some letters; return the handles of those that stay, to be shown again."""
        ours = {one.handle: ticket_of(one.body) for one in page if not one.was_moved_by_sqs}
        for letter in page:
            if letter.was_moved_by_sqs:
                looked.moved += self._deal_with(lane, letter)
            elif ours[letter.handle] is None:
                unread.see(letter)
        over = self._over(lane, {handle: ticket for handle, ticket in ours.items() if ticket is not None})
        self._ports.lanes.delete_dead(lane, list(over))
        for ticket in over.values():
            self._note(Action.MESSAGE_TICKET_REMOVED, lane, "its job is dead no more", job_id=ticket.job_id)
        looked.removed += len(over)
        return [handle for handle in ours if handle not in over]

    def _over(self, lane: Lane, tickets: dict[str, TicketOf]) -> dict[str, TicketOf]:
        """
        Return the tickets that would do nothing any more, as a read of a moment ago says.

        That is enough: a life only grows, and what completed or was cancelled stays so. A ticket without a record
        stays: it can still be redriven (rule 6).
        """
        if not tickets:
            return {}
        try:
            records = self._ports.ledger.get_many([one.job_id for one in tickets.values()])
        except LaneworkError as error:
            self._note(Action.MESSAGE_NOT_HANDLED, lane, str(error))
            return {}
        return {handle: one for handle, one in tickets.items() if _is_over(one, records.get(one.job_id))}

    def _deal_with(self, lane: Lane, letter: DeadLetter) -> bool:
        """Deal with a letter that SQS moved; it is deleted only once something durable stands in its place (rule 4)."""
        try:
            is_done = self._put_right(lane, letter)
        except Exception as error:  # noqa: BLE001 - whatever one letter holds, the others are dealt with
            self._note(Action.MESSAGE_NOT_HANDLED, lane, _said(error))
            return False
        if is_done:
            self._ports.lanes.delete_dead(lane, [letter.handle])
        return is_done

    def _put_right(self, lane: Lane, letter: DeadLetter) -> bool:
        try:
            message = Envelope.decode(letter.body, lane=lane)
        except UndecodableError as problem:
            from lanework.model.job.open_message import is_open, with_id  # noqa: PLC0415 - few stacks get any

            if is_open(letter.body):
                return self._send_back(lane, with_id(letter.body, letter.message_id), "an open message")
            note_undecodable(lane, letter.body, str(problem), self._ports)
            return True
        stored = self._ports.ledger.get(message.id)
        if stored is None:
            return self._without_record(lane, message)
        events = MessageEvents(message, self._ports.events, self._ports.clock)
        if stored.state is State.DEAD and stored.life == message.life:
            return isinstance(end_with_ticket(message, stored, self._ports, events), Ack)
        is_its_ticket = message.ticket and message.speaks_for(stored)
        if stored.state is State.DEAD and is_its_ticket and stored.life == message.life - 1:
            # Its redrive never came to a claim. The life that it stood for is burnt; a fresh ticket begins the next.
            cause, error = stored.cause or Cause.INFRA, stored.error or ""
            send_to_dlq(self._ports.lanes, lane, message.encode(), cause=cause, error=error)
            return True
        if stored.state in ENDED or stored.life != message.life:
            self._ports.emit(Action.MESSAGE_DROPPED, stored, reason="moved by SQS, and its job doesn't wait for it")
            return stored.life != message.life or isinstance(notify_of_end(stored, self._ports, events), Ack)
        return self._bounce(stored)

    def _without_record(self, lane: Lane, message: Envelope) -> bool:
        """Send an unrecorded job's message back as it is; drop what belongs to a retired record."""
        if not message.may_make_a_record:
            self._note(Action.MESSAGE_DROPPED, lane, "its record was retired", job_id=message.id)
            return True
        return self._send_back(lane, message.encode(), "unrecorded", job_id=message.id, tenant=message.tenant)

    def _send_back(
        self, lane: Lane, body: str, what: str, *, job_id: str | None = None, tenant: str | None = None
    ) -> bool:
        try:
            self._ports.lanes.send(lane, OutgoingMessage(body=body, delay=timedelta(minutes=5), tenant=tenant))
        except UnsendableError as refusal:  # it may never be sent, and is no reason to look at it for ever
            send_to_dlq(self._ports.lanes, lane, body, cause=Cause.INVALID, error=str(refusal))
            self._note(Action.MESSAGE_QUARANTINED, lane, f"can't be sent back: {refusal}", job_id=job_id)
            return True
        self._note(Action.JOB_BOUNCED, lane, what, job_id=job_id)
        return True

    def _bounce(self, stored: JobRecord) -> bool:
        """Enter a job that SQS gave up on for the sweep, later each time; in the end it is dead, cause `infra`."""
        now = self._ports.clock()
        if stored.state is State.RUNNING and stored.due_at is not None and stored.due_at > now:
            return False  # it runs: look again when its lease is over
        if stored.bounces >= MOST_BOUNCES:
            return self._give_up(stored)
        wait = _BOUNCE.wait_after(stored.bounces + 1, rand=self._ports.rand)
        answer = self._ports.ledger.change(stored.job_id, operator_moves.bounce(stored, at=now + wait))
        if isinstance(answer, Applied):
            self._ports.emit(Action.JOB_BOUNCED, answer.record, reason="SQS had moved it to the dead-letter queue")
        return isinstance(answer, Applied)

    def _give_up(self, stored: JobRecord) -> bool:
        try:
            message = Envelope.of(stored, self._ports.ledger.payload_of(stored) or "")
        except UndecodableError as error:
            from lanework.engine.enqueue.unsendable import end_unsendable  # noqa: PLC0415 - loads where it is needed, if ever

            return end_unsendable(stored, f"{_AGAIN}, and no message can be made of it: {error}", self._ports)
        now = self._ports.clock()
        ending = operator_moves.die_of_infra(stored, now=now, expires_at=run_moves.expiry(now=now, ever_died=True))
        answer = self._ports.ledger.change(stored.job_id, ending)
        if not isinstance(answer, Applied):
            return False
        events = MessageEvents(message, self._ports.events, self._ports.clock)
        events.run(Action.JOB_DEAD, answer.record)
        is_done = isinstance(end_with_ticket(message, answer.record, self._ports, events), Ack)
        follow_up(answer.record, self._ports)
        return is_done

    def _note(self, action: Action, lane: Lane, reason: str, *, job_id: str | None = None) -> None:
        event = Event(action=action, at=self._ports.clock(), job_id=job_id, lane=lane, reason=reason)
        self._ports.events.emit(event)


def _said(error: Exception) -> str:
    """Return the text to log of an error: of others than ours the type only, since its text may quote the message."""
    return str(error) if isinstance(error, LaneworkError) else type(error).__name__


def _is_over(ticket: TicketOf, record: JobRecord | None) -> bool:
    if record is None:
        return False
    return record.state in (State.COMPLETED, State.CANCELLED) or record.life >= ticket.life


def note_unread(seen: Mapping[Lane, Unread], ports: Ports) -> None:
    """Keep what was seen of lanes: one read, and one write when it changed."""
    before = _known(ports.flags.bookmark(_BOOKMARK))
    after = {**before, **{lane: one for lane, one in seen.items() if one.is_news(before.get(lane, Unread()))}}
    if after != before:
        content = {lane: [one.count, one.problem] for lane, one in after.items() if one.count}
        ports.flags.set_bookmark(_BOOKMARK, json.dumps(content))


def unread(ports: Ports) -> dict[Lane, Unread]:
    """Return how many messages that nobody can read lay in which dead-letter queue when the clock last looked."""
    return _known(ports.flags.bookmark(_BOOKMARK))


def _known(text: str | None) -> dict[Lane, Unread]:
    try:
        content: dict[str, Any] = json.loads(text or "{}")
        return {Lane(lane): Unread(count=int(count), problem=str(why)) for lane, (count, why) in content.items()}
    except (AttributeError, TypeError, ValueError):  # of another release: what lies there is counted anew
        return {}

"""The minute tick: sends what no message carries (rule 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.limits.release import SlotDispatcher
from lanework.engine.messaging.message_events import Apart
from lanework.engine.operations.pauses import may_forget, release
from lanework.engine.ports.messages import LONGEST_SQS_DELAY, OutgoingMessage
from lanework.errors import ConfigError, UndecodableError, UnsendableError
from lanework.model.events import Action, Event
from lanework.model.job.envelope import Envelope
from lanework.model.job.ids import SHARDS
from lanework.model.lanes import Lane
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.messages import Unsent
    from lanework.errors import LaneworkError
    from lanework.model.lifecycle.states import JobRecord

_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """
    What a tick did.

    Attributes:
        sent: Jobs that were sent.
        ended: Jobs that can't be sent, given up.
        unreadable: Records that this code can't read, looked at again in an hour.
        woken: Jobs that waited for a slot of a limit, sent.
        released: Jobs that a pause had held, entered to be sent.
        is_done: Nothing more was due; otherwise time ran out and the next tick goes on.
    """

    sent: int
    ended: int = 0
    unreadable: int = 0
    woken: int = 0
    released: int = 0
    is_done: bool


class Sweeper:
    """
    Sends the jobs of the sweep index that are due. Its reads grow with what is due, not with what waits.

    A job that can't be handled is ended, put off or left, and stops none of the others (rule 21).
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._apart = Apart(ports)
        self._away: set[Lane] = set()
        self._sent = self._ended = self._unreadable = 0

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> Swept:
        """
        Send what is due within the look-ahead, asking before each page whether there is time.

        Raises:
            LaneworkError: Something was refused or didn't answer, the first of it; what else was due is done.
        """
        self._away.clear()
        self._sent = self._ended = self._unreadable = 0
        released = woken = 0
        with self._apart.each("what pauses held"):
            released = self._release(has_time)
        with self._apart.each("what waits for limits"):
            woken = SlotDispatcher(ports=self._ports).tick(has_time=has_time)
        is_done = True
        for shard in range(SHARDS):
            is_shard_done = False
            with self._apart.each(f"shard {shard} of the sweep"):
                is_shard_done = self._walk(shard, has_time)
            is_done = is_shard_done and is_done
        self._apart.raise_first()
        return Swept(
            sent=self._sent,
            ended=self._ended,
            unreadable=self._unreadable,
            woken=woken,
            released=released,
            is_done=is_done,
        )

    def _walk(self, shard: int, has_time: Callable[[], bool]) -> bool:
        """Look at each entry of a shard that is due, once; tell whether there was time for all of them."""
        until = self._ports.clock() + self._ports.look_ahead
        after: str | None = None
        while True:
            page = self._ports.ledger.due(shard, until=until, limit=_PAGE, after=after)
            if page.keys and not has_time():
                return False
            if page.keys:
                records = self._ports.ledger.get_many([one.job_id for one in page.keys])
                self._send(list(records.values()), until)
            after = page.cursor
            if after is None:
                return True

    def _release(self, has_time: Callable[[], bool]) -> int:
        """Move what pauses held that are over: workers may have parked jobs after the one who resumed had looked."""
        moved = 0
        for name in sorted(self._ports.flags.read().resumed):
            count = release(name, self._ports, has_time=has_time)
            moved += count
            if count == 0 and has_time() and may_forget(name, self._ports):
                self._ports.flags.forget(name)
        return moved

    def _send(self, records: Sequence[JobRecord], until: datetime) -> None:
        """Send jobs lane by lane, then push their entries on; a crash between the two sends twice, which is safe."""
        for record in records:
            if record.state is State.UNKNOWN:
                with self._apart.each(f"job {record.job_id}"):
                    self._put_off(record)
        waiting = [
            record
            for record in records
            if record.due_at is not None and record.sweep_at is not None and record.sweep_at <= until
            if record.state is not State.UNKNOWN and record.lane not in self._away
        ]
        for lane in Lane:
            whole = list(self._whole([record for record in waiting if record.lane is lane]))
            unsent = self._ports.lanes.send_many(lane, [sending for _, sending in whole]) if whole else {}
            for index, (record, _) in enumerate(whole):
                with self._apart.each(f"job {record.job_id}"):
                    self._after(record, unsent.get(index))
            left = [one.error for one in unsent.values() if not isinstance(one.error, UnsendableError)]
            if left:
                self._note_left(lane, left, of=len(whole))

    def _whole(self, records: Sequence[JobRecord]) -> Iterator[tuple[JobRecord, OutgoingMessage]]:
        """Yield jobs with their messages."""
        for record in records:
            with self._apart.each(f"job {record.job_id}"):
                payload = self._ports.ledger.payload_of(record)
                if payload is None:
                    self._push_on(record, Action.JOB_NOT_SENT)
                    continue
                try:
                    sending = self._sending(record, payload)
                except UndecodableError as error:  # no message can say what it holds
                    self._end(record, f"no message can be made of it: {error}")
                else:
                    yield record, sending

    def _after(self, record: JobRecord, unsent: Unsent | None) -> None:
        """Do what follows from a job's sending; one that may be sent later is left where it is."""
        if unsent is None:
            self._sent += self._push_on(record, Action.JOB_SWEPT)
        elif isinstance(unsent.error, UnsendableError):
            self._end(record, str(unsent.error))

    def _end(self, record: JobRecord, reason: str) -> None:
        from lanework.engine.enqueue.unsendable import end_unsendable  # noqa: PLC0415 - loads where it is needed, if ever

        self._ended += end_unsendable(record, reason, self._ports)

    def _note_left(self, lane: Lane, errors: Sequence[LaneworkError], *, of: int) -> None:
        """Log jobs that their lane didn't take, for the next tick to try; a lane that takes none is left alone."""
        if len(errors) == of:
            self._away.add(lane)
        if isinstance(errors[0], ConfigError):
            self._apart.keep(errors[0])
        reason = f"{len(errors)} jobs are left to the next tick: {errors[0]}"
        event = Event(action=Action.JOB_NOT_SENT, at=self._ports.clock(), lane=lane, reason=reason)
        self._ports.events.emit(event)

    def _sending(self, record: JobRecord, payload: str) -> OutgoingMessage:
        now = self._ports.clock()
        # An entry may be later than its job is due: one that SQS gave up on waits longer each time.
        left = max(record.due_at or now, record.sweep_at or now) - now
        return OutgoingMessage.of(Envelope.of(record, payload), delay=min(max(left, timedelta(0)), LONGEST_SQS_DELAY))

    def _push_on(self, record: JobRecord, action: Action) -> bool:
        now = self._ports.clock()
        pushed = operator_moves.push_on(record, to=operator_moves.sent_again_at(max(now, record.due_at or now)))
        is_pushed = isinstance(self._ports.ledger.change(record.job_id, pushed), Applied)
        reason = "its payload is missing: enqueue it again under its id" if action is Action.JOB_NOT_SENT else None
        self._ports.emit(action, record, reason=reason)
        return is_pushed

    def _put_off(self, record: JobRecord) -> None:
        """Let a record wait that this code can't read: a later release's, perhaps, whose sweep can."""
        now = self._ports.clock()
        self._ports.ledger.change(record.job_id, operator_moves.put_off(record, to=operator_moves.sent_again_at(now)))
        self._ports.emit(Action.JOB_UNREADABLE, record, reason=record.damage)
        self._unreadable += 1

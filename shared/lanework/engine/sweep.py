"""The minute tick: sends what no message carries (rule 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.dispatch import SENT_AGAIN_AFTER
from lanework.engine.messages import LONGEST_SQS_DELAY, Sending
from lanework.engine.pauses import may_forget, release
from lanework.engine.waking import Waker
from lanework.model import interventions
from lanework.model.change import Applied
from lanework.model.envelope import Envelope
from lanework.model.events import Action, Event
from lanework.model.ids import SHARDS
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lanework.engine.ports import Ports
    from lanework.model.states import JobRecord

_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """
    What a tick did.

    Attributes:
        sent: Jobs that were sent.
        woken: Jobs that waited for a slot of a limit, sent.
        released: Jobs that a pause had held, entered to be sent.
        is_done: Nothing more was due; otherwise time ran out and the next tick goes on.
    """

    sent: int
    woken: int = 0
    released: int = 0
    is_done: bool


class Sweeper:
    """Sends the jobs of the sweep index that are due. Its reads grow with what is due, not with what waits."""

    def __init__(self, ports: Ports) -> None:
        """Take the ports."""
        self._ports = ports

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> Swept:
        """
        Send what is due within the look-ahead.

        Args:
            has_time: Asked before each page; the rest is left to the next tick once it says no.
        """
        released = self._release(has_time)
        woken = Waker(ports=self._ports).tick(has_time=has_time)
        until = self._ports.clock() + self._ports.look_ahead
        sent = 0
        for shard in range(SHARDS):
            while ids := self._ports.ledger.due(shard, until=until, limit=_PAGE):
                if not has_time():
                    return Swept(sent=sent, woken=woken, released=released, is_done=False)
                moved = self._send(list(self._ports.ledger.get_many(ids).values()), until)
                sent += moved
                if moved == 0:  # SQS is down, another sweeper has them, or the index lags behind the items
                    break
        return Swept(sent=sent, woken=woken, released=released, is_done=True)

    def _release(self, has_time: Callable[[], bool]) -> int:
        """Move what pauses held that are over: workers may have parked jobs after the one who resumed had looked."""
        moved = 0
        for name in sorted(self._ports.flags.read().resumed):
            count = release(name, self._ports, has_time=has_time)
            moved += count
            if count == 0 and has_time() and may_forget(name, self._ports):
                self._ports.flags.forget(name)
        return moved

    def _send(self, records: Sequence[JobRecord], until: datetime) -> int:
        """Send jobs lane by lane, then push their entries on; a crash between the two sends twice, which is safe."""
        waiting = [
            record
            for record in records
            if record.due_at is not None and record.sweep_at is not None and record.sweep_at <= until
        ]
        pushed = 0
        for lane in Lane:
            ours = [(record, self._ports.ledger.payload_of(record)) for record in waiting if record.lane is lane]
            pushed += sum(self._push_on(record, Action.NOT_SENT) for record, payload in ours if payload is None)
            whole = [(record, self._sending(record, payload)) for record, payload in ours if payload is not None]
            failed = self._ports.lanes.send_many(lane, [sending for _, sending in whole]) if whole else {}
            pushed += sum(
                self._push_on(record, Action.SWEPT) for index, (record, _) in enumerate(whole) if index not in failed
            )
        return pushed

    def _sending(self, record: JobRecord, payload: str) -> Sending:
        now = self._ports.clock()
        # An entry may be later than its job is due: one that SQS gave up on waits longer each time.
        left = max(record.due_at or now, record.sweep_at or now) - now
        return Sending.of(Envelope.of(record, payload), delay=min(max(left, timedelta(0)), LONGEST_SQS_DELAY))

    def _push_on(self, record: JobRecord, action: Action) -> bool:
        now = self._ports.clock()
        pushed = interventions.push_on(record, to=max(now, record.due_at or now) + SENT_AGAIN_AFTER)
        is_pushed = isinstance(self._ports.ledger.change(record.job_id, pushed), Applied)
        reason = "its payload is missing: enqueue it again under its id" if action is Action.NOT_SENT else None
        self._ports.events.emit(Event.about(record, action, at=now, reason=reason))
        return is_pushed

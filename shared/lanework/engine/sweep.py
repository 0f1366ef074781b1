"""The minute tick: sends what no message carries (rule 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.ports import Sending
from lanework.model import moves
from lanework.model.envelope import Envelope
from lanework.model.events import Action, Event
from lanework.model.ids import SHARDS
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lanework.engine.ports import Ports
    from lanework.model.states import JobRecord

LOOK_AHEAD: Final = timedelta(minutes=15)
"""What is due within this time is sent now, held back by SQS for what is left of it: so it starts to the second."""

SENT_AGAIN_AFTER: Final = timedelta(hours=1)
"""An entry stays until its job ends; while it does, its job is sent again this often."""

_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """
    What a tick did.

    Attributes:
        sent: Jobs that were sent.
        is_done: Nothing more was due; otherwise time ran out and the next tick goes on.
    """

    sent: int
    is_done: bool


class Sweeper:
    """Sends the jobs of the sweep index that are due. Its reads grow with what is due, not with what waits."""

    def __init__(self, ports: Ports, *, look_ahead: timedelta = LOOK_AHEAD) -> None:
        """Take the ports; a test shortens the look-ahead."""
        self._ports = ports
        self._look_ahead = look_ahead

    def tick(self, *, has_time: Callable[[], bool] = lambda: True) -> Swept:
        """
        Send what is due within the look-ahead.

        Args:
            has_time: Asked before each page; the rest is left to the next tick once it says no.
        """
        until = self._ports.clock() + self._look_ahead
        sent = 0
        for shard in range(SHARDS):
            while ids := self._ports.ledger.due(shard, until=until, limit=_PAGE):
                if not has_time():
                    return Swept(sent=sent, is_done=False)
                moved = self._send(list(self._ports.ledger.get_many(ids).values()), until)
                sent += moved
                if moved == 0:  # another sweeper has them, or the index lags behind the items
                    break
        return Swept(sent=sent, is_done=True)

    def _send(self, records: Sequence[JobRecord], until: datetime) -> int:
        """Send jobs lane by lane, then push their entries on; a crash between the two sends twice, which is safe."""
        waiting = [
            record
            for record in records
            if record.due_at is not None and record.sweep_at is not None and record.sweep_at <= until
        ]
        for lane in Lane:
            ours = [record for record in waiting if record.lane is lane]
            failed = self._ports.lanes.send_many(lane, [self._sending(record) for record in ours]) if ours else {}
            for index, record in enumerate(ours):
                if index not in failed:
                    self._push_on(record)
        return len(waiting)

    def _sending(self, record: JobRecord) -> Sending:
        payload = self._ports.ledger.payload_of(record)
        left = (record.due_at or self._ports.clock()) - self._ports.clock()
        body = Envelope.of(record, payload or "").encode()
        return Sending(body=body, delay=min(max(left, timedelta(0)), LOOK_AHEAD))

    def _push_on(self, record: JobRecord) -> None:
        now = self._ports.clock()
        self._ports.ledger.change(
            record.job_id, moves.push_on(record, to=max(now, record.due_at or now) + SENT_AGAIN_AFTER)
        )
        self._ports.events.emit(
            Event(
                action=Action.SWEPT,
                at=now,
                job_id=record.job_id,
                type=record.type,
                queue=record.queue,
                lane=record.lane,
            )
        )

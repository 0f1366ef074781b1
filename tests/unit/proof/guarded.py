"""Jobs that have guards: a key of unique work, one of debounced work, a quota; and what must hold of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from lanework.model.job.payload import written
from lanework.model.lanes import Lane
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import ENDED, State
from lanework.model.limits import Bound, Quota
from tests.unit.proof.promises import MOST_SKEW, WatchedLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.ledger import Ledger
    from lanework.model.job.guard_items import GuardItem, GuardWrite
    from lanework.model.lifecycle.change import Answer, Change
    from lanework.model.lifecycle.states import JobRecord
    from tests.unit.proof.promises import Actor, Promises

UNIQUE, DEBOUNCED, COUNTED = "proof.unique", "proof.debounced", "proof.counted"
GUARDED: Mapping[str, Lane] = {UNIQUE: Lane.HIGH, DEBOUNCED: Lane.MEDIUM, COUNTED: Lane.HIGH}
KEY = ("work",)
QUOTA = Quota(2, per=timedelta(minutes=1))
COUNTS = Bound(QUOTA, f"type:{COUNTED}")


@dataclass(slots=True)
class GuardPromises:
    """
    Watches the jobs that have guards.

    Attributes:
        promises: Knows what has begun, and takes note of what doesn't hold.
        ledger: Holds the jobs.
        made: The jobs that were recorded, latest last, with their payload.
    """

    promises: Promises
    ledger: Ledger
    made: dict[str, str] = field(default_factory=dict)
    _asked: dict[str, tuple[datetime, Request]] = field(default_factory=dict)
    _landed: set[tuple[str, str]] = field(default_factory=set)
    _gave_up: set[str] = field(default_factory=set)
    _counted: list[datetime] = field(default_factory=list)

    def asks(self, request: Request) -> None:
        """Note what a producer begins to ask for."""
        self._asked[written(request.type.name, request.type.model, request.payload)] = (self.promises.now(), request)

    def acknowledge(self, request: Request, receipt: Receipt[Any]) -> None:
        """Check what a producer was told: that job has what it asked for, or stood in its way."""
        self.promises.acked.add(receipt.job_id)
        if request.type.name in GUARDED:
            is_in = (receipt.job_id, written(request.type.name, request.type.model, request.payload)) in self._landed
            self.promises.keep(is_in or receipt.duplicate is True, "an enqueue was acknowledged and had no effect")
            self.promises.keep(is_in or request.debounce is None, "a debounced payload was told to be a repetition")

    def watch_put(self, record: JobRecord, decided_at: datetime) -> None:
        """Check a record that was just made under guards; by whom, that was decided at this true time."""
        match record.type:
            case "proof.unique":
                for other in self._others(UNIQUE, record):
                    self.promises.keep(self._is_free_of(other), "two unique jobs within a window")
            case "proof.debounced":
                for other in self._others(DEBOUNCED, record):
                    self.promises.keep(not self._waits(other), "two debounced jobs wait")
            case _:
                self._counted.append(decided_at)
                within = [one for one in self._counted if one > decided_at - QUOTA.per + MOST_SKEW]
                self.promises.keep(len(within) <= QUOTA.n, f"{len(within)} within a quota's window")
        payload = cast("str", record.payload)
        self.made[record.job_id] = payload
        self._landed.add((record.job_id, payload))

    def watch_change(self, change: Change, before: JobRecord, after: JobRecord) -> None:
        """Check a change that just landed."""
        if after.state in (State.CANCELLED, State.DEAD):
            self._gave_up.add(after.job_id)
        if change.name == "supersede":
            has_begun = self.promises.begun[before.job_id, before.life] > 0
            self.promises.keep(before.type == DEBOUNCED and not has_begun, "work that had begun was replaced")
            self._landed.add((after.job_id, cast("str", change.write["payload"])))

    def _others(self, type_: str, record: JobRecord) -> Sequence[str]:
        asked = ((job_id, self._asked[payload][1]) for job_id, payload in self.made.items())
        return [job_id for job_id, request in asked if request.type.name == type_ and job_id != record.job_id]

    def _is_free_of(self, job_id: str) -> bool:
        """Whether a job has given its key up, or its window is over on some clock."""
        asked_at, request = self._asked[self.made[job_id]]
        assert request.unique_for is not None
        return job_id in self._gave_up or asked_at + request.unique_for - MOST_SKEW <= self.promises.now()

    def _waits(self, job_id: str) -> bool:
        """Whether a job waits for its first start; one that was redriven had its turn."""
        record = self.ledger.get(job_id)
        assert record is not None
        return record.life == 1 and record.state not in ENDED and self.promises.begun[job_id, 1] == 0


class GuardedLedger(WatchedLedger):
    """A watched ledger that also watches over guards."""

    def __init__(self, ledger: Any, promises: Promises, guards: GuardPromises, actor: Callable[[], Actor]) -> None:
        super().__init__(ledger, promises, actor)
        self._guards = guards

    def put(self, record: JobRecord) -> JobRecord | None:
        existing = super().put(record)
        self._promises.keep(existing is not None or record.type not in GUARDED, "a job was recorded past its guards")
        return existing

    def marks(self, names: Sequence[str]) -> Mapping[str, GuardItem]:
        found: Mapping[str, GuardItem] = self._ledger.marks(names)
        self._actor().read_at = self._promises.now()
        return found

    def put_guarded(self, record: JobRecord, markings: Sequence[GuardWrite]) -> JobRecord | None:
        existing: JobRecord | None = self._ledger.put_guarded(record, markings)
        if existing is None:
            self._promises.watch_put(record, self._actor())
            self._guards.watch_put(record, cast("datetime", self._actor().read_at))
        return existing

    def change(self, job_id: str, change: Change) -> Answer:
        before = self._ledger.get(job_id)
        answer = super().change(job_id, change)
        if isinstance(answer, Applied) and self._ledger.get(job_id) != before:
            self._guards.watch_change(change, before, answer.record)
        return answer

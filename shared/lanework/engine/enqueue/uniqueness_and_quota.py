"""
Recording a job under its guards: quotas, `unique_for`, `debounce`.

What a guard remembers is a mark, read first and written together with the job, all or nothing, on the condition that it
is still as it was read. So two enqueues can't both take the last place of a quota, nor the same key; who loses the race
reads again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from lanework.errors import ContendedError, EnqueueError, QuotaExceededError, UnavailableError
from lanework.model.job.guard_items import GuardItem, GuardWrite
from lanework.model.lifecycle.states import State
from lanework.model.limits import Full, forgotten_at, spend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lanework.engine.enqueue.guards import Guards, Keyed
    from lanework.engine.enqueue.prepared_job import Order
    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord


from dataclasses import replace
from typing import TYPE_CHECKING

from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.states import AT_ONCE, WAITING

if TYPE_CHECKING:
    from lanework.engine.ports.ledger import Ledger
    from lanework.model.lifecycle.states import JobRecord

_PENDING_KEPT: Final = timedelta(days=30)
"""How long a debounced job's key is kept beyond its start, for a job that waits long: behind a pause, a backlog."""

_GIVES_ITS_KEY_UP: Final = frozenset({State.CANCELLED, State.DEAD})
"""Ends after which nothing of a unique job runs, so that the next one with its key may."""


@dataclass(frozen=True, slots=True)
class New:
    """The job was recorded; its message is to be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """
    Another job has the id or the key, and nothing was recorded.

    Attributes:
        job_id: That job.
        record: Its record; None if it was retired.
    """

    job_id: str
    record: JobRecord | None


class Gate:
    """Records jobs that have guards."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._ledger = ports.ledger

    def put(self, order: Order, guards: Guards) -> Place:
        """
        Record a job, if its guards let it.

        Raises:
            QuotaExceededError: A quota is used up.
            EnqueueError: Whether it was recorded is not known, or others were faster again and again.
        """

        def attempt() -> Place | None:
            return self._try(order, guards)

        try:
            return cast("Place", self._ports.retry_conflicts(attempt, what=" and ".join(guards.marks)))
        except UnavailableError as error:
            why = f"{error}; a job with a quota, unique_for or debounce is not sent unrecorded, past its guards"
            raise EnqueueError(order.envelope.id, why) from error

    def _try(self, order: Order, guards: Guards) -> Place:
        marks = self._ledger.marks(guards.marks)
        now = self._ports.clock()  # after the read, which may have taken seconds: this is when a quota counts the job
        markings: list[GuardWrite] = []
        if guards.keyed is not None:
            held = marks.get(guards.keyed.mark)
            holder = self._holder(order, guards.keyed, held, now)
            if holder is not None:
                return holder
            markings.append(_taking(order, guards.keyed, held))
        spent = self._spent(order, guards, marks, now)
        if isinstance(spent, Existing):
            return spent
        existing = self._ledger.put_guarded(order.record, [*markings, *spent])
        if existing is None or order.is_ours:
            return New()
        return Existing(job_id=existing.job_id, record=existing)

    def _holder(self, order: Order, keyed: Keyed, held: GuardItem | None, now: datetime) -> Place | None:
        """Return what stands in a key's way, or does its work; None if the job may take the key."""
        if held is None or held.job_id == order.envelope.id:
            return None  # by an answer that was lost, the mark may be this order's own
        if keyed.keeps_last:
            return supersede(held.job_id, order.record, self._ledger)
        if held.until <= now:
            return None
        record = self._ledger.get(held.job_id)
        if record is not None and record.state in _GIVES_ITS_KEY_UP:
            return None
        return self._with_its_id(order, now) or Existing(job_id=held.job_id, record=record)

    def _spent(
        self, order: Order, guards: Guards, marks: Mapping[str, GuardItem], now: datetime
    ) -> list[GuardWrite] | Existing:
        """Return the quotas' marks with the job counted; or, if one is full, the job that has the id already."""
        spent: list[GuardWrite] = []
        for counted in guards.quotas:
            before = marks.get(counted.mark)
            window = spend(None if before is None else before.window, counted.quota, now=now)
            if isinstance(window, Full):
                existing = self._with_its_id(order, now)
                if existing is not None:
                    return existing
                n, per = counted.quota.n, counted.quota.per
                raise QuotaExceededError(counted.name, n=n, per=per, retry_at=window.retry_at)
            until = forgotten_at(window, counted.quota)
            mark = GuardItem(name=counted.mark, job_id=order.envelope.id, until=until, window=window)
            spent.append(GuardWrite(mark=mark, after=None if before is None else before.job_id))
        return spent

    def _with_its_id(self, order: Order, now: datetime) -> Existing | None:
        """Return the job that has the caller's id: a repeated id is a duplicate, whatever its guards say."""
        record = None if order.is_ours else self._ledger.get(order.envelope.id)
        if record is None or (record.expires_at is not None and record.expires_at <= now):
            return None
        return Existing(job_id=record.job_id, record=record)


def _taking(order: Order, keyed: Keyed, held: GuardItem | None) -> GuardWrite:
    """Return the mark by which a job takes its key."""
    starts_at, created_at = order.record.run_at, order.record.created_at
    until = starts_at + _PENDING_KEPT if keyed.keeps_last else created_at + keyed.window
    mark = GuardItem(name=keyed.mark, job_id=order.envelope.id, until=until)
    return GuardWrite(mark=mark, after=None if held is None else held.job_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """
    A pending job does the work now.

    Attributes:
        record: That job, as it stands.
        needs_message: The messages that it has come too late for its new start.
    """

    record: JobRecord
    needs_message: bool


Place = New | Existing | Superseded


def supersede(pending_id: str, later: JobRecord, ledger: Ledger) -> Superseded | None:
    """
    Let a pending job do a later one's work.

    A message that is under way will do as long as it comes before the new start: the claim is refused until then. The
    first time an entry is made beside it (rule 3), since the producer may have crashed before it sent that message.

    An enqueue that took long may come after one that began later. Its payload is the last that was accepted; the later
    start of the two counts, so that it doesn't shorten the other's window.

    Args:
        pending_id: The job that had the key last.
        later: The record that a job of its own would have.
        ledger: Holds both.

    Returns:
        None if it doesn't wait for its first start any more: a job of its own has to be made.

    Raises:
        ContendedError: It changed in between.
        UnavailableError: Whether it was written is not known.
    """
    pending = ledger.get(pending_id)
    if pending is None or pending.state not in WAITING or pending.claim_id is not None:
        return None
    later = _after(pending, later)
    is_far = later.state is State.SCHEDULED
    comes_late = pending.state is State.SCHEDULED or (pending.due_at or AT_ONCE) > later.run_at
    needs_entry = is_far or comes_late or pending.sweep_at is None or pending.held_by is not None
    change = operator_moves.supersede(pending, later, entry=later.run_at if needs_entry else None)
    answer = ledger.change(pending.job_id, change)
    if not isinstance(answer, Applied):
        msg = f"job {pending.job_id} changed meanwhile"
        raise ContendedError(msg)
    return Superseded(record=answer.record, needs_message=comes_late and not is_far)


def _after(pending: JobRecord, later: JobRecord) -> JobRecord:
    """Return the record of a later job with the start that it is to have."""
    if later.created_at >= pending.ordered_at or later.run_at >= pending.run_at:
        return later
    state = State.SCHEDULED if pending.state is State.SCHEDULED else later.state
    return replace(later, state=state, run_at=pending.run_at, due_at=pending.run_at)

"""
Recording a job that has a quota or a key (`unique_for`, `debounce`).

What a quota or a key remembers is an item, read first and written together with the job, all or nothing, on the
condition that it is still as it was read. So two enqueues can't both take the last place of a quota, nor the same key;
who loses the race reads again.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from lanework.engine.enqueue.debounce import supersede
from lanework.engine.enqueue.duplicates import duplicate_of, duplicate_of_retired
from lanework.errors import EnqueueError, QuotaExceededError, UnavailableError
from lanework.model.events import Action
from lanework.model.job.guard_items import GuardItem, GuardWrite
from lanework.model.lifecycle.states import State
from lanework.model.limits import Full, forgotten_at, spend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lanework.engine.enqueue.prepared_job import PreparedJob, UniqueKey
    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.transaction_items import TransactionItems

_PENDING_KEPT: Final = timedelta(days=30)
"""How long a debounced job's key is kept beyond its start, for a job that waits long: behind a pause, a backlog."""

_FREES_ITS_KEY: Final = frozenset({State.CANCELLED, State.DEAD})
"""Ends after which nothing of a unique job runs, so that the next one with its key may."""


def record_limited(job: PreparedJob, ports: Ports, items: TransactionItems | None = None) -> PreparedJob:
    """
    Record a job, if its quotas and its key let it, together with the caller's items if it came with some.

    Returns:
        The job; as a duplicate if another has its id or its key, as the pending one if that does its work.

    Raises:
        QuotaExceededError, JobIdTakenError: A quota is used up, or a job of another type has its id.
        ItemConditionError: A condition of the caller's items didn't hold.
        EnqueueError: Whether it was recorded is not known, or others were faster again and again.
    """
    try:
        what = " and ".join((*_items(job), *(() if items is None else ("items of yours",))))
        return ports.retry_conflicts(partial(_record, job, ports, items), what=what)
    except UnavailableError as error:
        kind = "a quota, unique_for or debounce" if items is None else "items"
        why = f"{error}; a job with {kind} can't be sent unrecorded"
        raise EnqueueError(job.job_id, why) from error
    except QuotaExceededError as error:
        ports.emit(Action.JOB_OVER_QUOTA, job.record, reason=str(error), public=job.public)
        raise


def _items(job: PreparedJob) -> list[str]:
    """Return the names of the items to read and write, each once."""
    return [*(() if job.key is None else (job.key.item,)), *(use.item for use in job.quotas)]


def _record(job: PreparedJob, ports: Ports, items: TransactionItems | None) -> PreparedJob:
    names = _items(job)
    found = ports.ledger.marks(names) if names else {}
    now = ports.clock()  # after the read, which may have taken seconds: this is when a quota counts the job
    writes: list[GuardWrite] = []
    if job.key is not None:
        holder = found.get(job.key.item)
        another = _with_its_key(job, job.key, holder, now, ports)
        if another is not None:
            return another
        writes.append(_taking(job, job.key, holder))
    try:
        writes += _counting(job, found, now)
    except QuotaExceededError:
        another = _with_its_id(job, now, ports)
        if another is None:
            raise
        return another
    existing = (
        ports.ledger.put_guarded(job.record, writes)
        if items is None
        else ports.ledger.put_guarded(job.record, writes, items)
    )
    return job if existing is None or job.has_new_id else duplicate_of(existing, job, ports.ledger)


def _with_its_key(
    job: PreparedJob, key: UniqueKey, holder: GuardItem | None, now: datetime, ports: Ports
) -> PreparedJob | None:
    """Return the job as the one that has its key and does its work; None if it may take the key."""
    if holder is None or holder.job_id == job.job_id:
        return None  # by an answer that was lost, the item may be this job's own
    if key.keeps_last:
        return supersede(holder.job_id, job, ports.ledger)
    if holder.until <= now:
        return None
    existing = ports.ledger.get(holder.job_id)
    if existing is not None and existing.state in _FREES_ITS_KEY:
        return None
    by_id = _with_its_id(job, now, ports)
    if by_id is not None:
        return by_id
    return duplicate_of_retired(holder.job_id, job) if existing is None else duplicate_of(existing, job, ports.ledger)


def _with_its_id(job: PreparedJob, now: datetime, ports: Ports) -> PreparedJob | None:
    """Return the job as the one that has its id, which makes it a duplicate, whatever its quotas and its key say."""
    existing = None if job.has_new_id else ports.ledger.get(job.job_id)
    if existing is None or (existing.expires_at is not None and existing.expires_at <= now):
        return None
    return duplicate_of(existing, job, ports.ledger)


def _taking(job: PreparedJob, key: UniqueKey, holder: GuardItem | None) -> GuardWrite:
    """Return the write by which a job takes its key."""
    until = job.record.run_at + _PENDING_KEPT if key.keeps_last else job.record.created_at + key.window
    mark = GuardItem(name=key.item, job_id=job.job_id, until=until)
    return GuardWrite(mark=mark, after=None if holder is None else holder.job_id)


def _counting(job: PreparedJob, found: Mapping[str, GuardItem], now: datetime) -> list[GuardWrite]:
    """Return the writes that count a job against its quotas; QuotaExceededError if one is used up."""
    writes: list[GuardWrite] = []
    for use in job.quotas:
        before = found.get(use.item)
        window = spend(None if before is None else before.window, use.quota, now=now)
        if isinstance(window, Full):
            raise QuotaExceededError(use.name, n=use.quota.n, per=use.quota.per, retry_at=window.retry_at)
        until = forgotten_at(window, use.quota)
        mark = GuardItem(name=use.item, job_id=job.job_id, until=until, window=window)
        writes.append(GuardWrite(mark=mark, after=None if before is None else before.job_id))
    return writes

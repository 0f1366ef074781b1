"""What a caller may say of one job, and the checks of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from lanework.engine.jobtypes.arguments import LONGEST_DELAY, check_durations, checked_moment
from lanework.engine.jobtypes.job_type import Options
from lanework.errors import InvalidOptionError, did_you_mean, is_a, shown
from lanework.model.job.ids import checked_parent
from lanework.model.limits import Concurrency, bounds_of

if TYPE_CHECKING:
    from lanework.engine.jobtypes.family import TypeOptions
    from lanework.model.lanes import Lane, LaneName
    from lanework.model.limits import Bound
    from lanework.model.workflow.dependency import OnFailureName

LONGEST_UNIQUE: Final = timedelta(days=30)
MOST_PARENTS: Final = 50
"""Every write of a waiting job pays for their ids."""

DURATIONS: Final = ("delay", "backoff", "timeout", "unique_for", "debounce")


class EnqueueOptions(TypedDict, total=False):
    """
    What `enqueue`, `enqueue_async` and `request` may say of a job, by keyword.

    Attributes:
        lane: Another lane than the type's.
        delay: Wait before the first start. Up to 15 minutes is held by SQS, longer by the sweep; at most ten years.
        run_at: When it is to start, instead of `delay`; aware. A time in the past starts it at once, and the receipt's
            `overdue` says so.
        start_by: When it is no longer worth starting, as a time or as a duration from now: not started by then, it is
            dead, cause `expired`. A redrive starts it all the same.
        job_id: An id of yours, used once for as long as the job is kept: a repeated one enqueues nothing new.
        tenant: On whose behalf, 1 to 128 printable characters: lanes share themselves fairly between tenants (SQS fair
            queues), and limits may have it as their key.
        correlation_id: What the job belongs to, such as a web request: log lines and events name it, and jobs that it
            enqueues take it along. By default that of the job that enqueues it, or that job's id.
        attempts: Most attempts, the first included, 1 to 100.
        backoff: Wait before the second attempt; it doubles from there.
        timeout: How long an attempt may take before it is stopped; at most the lane's function's time less 5 s.
        webhook: Address of a webhook for its completion or death, instead of the type's.
        unique_for: One job for each value of the type's `key` within this time: a second one enqueues nothing, and its
            receipt has the first one's id.
        debounce: The last one for each value of the type's `key` runs, once, this long after it was enqueued.
        after: Ids of jobs, 50 at most, that must have completed before this one starts: until then it is `blocked`.
            They exist, or are enqueued in the same call. `delay` and `start_by` count from the enqueue.
        fallback: `inline`: if the job can be neither recorded nor sent, its code runs here and now, once: no time-out,
            no retry, what it raises is raised here, and the receipt says `ran_inline`. An answer that was lost looks
            like none, so the job may run as well. For one job that starts at once, without a quota or
            `unique_for`; `enqueue_many` raises.
        on_failure: What a parent that died or was cancelled does to it. `wait`, the default: it waits on while the
            parent is dead, which a redrive may mend, and is cancelled when that is dropped, cancelled or expired.
            `cancel`: it is cancelled. `run`: it runs all the same. `die`: it is dead, cause `parent_failed`.
    """

    lane: LaneName | Lane | None
    delay: timedelta | None
    run_at: datetime | None
    start_by: datetime | timedelta | None
    job_id: str | None
    tenant: str | None
    correlation_id: str | None
    attempts: int | None
    backoff: timedelta | None
    timeout: timedelta | None
    webhook: str | None
    unique_for: timedelta | None
    debounce: timedelta | None
    after: Sequence[str] | None
    on_failure: OnFailureName | None
    fallback: Literal["inline"] | None


def check_known(said: Mapping[str, object], known: Collection[str], *, of: str) -> None:
    """Refuse an option that there isn't, which must not be passed over; the error names the nearest."""
    for name in said:
        if name not in known:
            hint = did_you_mean(name, sorted(known)) or f"; known: {', '.join(sorted(known))}"
            msg = f"unknown option {shown(name)} of {of}{hint}"
            raise InvalidOptionError(msg)


def check_windows(key: tuple[str, ...], *, unique_for: timedelta | None, debounce: timedelta | None) -> None:
    """Refuse a window of unique work that is out of bounds, has no key, or comes with the other one."""
    for name, window in (("unique_for", unique_for), ("debounce", debounce)):
        if window is None:
            continue
        if not timedelta(seconds=1) <= window <= LONGEST_UNIQUE:
            msg = f"{name} must be between 1 s and {LONGEST_UNIQUE.days} days, got {window}"
            raise InvalidOptionError(msg)
        if not key:
            msg = f"{name} needs a key: declare the job type with key='user_id', the field that makes two jobs the same"
            raise InvalidOptionError(msg)
    if unique_for is not None and debounce is not None:
        msg = "unique_for keeps the first job and debounce the last: give one of them"
        raise InvalidOptionError(msg)


def checked_delay(delay: timedelta) -> timedelta:
    """Return a wait before the first start, of 0 to ten years."""
    if timedelta(0) <= delay <= LONGEST_DELAY:
        return delay
    hint = "; leave it out to start at once" if delay < timedelta(0) else ""
    msg = f"delay must be between 0 and {LONGEST_DELAY.days} days, got {delay}{hint}"
    raise InvalidOptionError(msg)


def checked_start_by(start_by: datetime | timedelta) -> datetime | timedelta:
    """Return when a job is no longer worth starting: an aware time, or a duration of up to ten years."""
    if isinstance(start_by, datetime):
        return checked_moment("start_by", start_by)
    check_durations(start_by=start_by)
    if not timedelta(0) < start_by <= LONGEST_DELAY:
        msg = f"start_by as a duration must be above zero and at most {LONGEST_DELAY.days} days, got {start_by}"
        raise InvalidOptionError(msg)
    return start_by


def checked_parents(after: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of what a job waits for, at most 50."""
    if not is_a(after, Sequence) or is_a(after, str | bytes):
        msg = f"after takes a list of job ids: after=[{shown(after)}]"
        raise InvalidOptionError(msg)
    if len(after) > MOST_PARENTS:
        msg = f"a job can wait for {MOST_PARENTS} others, not {len(after)}: use a group or a batch for more"
        raise InvalidOptionError(msg)
    return tuple(checked_parent(one) for one in after)


def options_of(said: TypeOptions) -> Options:
    """Return what a family or a type says of its jobs' policy."""
    check_durations(backoff=said.get("backoff"), timeout=said.get("timeout"))
    if said.get("record") not in (None, "full", "start"):
        msg = f"record must be 'full' or 'start', got {shown(said.get('record'))}"
        raise InvalidOptionError(msg)
    given: dict[str, Any] = {one.name: said.get(one.name) for one in fields(Options)}
    return Options(**given)


def limits_of(scope: str, said: TypeOptions) -> tuple[Bound, ...]:
    """Return the limits of a family or a type."""
    concurrency = said.get("concurrency")
    at_once = Concurrency(concurrency) if isinstance(concurrency, int) else concurrency
    return bounds_of(scope, at_once, said.get("rate"), said.get("quota"))

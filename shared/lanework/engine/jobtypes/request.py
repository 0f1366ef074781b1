"""What a caller says of one job: its options, and the checked request that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from lanework.engine.jobtypes.arguments import LONGEST_DELAY, check_durations, checked_moment
from lanework.engine.jobtypes.job_type import Options, resolve_policy
from lanework.errors import InvalidOptionError, did_you_mean, is_a, shown
from lanework.model.job.headers import CORRELATION, Headers, with_headers
from lanework.model.job.ids import checked_job_id, checked_parent, checked_tenant, well_formed_job_id
from lanework.model.job.payload import parsed, part_of
from lanework.model.limits import TENANT, Quota
from lanework.model.workflow.dependency import checked_takes, on_failure_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from lanework.engine.jobtypes.job_type import JobType
    from lanework.model.lanes import Lane, LaneName
    from lanework.model.workflow.dependency import OnFailure, OnFailureName

LONGEST_UNIQUE: Final = timedelta(days=30)
_DEBOUNCED_ALONE: Final = (
    "a debounced job starts when its window is over, under an id of its own: leave out delay, run_at and job_id"
)
MOST_PARENTS: Final = 50
"""Every write of a waiting job pays for their ids."""


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
        webhook: Address that is told when the job completes or dies, instead of the type's.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    A job that is asked for but not yet enqueued.

    Attributes:
        type: Its job type.
        payload: Its payload, valid.
        options: What this call says of lane, attempts, backoff and timeout, over what the type says.
        delay: Wait before the first start; None starts at once.
        run_at: When to start, if that was said instead.
        start_by: When it is no longer worth starting.
        job_id: The caller's id; None has one made.
        tenant: On whose behalf.
        headers: What goes along beside the payload, by name.
        unique_for: Window within which no other job with the same key is enqueued.
        debounce: Window within which a later job with the same key takes its place.
        after: What must have completed before it starts.
        on_failure: What a parent that died or was cancelled does to it.
        takes: The payload's field that the first parent's result goes into; `*` makes the result its payload.
        workflow: The workflow that it is part of, or is called back by.
        slot: Its place there.
        runs_inline: Its code is run by the caller where it can't be enqueued.
        digest: Of all that the caller said under an idempotency key, as `digest_of` makes it.
    """

    type: JobType
    payload: BaseModel
    options: Options
    delay: timedelta | None = None
    run_at: datetime | None = None
    start_by: datetime | timedelta | None = None
    job_id: str | None = None
    tenant: str | None = None
    headers: Headers = ()
    unique_for: timedelta | None = None
    debounce: timedelta | None = None
    after: tuple[str, ...] = ()
    on_failure: OnFailure | None = None
    takes: str | None = None
    workflow: str | None = None
    slot: int | None = None
    runs_inline: bool = False
    digest: str | None = None

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """
        Return the request with words that go along beside the payload: `run.headers` has them when the job runs.

        Args:
            headers: Names of lower-case letters, digits and -; values of printable ASCII; at most 1 KB in all.

        Raises:
            InvalidOptionError: They can't be used.
        """
        return replace(self, headers=with_headers(self.headers, headers))


def request_of(job_type: JobType, payload: BaseModel | Mapping[str, object] | str, said: EnqueueOptions) -> Request:
    """
    Return the request that a caller's words make.

    Raises:
        InvalidPayloadError: The payload doesn't fit.
        UnknownLaneError: The lane is none of the five.
        InvalidOptionError: Another option can't be used.
    """
    return _request(job_type, parsed(job_type.name, job_type.model, payload), said)


def builtin_request(job_type: JobType, payload: Mapping[str, object] | str, job_id: str) -> Request:
    """
    Return the request for a job under an id of Lanework's own, which no caller may give.

    Raises:
        InvalidPayloadError: The payload doesn't fit.
        InvalidOptionError: The job is debounced, or the id is too long.
    """
    request = request_of(job_type, payload, {})
    if request.debounce is not None:
        raise InvalidOptionError(_DEBOUNCED_ALONE)
    return replace(request, job_id=well_formed_job_id(job_id))


def link_of(job_type: JobType, takes: str, given: Mapping[str, object], said: EnqueueOptions) -> Request:
    """
    Return the request for a job that takes the result of the one before it in a chain.

    Args:
        job_type: The job's type.
        takes: The field that the result goes into; `*` makes the result, an object, the payload.
        given: Fields that are known; over what the result has.
        said: The options.

    Raises:
        InvalidPayloadError: The payload has no such field.
        InvalidOptionError, UnknownLaneError: As in `request_of`; or a key of unique work or of a quota isn't given.
    """
    checked_takes(takes, job_type.model.model_fields, job_type.name)
    request = _request(job_type, part_of(job_type.name, job_type.model, given), said)
    quotas = [bound.limit.key for bound in job_type.bounds if isinstance(bound.limit, Quota)]
    keys = job_type.key if request.unique_for is not None else ()
    open_keys = [key for key in (*keys, *quotas) if key not in (None, TENANT) and key not in given]
    if open_keys:
        msg = f"{job_type.name} is keyed by {open_keys[0]!r} when it is enqueued: give it to the link, given={{…}}"
        raise InvalidOptionError(msg)
    return replace(request, takes=takes)


def _request(job_type: JobType, payload: BaseModel, said: EnqueueOptions) -> Request:
    _check_known(said)
    check_durations(**{name: said.get(name) for name in ("delay", "backoff", "timeout", "unique_for", "debounce")})
    options = Options(
        lane=said.get("lane"),
        attempts=said.get("attempts"),
        backoff=said.get("backoff"),
        timeout=said.get("timeout"),
        webhook=said.get("webhook"),
    )
    resolve_policy(options.over(job_type.options))
    job_id, tenant, run_at = said.get("job_id"), said.get("tenant"), said.get("run_at")
    correlation_id = said.get("correlation_id")
    request = Request(
        type=job_type,
        payload=payload,
        options=options,
        delay=_checked_delay(said.get("delay")),
        run_at=None if run_at is None else checked_moment("run_at", run_at),
        start_by=_checked_start_by(said.get("start_by")),
        job_id=None if job_id is None else checked_job_id(job_id),
        tenant=None if tenant is None else checked_tenant(tenant),
        headers=() if correlation_id is None else with_headers((), {CORRELATION: correlation_id}),
    )
    if request.delay is not None and request.run_at is not None:
        msg = "delay and run_at both say when to start; give one of them"
        raise InvalidOptionError(msg)
    unique_for, debounce = said.get("unique_for", job_type.unique_for), said.get("debounce", job_type.debounce)
    check_windows(job_type.key, unique_for=unique_for, debounce=debounce)
    if debounce is not None and (request.delay, request.run_at, request.job_id) != (None, None, None):
        raise InvalidOptionError(_DEBOUNCED_ALONE)
    return _falling_back(_waiting(replace(request, unique_for=unique_for, debounce=debounce), said), said)


def _falling_back(request: Request, said: EnqueueOptions) -> Request:
    """Return a request with what becomes of it where it can't be enqueued."""
    fallback = said.get("fallback")
    if fallback is None:
        return request
    if fallback != "inline":
        msg = f"fallback must be 'inline', or left out to have EnqueueError raised, got {shown(fallback)}"
        raise InvalidOptionError(msg)
    if request.delay or request.run_at is not None or request.after or request.debounce is not None:
        msg = "fallback='inline' runs a job at once: leave out delay, run_at, after and debounce"
        raise InvalidOptionError(msg)
    if request.unique_for is not None or any(isinstance(bound.limit, Quota) for bound in request.type.bounds):
        msg = "fallback='inline' can't count: it goes neither with unique_for nor with a quota"
        raise InvalidOptionError(msg)
    return replace(request, runs_inline=True)


def _waiting(request: Request, said: EnqueueOptions) -> Request:
    """Return a request with what it waits for."""
    after, on_failure = said.get("after") or (), said.get("on_failure")
    if not is_a(after, Sequence) or is_a(after, str | bytes):
        msg = f"after takes a list of job ids: after=[{shown(after)}]"
        raise InvalidOptionError(msg)
    if len(after) > MOST_PARENTS:
        msg = f"a job can wait for {MOST_PARENTS} others, not {len(after)}: gather many with a group or a batch"
        raise InvalidOptionError(msg)
    if after and request.debounce is not None:
        msg = "a debounced job starts when its window is over: it can't wait for others, too"
        raise InvalidOptionError(msg)
    return replace(
        request,
        after=tuple(checked_parent(one) for one in after),
        on_failure=None if on_failure is None else on_failure_of(on_failure),
    )


def _check_known(said: EnqueueOptions) -> None:
    """Refuse an option that there isn't: one that is misspelt must not be passed over."""
    known = sorted(EnqueueOptions.__optional_keys__)
    for name in said:
        if name not in known:
            hint = did_you_mean(name, known) or f"; known: {', '.join(known)}"
            msg = f"unknown option {shown(name)} of an enqueue{hint}"
            raise InvalidOptionError(msg)


def check_windows(key: tuple[str, ...], *, unique_for: timedelta | None, debounce: timedelta | None) -> None:
    """
    Check what is said of unique work.

    Raises:
        InvalidOptionError: A window can't be used, both are given, or there is no key.
    """
    for name, window in (("unique_for", unique_for), ("debounce", debounce)):
        if window is None:
            continue
        if not timedelta(seconds=1) <= window <= LONGEST_UNIQUE:
            msg = f"{name} must lie between 1 s and {LONGEST_UNIQUE.days} days, got {window}"
            raise InvalidOptionError(msg)
        if not key:
            msg = f"{name} needs a key: declare the job type with key='user_id', the field that makes two jobs the same"
            raise InvalidOptionError(msg)
    if unique_for is not None and debounce is not None:
        msg = "unique_for keeps the first job and debounce the last: give one of them"
        raise InvalidOptionError(msg)


def _checked_delay(delay: timedelta | None) -> timedelta | None:
    if delay is None or timedelta(0) <= delay <= LONGEST_DELAY:
        return delay
    hint = "; leave it out to start at once" if delay < timedelta(0) else ""
    msg = f"delay must lie between 0 and {LONGEST_DELAY.days} days, got {delay}{hint}"
    raise InvalidOptionError(msg)


def _checked_start_by(start_by: datetime | timedelta | None) -> datetime | timedelta | None:
    if start_by is None:
        return None
    if isinstance(start_by, datetime):
        return checked_moment("start_by", start_by)
    check_durations(start_by=start_by)
    if not timedelta(0) < start_by <= LONGEST_DELAY:
        msg = f"start_by as a duration must be above zero and at most {LONGEST_DELAY.days} days, got {start_by}"
        raise InvalidOptionError(msg)
    return start_by

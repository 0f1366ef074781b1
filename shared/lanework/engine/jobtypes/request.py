"""The checked request that a caller's payload and options make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.jobtypes.arguments import check_durations, checked_moment
from lanework.engine.jobtypes.job_type import Policy, resolve_policy
from lanework.engine.jobtypes.options import (
    DURATIONS,
    EnqueueOptions,
    check_known,
    check_windows,
    checked_delay,
    checked_parents,
    checked_start_by,
)
from lanework.errors import InvalidOptionError, is_a, shown, word_of
from lanework.model.job.headers import CORRELATION, Headers, with_headers
from lanework.model.job.ids import checked_job_id, checked_tenant, well_formed_job_id
from lanework.model.job.payload import parsed, part_of
from lanework.model.limits import TENANT, Quota
from lanework.model.workflow.dependency import OnFailure, checked_takes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from pydantic import BaseModel

    from lanework.engine.jobtypes.job_type import JobType

_OF_POLICY: Final = ("lane", "attempts", "backoff", "timeout", "webhook")
_DEBOUNCED_ALONE: Final = (
    "a debounced job starts when its window is over, under an id of its own: leave out delay, run_at and job_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    A job that is asked for but not yet enqueued: its payload is valid, its options are checked.

    Attributes:
        policy: Its lane, attempts, backoff, timeout and webhook: what this call says of them, over what the type says.
        delay: Wait before the first start; None starts at once.
        run_at: When to start, if that was said instead.
        job_id: The caller's id; None has one made.
        takes: The payload's field that the first parent's result goes into; `*` makes the result its payload.
        workflow: The workflow that it is part of, or is called back by; `slot` is its place there.
        runs_inline: Its code is run by the caller where it can't be enqueued.
        digest: Of all that the caller said under an idempotency key, as `digest_of` makes it.
    """

    type: JobType
    payload: BaseModel
    policy: Policy
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

    @property
    def is_limited(self) -> bool:
        """Whether a quota, or a key of unique or debounced work, decides if it may be recorded."""
        return self.unique_for is not None or self.debounce is not None or self.type.has_quota

    @property
    def is_recorded_at_start(self) -> bool:
        """Whether its type says so; under an idempotency key the record comes first, since it holds the key."""
        return self.type.is_recorded_at_start and self.digest is None

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """
        Return the request with words that go along beside the payload: `run.headers` has them when the job runs.

        Args:
            headers: Names of lower-case letters, digits and -; values of printable ASCII; at most 1 KB in all.

        Raises:
            InvalidOptionError: They can't be used.
        """
        return replace(self, headers=with_headers(self.headers, headers))


def only_requests(given: Sequence[Request]) -> Sequence[Request]:
    """Return what was given to be enqueued; InvalidOptionError if something is no request."""
    for one in given:
        if not is_a(one, Request):
            msg = f"enqueue_many takes what job.request(…) returns, got a value of type {type(one).__name__}"
            raise InvalidOptionError(msg)
    return given


def request_of(job_type: JobType, payload: BaseModel | Mapping[str, object] | str, said: EnqueueOptions) -> Request:
    """Return the request that a caller's words make; InvalidPayloadError, UnknownLaneError or InvalidOptionError."""
    return _request(job_type, parsed(job_type.name, job_type.model, payload), said)


def builtin_request(job_type: JobType, payload: BaseModel | Mapping[str, object] | str, job_id: str) -> Request:
    """Return the request for a job under an id of Lanework's own, which no caller may give; none may be debounced."""
    request = request_of(job_type, payload, {})
    if request.debounce is not None:
        raise InvalidOptionError(_DEBOUNCED_ALONE)
    return replace(request, job_id=well_formed_job_id(job_id))


def link_of(job_type: JobType, takes: str, given: Mapping[str, object], said: EnqueueOptions) -> Request:
    """
    Return the request for a job that takes the result of the one before it in a chain; errors as in `request_of`.

    What keys it when it is enqueued, of unique work or of a quota, must be given.

    Args:
        job_type: The job's type.
        takes: The field that the result goes into; `*` makes the result, an object, the payload.
        given: Fields that are known; over what the result has.
        said: The options.
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
    if said:
        check_known(said, EnqueueOptions.__optional_keys__, of="an enqueue")
        check_durations(**{name: said.get(name) for name in DURATIONS})
    given: dict[str, Any] = {name: value for name, value in said.items() if name in _OF_POLICY and value is not None}
    request = Request(
        type=job_type,
        payload=payload,
        policy=resolve_policy(replace(job_type.options, **given) if given else job_type.options),
        unique_for=job_type.unique_for,
        debounce=job_type.debounce,
    )
    return _with_options(request, said) if said else request


def _with_options(request: Request, said: EnqueueOptions) -> Request:
    """Return a request with what was said beside its policy; each option is checked, then all together."""

    def checked(name: str, check: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - of any option
        value = said.get(name)
        return None if value is None else check(value)

    request = replace(
        request,
        delay=checked("delay", checked_delay),
        run_at=checked("run_at", lambda moment: checked_moment("run_at", moment)),
        start_by=checked("start_by", checked_start_by),
        job_id=checked("job_id", checked_job_id),
        tenant=checked("tenant", checked_tenant),
        headers=checked("correlation_id", lambda one: with_headers((), {CORRELATION: one})) or (),
        unique_for=said.get("unique_for", request.unique_for),
        debounce=said.get("debounce", request.debounce),
        after=checked_parents(said.get("after") or ()),
        on_failure=checked("on_failure", partial(word_of, "on_failure", OnFailure)),
        runs_inline=said.get("fallback") is not None,
    )
    check_windows(request.type.key, unique_for=request.unique_for, debounce=request.debounce)
    _check_start(request)
    if request.runs_inline:
        _check_fallback(request, said.get("fallback"))
    return request


def _check_start(request: Request) -> None:
    if request.delay is not None and request.run_at is not None:
        msg = "delay and run_at both say when to start; give one of them"
        raise InvalidOptionError(msg)
    if request.debounce is None:
        return
    if (request.delay, request.run_at, request.job_id) != (None, None, None):
        raise InvalidOptionError(_DEBOUNCED_ALONE)
    if request.after:
        msg = "a debounced job starts when its window is over: it can't wait for others, too"
        raise InvalidOptionError(msg)


def _check_fallback(request: Request, fallback: object) -> None:
    if fallback != "inline":
        msg = f"fallback must be 'inline', or left out to have EnqueueError raised, got {shown(fallback)}"
        raise InvalidOptionError(msg)
    if request.delay or request.run_at is not None or request.after or request.debounce is not None:
        msg = "fallback='inline' runs a job at once: leave out delay, run_at, after and debounce"
        raise InvalidOptionError(msg)
    if request.type.batch is not None:
        msg = f"fallback='inline' runs one job's code here, and {request.type.name} runs many in a call: leave it out"
        raise InvalidOptionError(msg)
    if request.is_limited:
        msg = "fallback='inline' can't be combined with unique_for or a quota, which need a record"
        raise InvalidOptionError(msg)

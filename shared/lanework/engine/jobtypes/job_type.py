"""A job type: its name, its code, its payload's model, and the options that it was declared with."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lanework.errors import InvalidOptionError, shown
from lanework.model.lanes import LANES, LONGEST_IN_LAMBDA, LONGEST_IN_WORKER, MOST_ATTEMPTS, Lane, lane_of
from lanework.model.lifecycle.retention import BY_AGE
from lanework.model.limits import Quota, is_count
from lanework.model.retry.wait import Backoff
from lanework.model.webhooks import checked_webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from lanework.engine.jobtypes.batch import BatchTerms
    from lanework.model.lanes import LaneName
    from lanework.model.lifecycle.retention import Retention
    from lanework.model.limits import Bound
    from lanework.model.schedule.schedule import Schedule

Where = Literal["anywhere", "worker"]
RecordFrom = Literal["full", "start"]
Upcast: TypeAlias = "Callable[[Any], Any]"
"""Turns a payload of one version, as JSON values, into one of the next version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a family, a type or a call may say of its jobs; None leaves it to the level above, at last to the lane."""

    lane: LaneName | Lane | None = None
    attempts: int | None = None
    backoff: timedelta | None = None
    timeout: timedelta | None = None
    where: Where | None = None
    webhook: str | None = None
    record: RecordFrom | None = None

    def over(self, above: Options) -> Options:
        """Return these options, with what they leave open taken from the level above."""
        said: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(above, **{name: value for name, value in said.items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a job is treated, once every level has spoken."""

    lane: Lane
    attempts: int
    backoff: timedelta
    timeout: timedelta
    webhook: str | None = None


def resolve_policy(options: Options) -> Policy:
    """Return the policy that resolved options mean; UnknownLaneError or InvalidOptionError if one can't be used."""
    lane = Lane.MEDIUM if options.lane is None else lane_of(options.lane)
    attempts = LANES[lane].attempts if options.attempts is None else options.attempts
    if not is_count(attempts) or not 1 <= attempts <= MOST_ATTEMPTS:
        msg = f"attempts must be between 1 (run once) and {MOST_ATTEMPTS}, got {shown(attempts)}"
        raise InvalidOptionError(msg)
    backoff = Backoff() if options.backoff is None else Backoff(base=options.backoff)
    timeout = LANES[lane].usual_job if options.timeout is None else options.timeout
    _check_timeout(timeout, lane, options.where)
    webhook = None if options.webhook is None else checked_webhook(options.webhook)
    return Policy(lane=lane, attempts=attempts, backoff=backoff.base, timeout=timeout, webhook=webhook)


def _check_timeout(timeout: timedelta, lane: Lane, where: Where | None) -> None:
    """Refuse a timeout that nothing can give: beyond Lambda's longest a worker process is meant."""
    is_for_workers = where == "worker" or timeout > LONGEST_IN_LAMBDA
    longest = LONGEST_IN_WORKER if is_for_workers else LANES[lane].longest_job
    if timedelta(0) < timeout <= longest:
        return
    place = "in a worker process" if is_for_workers else f"in lane {lane}"
    most, got = longest.total_seconds(), timeout.total_seconds()
    msg = f"timeout {place} must be above zero and at most {most:g} s, got {got:g} s"
    roomier = [other.value for other, terms in LANES.items() if timeout <= terms.longest_job]
    if roomier and timeout > timedelta(0):
        msg = f'{msg}; it would fit in lane {roomier[0]}, or with where="worker"'
    raise InvalidOptionError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """
    A declared job type.

    Attributes:
        function: The job's own code; it takes a `Run` as its second parameter if `takes_run`.
        options: What the declaration said, family's options included.
        returns: What the function returns, for reading results back; Any if it doesn't say.
        version: Version of the payload that the code understands, with all before it.
        upcast: What turns a payload of an older version, as JSON values, into one of the next version.
        bounds: The limits that its jobs fall under: its family's, then its own.
        key: The fields of the payload that make a job the same as another, for `unique_for` and `debounce`.
        retention: How many ended jobs of its family are kept.
        schedule: When it is enqueued by itself; None if nobody declared that.
        batch: How many of its jobs one call of the function takes; None: a call takes a payload.
    """

    name: str
    queue: str
    function: Callable[..., object]
    model: type[BaseModel]
    takes_run: bool
    is_async: bool
    options: Options
    returns: Any = Any
    discard_on: tuple[type[Exception], ...] = ()
    version: int = 1
    upcast: Mapping[int, Upcast] = field(default_factory=dict, hash=False)
    aliases: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()
    key: tuple[str, ...] = ()
    unique_for: timedelta | None = None
    debounce: timedelta | None = None
    retention: Retention = BY_AGE
    schedule: Schedule | None = None
    batch: BatchTerms | None = None
    api: bool = True

    def current(self, payload: str, version: int) -> str:
        """
        Return a payload of a version, as JSON text, brought up to today's; as it is where nothing is declared for that.

        Raises:
            InvalidPayloadError: An upcast raised, or none leads from that version to today's.
        """
        if version >= self.version or not self.upcast:
            return payload
        from lanework.engine.jobtypes.upcast import upcasted  # noqa: PLC0415 - few payloads are old

        return upcasted(self, payload, version)

    @property
    def is_recorded_at_start(self) -> bool:
        """Whether its jobs get their record from the claim that starts them; an enqueue only sends a message."""
        return self.options.record == "start"

    @property
    def has_quota(self) -> bool:
        """Whether its jobs count against a quota, which is spent with the record: none begins by a message alone."""
        return any(isinstance(bound.limit, Quota) for bound in self.bounds)

    @property
    def waits_for(self) -> tuple[Bound, ...]:
        """The limits that a claimed run must pass; quotas were spent when it was enqueued."""
        return tuple(bound for bound in self.bounds if not isinstance(bound.limit, Quota))

"""A job type: its name, its code, its payload's model, and the options that it was declared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from lanework.errors import InvalidOptionError, shown
from lanework.model.lanes import LANES, LONGEST_IN_LAMBDA, LONGEST_IN_WORKER, MOST_ATTEMPTS, Lane, lane_of
from lanework.model.lifecycle.retention import BY_AGE
from lanework.model.limits import Quota, is_count
from lanework.model.retry_wait import Backoff
from lanework.model.webhooks import checked_webhook

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from lanework.model.lanes import LaneName
    from lanework.model.lifecycle.retention import Retention
    from lanework.model.limits import Bound
    from lanework.model.schedule.schedule import Schedule
Where = Literal["anywhere", "worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    What a family, a type or a call may say of its jobs; None leaves it to the level above, in the end to the lane.

    Attributes:
        lane: How soon.
        attempts: Most attempts, the first included.
        backoff: Wait before the second attempt; it doubles from there.
        timeout: How long an attempt may take before it is stopped.
        where: What may run it: `worker`, a worker process only, or `anywhere`.
        webhook: Address of the webhook for its completion or death.
    """

    lane: LaneName | Lane | None = None
    attempts: int | None = None
    backoff: timedelta | None = None
    timeout: timedelta | None = None
    where: Where | None = None
    webhook: str | None = None

    def over(self, above: Options) -> Options:
        """Return these options, with what they leave open taken from the level above."""
        return Options(
            lane=above.lane if self.lane is None else self.lane,
            attempts=above.attempts if self.attempts is None else self.attempts,
            backoff=above.backoff if self.backoff is None else self.backoff,
            timeout=above.timeout if self.timeout is None else self.timeout,
            where=self.where or above.where,
            webhook=above.webhook if self.webhook is None else self.webhook,
        )


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
        msg = f"attempts must lie between 1 (run once) and {MOST_ATTEMPTS}, got {shown(attempts)}"
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
        name: Its stable dotted name.
        queue: The family it belongs to.
        function: The job's own code.
        model: Model of its payload.
        takes_run: The function takes a `Run` as its second parameter.
        is_async: The function is `async def`.
        options: What the declaration said, family's options included.
        returns: What the function returns, for reading results back; Any if it doesn't say.
        discard_on: Exceptions that no further attempt can help.
        version: Version of the payload that the code understands, with all before it.
        aliases: Names it had before; jobs that still carry one run as this type.
        bounds: The limits that its jobs fall under: its family's, then its own.
        key: The fields of the payload that make a job the same as another, for `unique_for` and `debounce`.
        unique_for: Window within which one job for each key is enqueued.
        debounce: Window within which a later job takes an earlier one's place.
        retention: How many ended jobs of its family are kept.
        schedule: When it is enqueued by itself; None if nobody declared that.
        api: It may be enqueued over HTTP.
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
    aliases: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()
    key: tuple[str, ...] = ()
    unique_for: timedelta | None = None
    debounce: timedelta | None = None
    retention: Retention = BY_AGE
    schedule: Schedule | None = None
    api: bool = True

    @property
    def has_quota(self) -> bool:
        """Whether its jobs count against a quota, which is spent with the record: none begins by a message alone."""
        return any(isinstance(bound.limit, Quota) for bound in self.bounds)

    @property
    def waits_for(self) -> tuple[Bound, ...]:
        """The limits that a claimed run must pass; quotas were spent when it was enqueued."""
        return tuple(bound for bound in self.bounds if not isinstance(bound.limit, Quota))

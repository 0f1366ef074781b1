"""Which job types there are, and what their declarations say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from lanework.errors import DeclarationError, InvalidOptionError, UnknownJobTypeError, is_a, shown
from lanework.model.backoff import Backoff
from lanework.model.lanes import LANES, LONGEST_IN_LAMBDA, LONGEST_IN_WORKER, MOST_ATTEMPTS, Lane, lane_of
from lanework.model.limits import Quota, is_count
from lanework.model.retention import BY_AGE
from lanework.model.webhooks import checked_webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from lanework.model.lanes import LaneName
    from lanework.model.limits import Bound
    from lanework.model.retention import Retention
    from lanework.model.schedules import Schedule

T = TypeVar("T")
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
        webhook: Where its completion or death is told.
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


LONGEST_DELAY: Final = timedelta(days=366 * 10)
"""How far ahead a start may lie."""

MOST_VERSIONS: Final = 1_000_000


def settled(options: Options) -> Policy:
    """
    Return the policy that resolved options mean.

    Raises:
        UnknownLaneError: The lane is none of the five.
        InvalidOptionError: The attempts, the backoff or the webhook can't be used.
    """
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


class Registry:
    """
    The job types of an application, by name.

    Attributes:
        retentions: How many ended jobs are kept, for the queues that say so.
    """

    def __init__(self, types: Iterable[JobType]) -> None:
        """
        Collect job types.

        Raises:
            DeclarationError: Two have the same name, or two families of one queue keep different numbers of jobs.
        """
        self._types: dict[str, JobType] = {}
        self._aliases: dict[str, JobType] = {}
        for one in types:
            self._aliases |= dict.fromkeys(one.aliases, one)
            if one.name in self._types:
                queues = f"{self._types[one.name].queue!r} and {one.queue!r}"
                msg = f"job type {one.name!r} is declared twice, in queues {queues}"
                raise DeclarationError(msg)
            self._types[one.name] = one
        self.retentions = _retentions(self._types.values())

    def find(self, name: str) -> JobType | None:
        """Return the job type that has the name, or had it before; or None."""
        return (self._types.get(name) or self._aliases.get(name)) if is_a(name, str) else None

    def get(self, name: str) -> JobType:
        """
        Return the job type.

        Raises:
            UnknownJobTypeError: There is none; the message names the nearest.
        """
        found = self.find(name)
        if found is None:
            kind = "job type"
            raise UnknownJobTypeError(kind, name, sorted(self._types))
        return found

    @property
    def types(self) -> tuple[JobType, ...]:
        """All job types, by name."""
        return tuple(self._types[name] for name in sorted(self._types))

    @property
    def queues(self) -> tuple[str, ...]:
        """The names of all queues, sorted."""
        return tuple(sorted({one.queue for one in self._types.values()}))


def _retentions(types: Iterable[JobType]) -> Mapping[str, Retention]:
    """Return what the families say of how many ended jobs they keep."""
    found: dict[str, Retention] = {}
    for one in types:
        if one.retention.is_by_age_only:
            continue
        if found.setdefault(one.queue, one.retention) != one.retention:
            msg = f"two families of queue {one.queue!r} keep different numbers of jobs; say keep_… in one of them only"
            raise DeclarationError(msg)
    return found


def check_durations(**given: object) -> None:
    """
    Refuse a bare number, of which nobody knows whether it means seconds.

    Raises:
        InvalidOptionError: One is neither None nor a timedelta.
    """
    for name, value in given.items():
        if value is not None and not isinstance(value, timedelta):
            msg = f"{name} must be a timedelta, as in {name}=timedelta(seconds=10), got {shown(value)}"
            raise InvalidOptionError(msg)


def checked_moment(name: str, moment: datetime) -> datetime:
    """
    Return a moment, in UTC and the whole milliseconds that the ledger keeps, if it says which it is.

    Raises:
        InvalidOptionError: It is no datetime, or has no time zone.
    """
    if not isinstance(moment, datetime):
        msg = f"{name} must be a datetime with a time zone, got {shown(moment)}"
        raise InvalidOptionError(msg)
    if moment.utcoffset() is None:
        msg = f"{name} needs a time zone, got {moment.isoformat()}: datetime(…, tzinfo=UTC), or datetime.now(UTC) + …"
        raise InvalidOptionError(msg)
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        msg = f"{name} lies outside of the years 1 to 9999 in UTC: {moment.isoformat()}"
        raise InvalidOptionError(msg) from None
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def listed(what: str, given: Iterable[T]) -> Iterable[T]:
    """
    Return what was given for a list, if it is one.

    Raises:
        InvalidOptionError: It is not.
    """
    if is_a(given, Iterable) and not is_a(given, str | bytes):
        return given
    msg = f"{what} takes a list, got {shown(given)}"
    raise InvalidOptionError(msg)


def checked_names(what: str, given: object) -> tuple[str, ...]:
    """
    Return names that were given for one or several, none for None.

    Raises:
        InvalidOptionError: They are neither a name nor a list of them.
    """
    if given is None or isinstance(given, str):
        return () if given is None else (given,)
    names = tuple(given) if isinstance(given, Iterable) else (given,)
    if all(isinstance(one, str) for one in names):
        return names
    msg = f"{what} takes a name, or several in a tuple, got {shown(given)}"
    raise InvalidOptionError(msg)

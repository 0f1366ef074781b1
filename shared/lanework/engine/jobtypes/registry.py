"""The job types that an application knows, by name and version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lanework.engine.jobtypes.job_type import resolve_policy
from lanework.errors import DeclarationError, LaneLeftOutError, UnknownJobTypeError, is_a
from lanework.model.job.ids import QUEUE_OF_OURS
from lanework.model.lanes import ALL_LANES, nearest_lane

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanework.engine.jobtypes.job import Enqueues
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.subscription import Subscription
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.retention import Retention


class Family(Protocol):
    """
    What an application takes: job types, and events that are jobs of them.

    Attributes:
        types: The job types.
        subscriptions: The events.
    """

    subscriptions: tuple[Subscription, ...]

    @property
    def types(self) -> tuple[JobType, ...]:
        """The job types."""

    def join(self, app: Enqueues) -> None:
        """Enqueue through this application from now on."""


class Registry:
    """
    The job types of an application, by name.

    Attributes:
        retentions: How many ended jobs are kept, for the queues that say so.
    """

    def __init__(self, types: Iterable[JobType]) -> None:
        """Collect job types; DeclarationError if two have one name, or a queue's families differ in what they keep."""
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
        """Return the job type; UnknownJobTypeError, which names the nearest, if there is none."""
        found = self.find(name)
        if found is None:
            kind = "job type"
            raise UnknownJobTypeError(kind, name, sorted(self._types))
        return found

    def in_lanes(self, lanes: Sequence[Lane]) -> Registry:
        """
        Return the job types as a stack that has these lanes runs them: Lanework's own in the nearest lane there is.

        Raises:
            LaneLeftOutError: A job type of the application is in another lane.
        """
        return self if len(lanes) == len(ALL_LANES) else Registry(_in_lanes(one, lanes) for one in self.types)

    @property
    def types(self) -> tuple[JobType, ...]:
        """All job types, by name."""
        return tuple(self._types[name] for name in sorted(self._types))

    @property
    def queues(self) -> tuple[str, ...]:
        """The names of all queues, sorted."""
        return tuple(sorted({one.queue for one in self._types.values()}))


def _in_lanes(one: JobType, lanes: Sequence[Lane]) -> JobType:
    lane = resolve_policy(one.options).lane
    if lane in lanes:
        return one
    if one.queue != QUEUE_OF_OURS:
        raise LaneLeftOutError(lane, job_type=one.name, lanes=lanes)
    return replace(one, options=replace(one.options, lane=nearest_lane(lane, lanes)))


def _retentions(types: Iterable[JobType]) -> Mapping[str, Retention]:
    """Return what the families say of how many ended jobs they keep."""
    found: dict[str, Retention] = {}
    for one in types:
        if one.retention.is_by_age_only:
            continue
        if found.setdefault(one.queue, one.retention) != one.retention:
            msg = f"two families of queue {one.queue!r} keep different numbers of jobs; set keep_… in one of them only"
            raise DeclarationError(msg)
    return found

"""What happened within a minute or an hour: numbers, the jobs that were late or died, how much the lanes held."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from lanework.model.lanes import Lane, LaneDepth
from lanework.model.lifecycle.states import Cause
from lanework.model.stats.numbers import Key, Numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)

MOST_INCIDENTS: Final = 100
"""Incidents of a bucket that are kept by name, deaths and late jobs together; all of them are counted."""

_MILLISECOND: Final = timedelta(milliseconds=1)


class Kind(StrEnum):
    """What kind of an incident."""

    LATE = "late"
    DEATH = "death"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A job that started later than its lane's SLA, after it had `waited`, or died of a cause, `at` that time."""

    kind: Kind
    at: datetime
    job_id: str
    type: str
    queue: str
    lane: Lane
    attempt: int
    waited: timedelta | None = None
    cause: Cause | None = None

    @property
    def text(self) -> str:
        """The incident as JSON text."""
        waited_ms = None if self.waited is None else self.waited // _MILLISECOND
        at_ms = round(self.at.timestamp() * 1000)
        parts = (self.kind, at_ms, self.job_id, self.type, self.queue, self.lane, self.attempt, waited_ms, self.cause)
        return json.dumps(parts, separators=(",", ":"))

    @classmethod
    def at_text(cls, text: str) -> Incident:
        """Return the incident whose text this is."""
        kind, at_ms, job_id, type_, queue, lane, attempt, waited_ms, cause = json.loads(text)
        return cls(
            kind=Kind(kind),
            at=datetime.fromtimestamp(at_ms // 1000, UTC) + at_ms % 1000 * _MILLISECOND,
            job_id=job_id,
            type=type_,
            queue=queue,
            lane=Lane(lane),
            attempt=attempt,
            waited=None if waited_ms is None else waited_ms * _MILLISECOND,
            cause=None if cause is None else Cause(cause),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """
    What happened within a minute or an hour.

    Attributes:
        at: When it begins.
        numbers: Of each lane, queue and type.
        incidents: Late and dead jobs, oldest first, at most 100: the counts are in the numbers.
        depths: The most that each lane held at a minute's tick; a lane that held nothing may be missing.
    """

    at: datetime
    numbers: Mapping[Key, Numbers] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    depths: Mapping[Lane, LaneDepth] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.numbers or self.incidents or self.depths)

    @property
    def text(self) -> str:
        """All but its time, as JSON text."""
        depths = {lane: [one.waiting, one.in_flight, one.delayed, one.dead] for lane, one in self.depths.items()}
        content = {
            "numbers": numbers_as_json(self.numbers),
            "incidents": [one.text for one in self.incidents],
            "depths": depths,
        }
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def at_text(cls, at: datetime, text: str) -> Bucket:
        """Return the bucket whose text this is."""
        content: dict[str, Any] = json.loads(text)
        return cls(
            at=at,
            numbers=numbers_from_json(content["numbers"]),
            incidents=tuple(Incident.at_text(one) for one in content["incidents"]),
            depths={
                Lane(lane): LaneDepth(waiting=waiting, in_flight=in_flight, delayed=delayed, dead=dead)
                for lane, (waiting, in_flight, delayed, dead) in content["depths"].items()
            },
        )


def joined(at: datetime, buckets: Iterable[Bucket]) -> Bucket:
    """Return one bucket for several; of a lane's depth the most counts."""
    numbers: dict[Key, Counter[str]] = {}
    incidents: list[Incident] = []
    depths: dict[Lane, LaneDepth] = {}
    for bucket in buckets:
        for key, one in bucket.numbers.items():
            numbers.setdefault(key, Counter()).update(one.counts)
        incidents += bucket.incidents
        for lane, depth in bucket.depths.items():
            depths[lane] = depths.get(lane, LaneDepth()).or_more(depth)
    incidents.sort(key=lambda one: (one.at, one.job_id))
    return Bucket(
        at=at,
        numbers={key: Numbers(dict(found)) for key, found in numbers.items()},
        incidents=tuple(incidents[-MOST_INCIDENTS:]),
        depths=depths,
    )


def minute_of(moment: datetime) -> datetime:
    """Return when the moment's minute begins."""
    return moment.replace(second=0, microsecond=0)


def hour_of(moment: datetime) -> datetime:
    """Return when the moment's hour begins."""
    return moment.replace(minute=0, second=0, microsecond=0)


def numbers_as_json(numbers: Mapping[Key, Numbers]) -> dict[str, dict[str, int]]:
    """Return numbers as JSON values."""
    return {key.text: dict(one.counts) for key, one in numbers.items()}


def numbers_from_json(values: Mapping[str, Mapping[str, int]]) -> dict[Key, Numbers]:
    """Return the numbers whose JSON values these are."""
    return {Key.at(text): Numbers(dict(counts)) for text, counts in values.items()}

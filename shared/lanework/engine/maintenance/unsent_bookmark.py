"""Where the walk over recent jobs has come to, lane by lane, as it is kept between two ticks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.ports.index_keys import Summary

_LONGEST_BEHIND: Final = timedelta(days=6)
"""How far behind a walk may be; the audit has looked at what is older."""


@dataclass(slots=True, kw_only=True)
class Course:
    """
    Where a walk is.

    Attributes:
        lanes: Up to which position the jobs of each lane were looked at.
        homes: Further lanes that jobs of a type were seen in, beside the one that its code declares.
        later: Jobs of a lane that could not be judged when they were looked at, by why: from, to, and of which types.
    """

    lanes: dict[Lane, str]
    homes: dict[str, list[str]] = field(default_factory=dict)
    later: dict[str, list[object]] = field(default_factory=dict)

    @classmethod
    def at(cls, text: str) -> Course:
        """Return the course that was kept as a text."""
        kept = json.loads(text)
        return cls(
            lanes={Lane(lane): position for lane, position in kept["lanes"].items()},
            homes=kept["homes"],
            later=kept["later"],
        )

    @property
    def text(self) -> str:
        """The course as it is kept."""
        kept = {"lanes": self.lanes, "homes": self.homes, "later": self.later}
        return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def readable(text: str | None) -> str | None:
    """Return a kept course's text; None of one that another release has written: the walk begins anew."""
    if text is None:
        return None
    try:
        course = Course.at(text)
        moments = [moment_of(position) for position in course.lanes.values()]
        for why, (first, last, _) in course.later.items():
            Lane(why.partition("/")[0])
            moments += [moment_of(str(first)), moment_of(str(last))]
        for lanes in course.homes.values():
            [*map(Lane, lanes)]
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return None
    return text if moments and all(moment.tzinfo is not None for moment in moments) else None


def put_off(one: Summary, why: str, course: Course) -> None:
    """Note that a job is to be looked at once more."""
    position = position_of(one.created_at)
    first, last, types = course.later.get(why, [position, position, []])
    course.later[why] = [min(str(first), position), max(str(last), position), sorted({*texts(types), one.type})]


def course_at(kept: str | None, now: datetime, *, begins: datetime) -> Course:
    """Return the course that was kept, or one that begins then; what is too far behind is the audit's."""
    if kept is None:
        return Course(lanes=dict.fromkeys(Lane, position_of(begins)))
    course = Course.at(kept)
    oldest = position_of(now - _LONGEST_BEHIND)
    return Course(
        lanes={lane: max(course.lanes.get(lane, oldest), oldest) for lane in Lane},
        homes=course.homes,
        later=course.later,
    )


def next_group(course: Course, targets: Mapping[Lane, datetime]) -> set[Lane]:
    """Return the lanes that are furthest behind, equally far, of those that can be walked on; none if none can."""
    behind = {lane: position for lane, position in course.lanes.items() if moment_of(position) < targets[lane]}
    first = min(behind.values(), default="")
    return {lane for lane, position in behind.items() if position == first}


def position_of(moment: datetime) -> str:
    """Return where the jobs begin that were enqueued at a moment: a key's position is this and more."""
    return moment.isoformat(timespec="milliseconds")


def moment_of(position: str) -> datetime:
    """Return when the jobs at a position were enqueued."""
    return datetime.fromisoformat(position.partition("#")[0])


def texts(value: object) -> list[str]:
    """Return the names in what was kept."""
    return [str(one) for one in value] if isinstance(value, list) else []

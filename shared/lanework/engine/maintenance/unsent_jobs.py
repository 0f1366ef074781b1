"""
Jobs that were recorded and never sent: their producer stopped between the two, in the middle of a fan-out, say.

The minute's tick walks the index of recent jobs, which holds keys only, and reads each job once, eventually
consistently, when it is clear whether a message carries it (docs/decisions/0036): a job that is queued in its first
life, was never claimed and has no entry gets one if its lane holds no message that waits, or if jobs that were enqueued
a minute after it have begun. The sweep then sends it. While a lane is behind, the walk waits for it: a backlog is not
sent twice over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lanework.engine.maintenance.unsent_bookmark import (
    Course,
    course_at,
    moment_of,
    next_group,
    position_of,
    put_off,
    readable,
    texts,
)
from lanework.engine.ports.messages import LONGEST_SQS_DELAY
from lanework.model.events import Action, Event
from lanework.model.lanes import Lane, LaneDepth
from lanework.model.lifecycle import operator_moves
from lanework.model.lifecycle.change import Applied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lanework.engine.ports.bundle import Ports
    from lanework.engine.ports.index_keys import JobKey, Summary

GRACE: Final = timedelta(minutes=2)
"""How old a job is when it is looked at: it was sent by then, and SQS counts it (after a minute at most)."""

OVERTAKEN_AFTER: Final = timedelta(minutes=1)
"""How much later than a job those were enqueued that have begun before it, if it was overtaken."""

_FIRST_LOOK_BACK: Final = timedelta(hours=1)
"""How far back the first walk of a stack begins; what is older is the audit's."""

_TENANTS_WAIT: Final = timedelta(hours=1)
"""How long the jobs of a tenant may wait behind its own before they are sent once more, as the sweep does it."""

_KEPT_AFTER: Final = timedelta(minutes=10)
"""After how long a walk that found no jobs keeps where it has come to."""

_SAMPLE: Final = 100
_SEEN: Final = 8
_LEAST_SEEN: Final = 4
_MOST_BEGUN: Final = 0.75
_PROBES: Final = 4

_BOOKMARK: Final = "unsent"


@dataclass(slots=True, kw_only=True)
class Looked:
    """
    What a walk did.

    Attributes:
        read: Jobs that were read.
        entered: Jobs that nothing carried; the sweep sends them.
        is_done: It has come as far as is clear by now; otherwise time ran out, and the next tick goes on.
    """

    read: int = 0
    entered: int = 0
    is_done: bool = True


class UnsentJobs:
    """Finds jobs that nothing carries, and enters them for the sweep. It reads each job that is enqueued, once."""

    def __init__(self, ports: Ports, *, home: Callable[[str], Lane | None]) -> None:
        """Take the ports, and what gives the lane that a job type's code declares, None where there is no code."""
        self._ports = ports
        self._home = home
        self._counts: Mapping[Lane, LaneDepth] = {}
        self._looked = Looked()

    def tick(
        self, counts: Mapping[Lane, LaneDepth] | None = None, *, has_time: Callable[[], bool] = lambda: True
    ) -> Looked:
        """Walk on as far as is clear by now; `counts` of each lane are read if they weren't a moment ago."""
        now = self._ports.clock()
        self._looked = Looked()
        counts = counts or {lane: self._ports.lanes.live(lane) for lane in self._ports.stack_lanes}
        self._counts = {**dict.fromkeys(Lane, LaneDepth()), **counts}  # a lane that is left out holds nothing
        before = readable(self._ports.flags.bookmark(_BOOKMARK))
        course = course_at(before, now, begins=now - GRACE - _FIRST_LOOK_BACK)
        targets = {lane: self._target(lane, course, now) for lane in Lane}
        while self._looked.is_done and (group := next_group(course, targets)):
            self._walk(course, group, targets, has_time)
        for why in list(course.later) if self._looked.is_done else []:
            self._look_again(course, why, targets, has_time)
        self._keep(course, before, now)
        return self._looked

    # --- how far

    def _target(self, lane: Lane, course: Course, now: datetime) -> datetime:
        """
        Return up to when the jobs of a lane can be judged.

        What a lane has in flight needs no look: a message isn't in flight for as long as the grace without a claim.
        """
        newest = now - GRACE
        if not self._counts[lane].waiting:
            return newest
        low, high = moment_of(course.lanes[lane]), newest
        for _ in range(_PROBES):
            if high <= low:
                break
            begun_since = self._begun_before(lane, course, high)
            if begun_since is not None:
                return begun_since - OVERTAKEN_AFTER
            high = low + (high - low) / 2
        return low

    def _begun_before(self, lane: Lane, course: Course, moment: datetime) -> datetime | None:
        """Return since when the latest jobs of a lane before a moment have begun; None if they wait, or are too few."""
        page = self._ports.ledger.recent(
            day=moment.date().isoformat(), before=position_of(moment), limit=_SAMPLE, keep=None
        )
        keys = [key for key in page.keys if lane in self._lanes_of(key.type, course)]
        known = [one for one in self._summaries(keys) if one.damage is None]
        found = [one for one in known if one.lane is lane and one.life == 1 and not one.is_delayed]
        seen = sorted(found, key=lambda one: one.created_at)[-_SEEN:]
        begun = sum(not one.is_unclaimed for one in seen)
        return seen[0].created_at if len(seen) >= _LEAST_SEEN and begun >= _MOST_BEGUN * len(seen) else None

    def _lanes_of(self, job_type: str, course: Course) -> set[Lane]:
        home = self._home(job_type)
        return {*map(Lane, course.homes.get(job_type, ())), *((home,) if home else ())} or {Lane.CRITICAL}

    # --- the walk

    def _walk(
        self, course: Course, group: set[Lane], targets: Mapping[Lane, datetime], has_time: Callable[[], bool]
    ) -> None:
        """Look at a page of jobs, for lanes that have come equally far."""
        if not has_time():
            self._looked.is_done = False
            return
        start = course.lanes[next(iter(group))]
        until = min(targets[lane] for lane in group)
        keys, end = self._page(start, until)
        ours = [key for key in keys if not group.isdisjoint(self._lanes_of(key.type, course))]
        found = [one for one in self._summaries(ours) if self._is_readable(one)]
        self._looked.read += len(found)
        begun: dict[tuple[Lane, str | None], datetime] = {}
        for one in found:
            if one.lane not in self._lanes_of(one.type, course):
                course.homes.setdefault(one.type, []).append(one.lane)
            if not one.is_unclaimed:
                begun[one.lane, one.tenant] = one.created_at
        for one in found:
            is_left_to_its_lane = one.lane not in group and course.lanes[one.lane] <= start
            if one.is_unsent and not is_left_to_its_lane:
                self._judge(one, course, targets[one.lane], begun.get((one.lane, one.tenant)))
        for lane in group:
            course.lanes[lane] = end

    def _judge(self, one: Summary, course: Course, target: datetime, begun: datetime | None) -> None:
        """
        Enter a job that nothing carries, or put it off where that isn't clear yet.

        Unless its lane is empty, these are a job whose delay isn't over, and one of a tenant of whom no later job has
        `begun`: SQS lets the jobs of a tenant with a backlog wait (fair queues). Jobs up to `target` can be judged.
        """
        counts = self._counts[one.lane]
        if one.is_delayed and one.due_at > target and counts.holds_anything:
            put_off(one, f"{one.lane}/delay", course)
        elif one.tenant is not None and counts.waiting and (begun is None or begun <= one.created_at):
            put_off(one, f"{one.lane}/tenant", course)
        else:
            self._enter(one)

    def _look_again(
        self, course: Course, why: str, targets: Mapping[Lane, datetime], has_time: Callable[[], bool]
    ) -> None:
        """Look once more at jobs that could not be judged, now that those with a delay are due, or their turn was."""
        lane = Lane(why.partition("/")[0])
        first, last, types = course.later[why]
        start, stop = str(first), moment_of(str(last)) + timedelta(milliseconds=1)
        until = min(stop, targets[lane] - self._wait_of(why, lane))
        while moment_of(start) < until:
            if not has_time():
                self._looked.is_done = False
                break
            keys, start = self._page(start, until)
            found = self._summaries(key for key in keys if key.type in texts(types))
            self._looked.read += len(found)
            for one in found:
                if one.lane is lane and one.is_unsent and (one.is_delayed or one.tenant is not None):
                    self._enter(one)
        if moment_of(start) >= stop:
            del course.later[why]
        else:
            course.later[why] = [start, last, types]

    def _wait_of(self, why: str, lane: Lane) -> timedelta:
        """Return how much older than others jobs must be to be judged that were put off."""
        if why.endswith("/delay"):
            return LONGEST_SQS_DELAY
        return _TENANTS_WAIT if self._counts[lane].waiting else timedelta(0)

    def _page(self, start: str, until: datetime) -> tuple[Sequence[JobKey], str]:
        """Return jobs that were enqueued from a position on, day by day, and the position after them."""
        day = moment_of(start).date()
        page = self._ports.ledger.enqueued(day=day.isoformat(), after=start, until=until)
        if page.cursor is not None:
            return page.keys, page.cursor
        if day == until.date():
            return page.keys, position_of(until)
        next_day = datetime.combine(day + timedelta(days=1), datetime.min.time(), until.tzinfo)
        return page.keys, position_of(min(next_day, until))

    def _summaries(self, keys: Iterable[JobKey]) -> list[Summary]:
        return self._ports.ledger.summaries([key.job_id for key in keys])

    def _is_readable(self, one: Summary) -> bool:
        """Tell whether a job's record can be read; one that can't is reported, and left to the audit."""
        if one.damage is not None:
            now = self._ports.clock()
            event = Event(action=Action.JOB_UNREADABLE, at=now, job_id=one.job_id, reason=one.damage)
            self._ports.events.emit(event)
        return one.damage is None

    def _enter(self, one: Summary) -> None:
        now = self._ports.clock()
        change = operator_moves.enter_unsent(at=max(now, one.due_at))
        answer = self._ports.ledger.change(one.job_id, change)
        if isinstance(answer, Applied):
            self._looked.entered += 1
            reason = "recorded and never sent: its producer stopped in between"
            self._ports.emit(Action.JOB_SEND_DEFERRED, answer.record, reason=reason)

    def _keep(self, course: Course, before: str | None, now: datetime) -> None:
        """Keep where the walk has come to: not each minute, where nothing is enqueued."""
        if before is None:
            self._ports.flags.set_bookmark(_BOOKMARK, course.text)
            return
        kept = Course.at(before)
        is_old = any(now - GRACE - moment_of(position) > _KEPT_AFTER for position in kept.lanes.values())
        if course.text != before and (self._looked.read or is_old):
            self._ports.flags.move_bookmark(_BOOKMARK, course.text, since=before)

"""The dead jobs, for people and for a redrive of many: lists, and plans of what would be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from lanework.engine.ports.index_keys import EntryKey
from lanework.errors import (
    InvalidOptionError,
    NotDeadError,
    NothingMatchesError,
    did_you_mean,
    foreign_cursor,
)
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lanework.engine.ports.bundle import Ports
    from lanework.model.lifecycle.states import JobRecord

PAGE: Final = 100
"""Jobs of a page; more of them are redriven by a job of their own. Also the most that one call reads."""

MOST_COUNTED: Final = 10_000
"""Dead jobs that a plan or a grouped list looks at before it says "at least"."""

_PAGES_LOOKED_AT: Final = 10
"""Pages that are read for one of those that are asked for, so that a filter that matches little stays bounded."""

_LOOKED_AT_FOR_ADVICE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadList:
    """Part of the list of dead jobs, the latest death first; `cursor` gives the next page, None after the last."""

    jobs: tuple[JobRecord, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrivePlan:
    """
    Which jobs a redrive or a drop would move; making it changes nothing.

    Attributes:
        jobs: The first of them, at most a page, the latest death first.
        count: How many they are; at most 10,000 are counted.
        is_counted: Whether `count` is all of them.
        left_out: Of chosen jobs, those that can't be moved, each with why, such as `queued` or `not found`.
    """

    filter: DeadFilter
    jobs: tuple[JobRecord, ...]
    count: int
    is_counted: bool
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_one_page(self) -> bool:
        """Whether `jobs` are all of them."""
        return self.count == len(self.jobs)


class DeadJobs:
    """Reads the dead. Its reads grow with what is asked for, never with the jobs that are well."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def get(self, job_id: str) -> JobRecord:
        """Return a dead job, its payload included; JobNotFoundError or NotDeadError."""
        return _dead(self._ports.existing(job_id))

    def page(self, which: DeadFilter, *, limit: int = 20, cursor: str | None = None) -> DeadList:
        """
        Return dead jobs, the latest death first; five reads for each 100 that are looked at, of which there are 1,000.

        Where few are what is asked for, a page may be short, even empty, and have a cursor: where it stopped looking.

        Raises:
            InvalidOptionError: The limit, 1 to 100, or the cursor of the page before can't be used.
        """
        if not 1 <= limit <= PAGE:
            msg = f"limit must be between 1 and {PAGE}, got {limit}"
            raise InvalidOptionError(msg)
        before = None if cursor is None else _checked(cursor)
        found: list[JobRecord] = []
        for _ in range(_PAGES_LOOKED_AT):
            page = self._ports.ledger.dead(before=before, limit=PAGE, since=which.died_after, until=which.died_before)
            found += [one for one in self._read([key.job_id for key in page.keys]) if which.matches(one)]
            before = page.cursor
            if len(found) > limit:
                return DeadList(jobs=tuple(found[:limit]), cursor=_position(found[limit - 1]))
            if before is None or len(found) == limit:
                break
        return DeadList(jobs=tuple(found), cursor=before)

    def matching(self, which: DeadFilter) -> Iterator[JobRecord]:
        """Yield every dead job that is asked for, the latest death first, a page of reads at a time."""
        if which.job_ids:
            yield from self._of_ids(which)
            return
        before: str | None = None
        while True:
            page = self._ports.ledger.dead(before=before, limit=PAGE, since=which.died_after, until=which.died_before)
            yield from filter(which.matches, self._read([key.job_id for key in page.keys]))
            before = page.cursor
            if before is None:
                return

    def plan(self, which: DeadFilter) -> RedrivePlan:
        """
        Return what a redrive or a drop would move.

        Of jobs that are asked for by their ids, those that can't be moved are left out, and the plan says which.

        Raises:
            NothingMatchesError: No dead job is asked for; the message says what the dead are.
            JobNotFoundError, NotDeadError: The one job that was asked for by its id doesn't exist, or isn't dead.
        """
        if which.job_ids:
            return self._plan_of_named(which)
        found = self.matching(which)
        jobs = tuple(islice(found, PAGE))
        if not jobs:
            raise self.nothing(which)
        count = len(jobs) + sum(1 for _ in islice(found, MOST_COUNTED - PAGE))
        return RedrivePlan(filter=which, jobs=jobs, count=count, is_counted=count < MOST_COUNTED)

    def _plan_of_named(self, which: DeadFilter) -> RedrivePlan:
        plan = self.plan_of_chosen(which)
        if plan.jobs:
            return plan
        if len(plan.left_out) == 1:
            self.get(which.job_ids[0])  # its error says what would work
        some = ", ".join(f"{job_id}: {why}" for job_id, why in islice(plan.left_out.items(), 3))
        more = "" if len(plan.left_out) <= 3 else ", …"  # noqa: PLR2004 - as many as are named
        msg = f"none of the {len(plan.left_out)} jobs is dead ({some}{more})"
        raise NothingMatchesError(msg)

    def plan_of_chosen(self, which: DeadFilter) -> RedrivePlan:
        """
        Return what would move of what somebody chose a while ago: jobs that can't be moved any more are left out.

        So is a job that isn't what else the filter says. Without ids it is `plan`.
        """
        if not which.job_ids:
            return self.plan(which)
        records = {record.job_id: record for record in self._read(which.job_ids)}
        found = {job_id: records.get(job_id) for job_id in which.job_ids}
        left_out = {job_id: why for job_id, one in found.items() if (why := _why_not(one, which)) is not None}
        jobs = tuple(one for job_id, one in found.items() if one is not None and job_id not in left_out)
        return RedrivePlan(
            filter=replace(which, job_ids=tuple(one.job_id for one in jobs) or which.job_ids),  # none would mean any
            jobs=jobs[:PAGE],
            count=len(jobs),
            is_counted=True,
            left_out=left_out,
        )

    def _of_ids(self, which: DeadFilter) -> Iterator[JobRecord]:
        yield from filter(which.matches, self._read(tuple(dict.fromkeys(which.job_ids))))

    def _read(self, job_ids: Sequence[str]) -> list[JobRecord]:
        """Return the records of jobs, in their order, without those that have expired."""
        found = self._ports.ledger.get_many(job_ids)
        now = self._ports.clock()
        return [found[one] for one in job_ids if one in found and not found[one].is_expired(now)]

    def nothing(self, which: DeadFilter) -> NothingMatchesError:
        """Return the error that says that no dead job is asked for, and what the dead are."""
        seen = list(islice(self.matching(DeadFilter()), _LOOKED_AT_FOR_ADVICE))
        if not seen:
            return NothingMatchesError("no job is dead")
        for name in ("type", "queue"):
            asked = getattr(which, name)
            known = sorted({getattr(record, name) for record in seen})
            if asked is not None and asked not in known:
                return NothingMatchesError(f"no dead job has the {name} {asked!r}{did_you_mean(asked, known)}")
        kinds = Counter(f"{record.type} in lane {record.lane} ({record.cause})" for record in seen)
        some = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(3))
        more = "" if len(kinds) <= 3 else ", …"  # noqa: PLR2004 - as many as are named
        return NothingMatchesError(f"no dead job matches {which}; dead are: {some}{more}")


def _dead(record: JobRecord) -> JobRecord:
    """Return the record if its job is dead; otherwise say what would work."""
    match record.state:
        case State.DEAD:
            return record
        case State.COMPLETED | State.CANCELLED:
            hint = "it has ended for good; enqueue it again under another id to run it once more"
        case State.RUNNING:
            hint = "it runs right now; `lanework cancel` asks it to stop"
        case _:
            hint = "it will run by itself; `lanework cancel` ends it"
    raise NotDeadError(record.job_id, state=record.state, hint=hint)


def _why_not(record: JobRecord | None, which: DeadFilter) -> str | None:
    """Return why a job that was chosen can't be moved; None if it can."""
    if record is None:
        return "not found"
    if record.state is not State.DEAD:
        return record.state.value
    if which.matches(record):
        return None
    died_at, until = record.ended_at, which.died_before
    is_later = died_at is not None and until is not None and died_at >= until
    return "died again meanwhile" if is_later else "not what the filter asks for"


def _position(record: JobRecord) -> str:
    """Return where a dead job's record stands in the index."""
    assert record.sweep_at is not None  # noqa: S101 - narrows: a dead job's entry is when it died
    return EntryKey(time=record.sweep_at, job_id=record.job_id).position


def _checked(cursor: str) -> str:
    try:
        EntryKey.at(cursor)
    except ValueError:
        raise foreign_cursor(cursor) from None
    return cursor

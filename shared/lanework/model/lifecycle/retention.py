"""Which ended jobs are retired before their records expire, and which are archived. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lanework.errors import InvalidOptionError, shown
from lanework.model.lifecycle.change import Change, Equals, InStates, NotSet
from lanework.model.lifecycle.states import ENDED, JobRecord, State
from lanework.model.limits import is_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


_MOST_KEPT: Final = 10**9
"""More than any table keeps; a number beyond it is a slip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """
    How many ended jobs of a queue are kept in its lists; what is beyond is retired.

    Attributes:
        completed: The completed ones that were enqueued last; 0 keeps none, None all until they expire.
        failed: The dead ones that died last; 0 keeps none, None all until they expire.
    """

    completed: int | None = None
    failed: int | None = None

    def __post_init__(self) -> None:
        for name, count in (("keep_completed", self.completed), ("keep_failed", self.failed)):
            if count is not None and not (is_count(count) and 0 <= count <= _MOST_KEPT):
                rule = "leave it out to keep all until they expire"
                msg = f"{name} must be 0 (keep none) or more, got {shown(count)}; {rule}"
                raise InvalidOptionError(msg)

    @property
    def is_by_age_only(self) -> bool:
        """Whether nothing is retired before it expires."""
        return self.completed is None and self.failed is None


ARCHIVE: Final = "archive"
"""Under this name the entries of ended jobs are held that are to be archived."""

ARCHIVED_BEFORE: Final = timedelta(days=1)
"""How long before its record expires a job is archived: what fails then is tried again for a day."""


def to_be_archived(ending: Change) -> Change:
    """Return the write of a completion or cancellation with an entry for the archive; any other write as it is."""
    expires_at = ending.write.get("expires_at")
    if ending.write.get("state") not in (State.COMPLETED, State.CANCELLED) or not isinstance(expires_at, datetime):
        return ending
    entry = {"sweep_at": expires_at - ARCHIVED_BEFORE, "held_by": ARCHIVE}
    return replace(ending, write={**ending.write, **entry})


def archived(record: JobRecord) -> Change:
    """Take an ended job's entry away: it is in the archive."""
    return Change(
        name="archived",
        require=(
            InStates(frozenset({State.COMPLETED, State.CANCELLED})),
            Equals("life", record.life),
            Equals("held_by", ARCHIVE),
        ),
        write={"sweep_at": None, "held_by": None},
    )


STRIPPED: Final = "the job was retired, and its content removed"
"""Stands where the result of a retired job was."""


def retire(record: JobRecord) -> Change:
    """
    Strip an ended job of its content and take it off the lists, before its record may go; a dead one is dropped first.

    What is left keeps its id used and says how it ended, so that a late message still does nothing (rule 6).
    """
    is_completed = record.state is State.COMPLETED
    return Change(
        name="retire",
        require=(
            InStates(frozenset({State.COMPLETED, State.CANCELLED})),
            Equals("life", record.life),
            NotSet("retired"),
        ),
        write={
            "retired": True,
            "payload": None,
            "result": None,
            "result_omitted": STRIPPED if is_completed else None,
            "error": None,
            "error_type": None,
            "fingerprint": None,
            "failures": (),
            "progress": None,
            "progress_note": None,
            "sweep_at": None,
            "held_by": None,
        },
    )


BY_AGE: Final = Retention()
"""Nothing is retired before it expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """
    Which ended jobs to retire.

    Attributes:
        state: Those that ended so: completed, dead or cancelled.
        queue: Those of this queue; None of every queue.
        keep: All but so many of each queue, the newest.
        ended_before: Those that ended earlier than this; None all.
    """

    state: State
    queue: str | None = None
    keep: int = 0
    ended_before: datetime | None = None

    def __post_init__(self) -> None:
        if self.state not in ENDED:
            msg = f"only jobs that have ended can be cleaned away, not {self.state} ones: completed, dead or cancelled"
            raise InvalidOptionError(msg)
        if self.keep < 0:
            msg = f"keep must be 0 (keep none) or more, got {self.keep}"
            raise InvalidOptionError(msg)

    def concerns(self, record: JobRecord) -> bool:
        """Tell whether a job counts here, kept or not."""
        return record.state is self.state and self.queue in (None, record.queue)

    def is_old_enough(self, record: JobRecord) -> bool:
        """Tell whether a job ended early enough."""
        return self.ended_before is None or (record.ended_at is not None and record.ended_at < self.ended_before)


def beyond(records: Iterable[JobRecord], cleanings: Iterable[Cleaning]) -> Iterator[JobRecord]:
    """Yield the jobs to retire, each once, whichever cleaning wants it, of ended jobs and others, the newest first."""
    asked = tuple(cleanings)
    seen: dict[tuple[Cleaning, str], int] = {}
    for record in records:
        is_beyond = False
        for one in filter(lambda cleaning: cleaning.concerns(record), asked):
            place = seen.get((one, record.queue), 0)
            seen[one, record.queue] = place + 1
            is_beyond |= place >= one.keep and one.is_old_enough(record)
        if is_beyond:
            yield record


def cleanings_of(retentions: Mapping[str, Retention]) -> tuple[Cleaning, ...]:
    """Return what the families' own retentions ask for, by queue."""
    return tuple(
        Cleaning(state=state, queue=queue, keep=keep)
        for queue, retention in sorted(retentions.items())
        for state, keep in ((State.COMPLETED, retention.completed), (State.DEAD, retention.failed))
        if keep is not None
    )

"""Which dead jobs are meant."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lanework.model.job.fingerprint import fingerprint_of
from lanework.model.lanes import Lane  # noqa: TC001 - a redrive's payload holds a DeadFilter, and pydantic reads its types
from lanework.model.lifecycle.states import Cause, State

if TYPE_CHECKING:
    from lanework.model.lifecycle.states import JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadFilter:
    """
    Which dead jobs are meant: those of which all of this is true. What is None or empty says nothing.

    Attributes:
        error: This text is part of the error, upper and lower case alike.
        fingerprint: The error has this fingerprint, as a grouped list shows it.
        died_before: Died earlier than this. A redrive of many sets it, so that what dies again isn't sent again.
        died_after: Died then or later.
    """

    lane: Lane | None = None
    queue: str | None = None
    type: str | None = None
    cause: Cause | None = None
    error: str | None = None
    fingerprint: str | None = None
    died_before: datetime | None = None
    died_after: datetime | None = None
    job_ids: tuple[str, ...] = ()

    def matches(self, record: JobRecord) -> bool:
        """Tell whether a record is that of a dead job which is meant."""
        died_at = record.ended_at
        if record.state is not State.DEAD or died_at is None:
            return False
        if any(getattr(self, name) not in (None, getattr(record, name)) for name in ("lane", "queue", "type", "cause")):
            return False
        error = record.error or ""
        return (
            (self.error is None or self.error.casefold() in error.casefold())
            and (self.fingerprint is None or self.fingerprint == fingerprint_of(record))
            and (self.died_before is None or died_at < self.died_before)
            and (self.died_after is None or died_at >= self.died_after)
            and (not self.job_ids or record.job_id in self.job_ids)
        )

    def __str__(self) -> str:
        """What is asked for, as in `lane high, cause crashed`; nothing if every dead job is meant."""
        asked = {field.name: getattr(self, field.name) for field in fields(self)}
        return ", ".join(_WORDS[name].format(_word(value)) for name, value in asked.items() if value)


_WORDS: Final = {
    "lane": "lane {}",
    "queue": "queue {}",
    "type": "type {}",
    "cause": "cause {}",
    "error": "error with {!r}",
    "fingerprint": "fingerprint {}",
    "died_before": "died before {}",
    "died_after": "died since {}",
    "job_ids": "one of {} ids",
}


def _word(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    return len(value) if isinstance(value, tuple) else value

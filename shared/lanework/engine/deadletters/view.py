"""What dead-letter queues hold, as JSON documents: the API answers them, and `--json` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from lanework.model.json_view import JsonView
from lanework.model.lanes import Lane  # noqa: TC001 - pydantic reads it
from lanework.model.lifecycle.states import Cause  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lanework.engine.deadletters.dlq_scan import Unread
    from lanework.engine.deadletters.groups import Group


class DeadGroup(JsonView):
    """Dead jobs of the same error."""

    fingerprint: str
    error: str
    count: int
    types: tuple[str, ...]
    lanes: tuple[Lane, ...]
    causes: tuple[Cause, ...]
    first_died_at: str | None
    last_died_at: str | None
    last_job_id: str

    @classmethod
    def of(cls, group: Group, error: str) -> DeadGroup:
        """Return a group, with what of its error may be read."""
        return cls(
            fingerprint=group.fingerprint,
            error=error,
            count=group.count,
            types=group.types,
            lanes=group.lanes,
            causes=group.causes,
            first_died_at=_stamp(group.first_died_at),
            last_died_at=_stamp(group.latest.ended_at),
            last_job_id=group.latest.job_id,
        )


class Unreadable(JsonView):
    """Messages of a dead-letter queue that are none of Lanework's: they stay until somebody deletes them."""

    lane: str
    count: int
    problem: str = Field(description="What is wrong with one of them.")

    @classmethod
    def each(cls, unread: Mapping[Lane, Unread]) -> tuple[Unreadable, ...]:
        """Return what lies in each lane's dead-letter queue."""
        return tuple(cls(lane=lane, count=one.count, problem=one.problem) for lane, one in unread.items())


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"

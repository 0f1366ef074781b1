"""The outbox in the proof: committed rows, whoever sends them, and a relay."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Unpack

from lanework.engine.enqueue.enqueuer import Enqueuer
from lanework.engine.jobtypes.request import Request, request_of
from lanework.outbox.rows import moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lanework import EnqueueOptions, Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.ports.bundle import Ports
    from lanework.outbox.rows import Row


@dataclass(slots=True)
class MemoryRows:
    """
    Implements `Rows`; what is in it is committed.

    Attributes:
        rows: By id, with who has claimed them.
    """

    rows: dict[str, tuple[Row, str | None]] = field(default_factory=dict)

    def claim(self, *, now_ms: int, until_ms: int, token: str, most: int) -> Sequence[Row]:
        due = [row for row, _ in self.rows.values() if row.due_ms <= now_ms][:most]
        self.rows |= {row.id: (replace(row, due_ms=until_ms), token) for row in due}
        return due

    def remove(self, ids: Sequence[str]) -> None:
        for one in ids:
            self.rows.pop(one, None)

    def postpone(self, rows: Sequence[Row], *, token: str) -> None:
        self.rows |= {row.id: (row, None) for row in rows if self.rows.get(row.id, (row, None))[1] == token}

    def dues(self) -> list[datetime]:
        """Return when rows are due."""
        return [moment(row.due_ms) for row, _ in self.rows.values()]

    def holds(self, job_id: str) -> bool:
        """Whether a row will enqueue a job."""
        return any(row.job_id == job_id for row, _ in self.rows.values())


@dataclass(frozen=True, slots=True)
class Environment:
    """What an outbox and its relay need of an application, over ports that have troubles."""

    ports: Ports
    registry: Registry

    @property
    def runtime(self) -> Environment:
        return self

    def send_written(self, requests: Sequence[Request]) -> list[Receipt[Any]]:
        return Enqueuer(self.ports).enqueue_many(requests)

    def request(self, job_type: str, payload: str, **options: Unpack[EnqueueOptions]) -> Request:
        return request_of(self.registry.get(job_type), payload, options)

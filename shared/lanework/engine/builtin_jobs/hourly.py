"""What the clock has done once an hour, by jobs of Lanework's own; an application that asks for none pays for none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanework.engine.enqueue.reserved_ids import enqueue_reserved
from lanework.engine.jobtypes.builtin import ARCHIVE, CLEAN, ArchivePayload, CleanupPayload
from lanework.engine.jobtypes.request import builtin_request
from lanework.model.lifecycle.retention import cleanings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pydantic import BaseModel

    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.registry import Registry
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.bundle import Ports

_BOOKMARK: Final = "housekeeping"


class HourlyJobs:
    """Enqueues the hourly jobs that an application's declarations and settings ask for."""

    def __init__(self, ports: Ports, registry: Registry, enqueue: Callable[[Request], Receipt[Any]]) -> None:
        self._ports = ports
        self._registry = registry
        self._enqueue = enqueue

    def tick(self) -> tuple[str, ...]:
        """
        Enqueue this hour's jobs, unless that is done; return their ids.

        The hour is part of an id, so that a tick which was cut off, or one that comes twice, enqueues none twice.
        """
        wanted = tuple(self._wanted())
        if not wanted:
            return ()
        began = self._ports.clock().replace(minute=0, second=0, microsecond=0)
        hour = f"{began:%Y-%m-%dT%H}"
        if self._ports.flags.bookmark(_BOOKMARK) == hour:
            return ()
        enqueued = tuple(self._one(name, payload, began) for name, payload in wanted)
        self._ports.flags.set_bookmark(_BOOKMARK, hour)
        return enqueued

    def _wanted(self) -> Iterator[tuple[str, BaseModel]]:
        """Yield the job types and payloads that are asked for."""
        cleanings = cleanings_of(self._registry.retentions)
        if cleanings:
            yield CLEAN, CleanupPayload(cleanings=cleanings)
        if self._ports.archive is not None:
            yield ARCHIVE, ArchivePayload()

    def _one(self, name: str, payload: BaseModel, began: datetime) -> str:
        job_id = f"{name}@{began:%Y-%m-%dT%H}"
        request = builtin_request(self._registry.get(name), payload, job_id)
        return enqueue_reserved(request, self._enqueue, self._ports, since=began).job_id

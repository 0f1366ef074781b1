"""
What runs in a worker process, where its parent reads it without the process's help.

It is memory that both have: a row for each run that was claimed, begun or not. A process whose interpreter is held by
one call, that is stopped or has died, can't be asked; what it wrote down before stands here.
"""

from __future__ import annotations

import json
import struct
import time
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Final
from zlib import crc32

from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from mmap import mmap

    from lanework.engine.execution.lease import RunLease

_ROW: Final = 8192
"""Bytes of a row: a receipt handle of 1 KB, ids, and names of more limits than a job has. Unused pages cost nothing."""

_HEAD: Final = struct.Struct("<ddII")
"""When the run was last kept alive, by when its code is over, infinite if not begun, its text's length and checksum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One run.

    Attributes:
        handle: Its message's receipt handle.
        kept_at: When it was last kept alive, on the clock that all processes share (`time.monotonic`).
        over_at: When its timeout is over, on the same clock; infinite while its code has not begun.
    """

    lane: Lane
    handle: str
    lease: RunLease
    kept_at: float
    over_at: float

    @property
    def has_begun(self) -> bool:
        """Whether its code was begun, or was about to be; if not, it was claimed ahead, or was being claimed."""
        return self.over_at != inf


class LeaseBoard:
    """The runs of one process. It alone writes; a row that it is writing right now is no row to who reads."""

    def __init__(self, memory: mmap) -> None:
        self._memory = memory
        self._bytes = memoryview(memory).cast("B")
        self._free = list(range(len(self._bytes) // _ROW))
        self._rows: dict[str, int] = {}
        self._timeouts: dict[str, float] = {}

    def enter(self, lane: Lane, handle: str, lease: RunLease) -> None:
        """Write a run down that has not begun; one that doesn't fit is kept alive by its own process only."""
        timeout_s = lease.timeout.total_seconds()
        text = json.dumps((lane, handle, lease.job_id, lease.claim_id, lease.slots, timeout_s)).encode()
        row = self._rows.get(handle)
        if (row is None and not self._free) or len(text) > _ROW - _HEAD.size:
            return
        if row is None:
            row = self._rows[handle] = self._free.pop()
        self._timeouts[handle] = timeout_s
        start = row * _ROW
        self._bytes[start + _HEAD.size : start + _HEAD.size + len(text)] = text
        _HEAD.pack_into(self._bytes, start, time.monotonic(), inf, len(text), crc32(text))

    def begin(self, handle: str) -> None:
        """Note that a run's code is about to begin."""
        row = self._rows.get(handle)
        if row is not None:
            now = time.monotonic()
            struct.pack_into("<dd", self._bytes, row * _ROW, now, now + self._timeouts[handle])

    def keep(self, handle: str) -> None:
        """Note that a run is being kept alive now."""
        row = self._rows.get(handle)
        if row is not None:
            struct.pack_into("<d", self._bytes, row * _ROW, time.monotonic())

    def leave(self, handle: str) -> None:
        """Take a run off; nothing happens if it isn't there."""
        row = self._rows.pop(handle, None)
        if row is not None:
            del self._timeouts[handle]
            _HEAD.pack_into(self._bytes, row * _ROW, 0.0, 0.0, 0, 0)
            self._free.append(row)

    def entries(self, *, kept_before: float) -> list[Entry]:
        """Return the runs that were last kept alive before this."""
        found: list[Entry] = []
        for start in range(0, len(self._bytes), _ROW):
            kept_at, over_at, length, checksum = _HEAD.unpack_from(self._bytes, start)
            if not 0 < length <= _ROW - _HEAD.size or kept_at >= kept_before:
                continue
            text = bytes(self._bytes[start + _HEAD.size : start + _HEAD.size + length])
            if crc32(text) == checksum:
                found.append(_entry_of(text, kept_at, over_at))
        return found


def bytes_for(*, runs: int) -> int:
    """Return how much memory so many runs take."""
    return runs * _ROW


def _entry_of(text: bytes, kept_at: float, over_at: float) -> Entry:
    from lanework.engine.execution.lease import RunLease  # noqa: PLC0415 - a parent loads it when there is such a run

    lane, handle, job_id, claim_id, slots, timeout_s = json.loads(text)
    timeout = timedelta(seconds=timeout_s)
    lease = RunLease(job_id=job_id, claim_id=claim_id, slots=tuple(slots), timeout=timeout)
    return Entry(lane=Lane(lane), handle=handle, lease=lease, kept_at=kept_at, over_at=over_at)

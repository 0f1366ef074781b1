"""
What runs in a worker process, where its parent reads it without the process's help.

It is memory that both have: a row for each run that was claimed. A process whose interpreter is held by one call, or
that is stopped, can't be asked; what it wrote down before stands here.
"""

from __future__ import annotations

import json
import struct
import time
from ctypes import c_ubyte
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zlib import crc32

from lanework.engine.execution.lease import RunLease
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from ctypes import Array
    from multiprocessing.context import BaseContext

_ROW: Final = 8192
"""Bytes of a row: a receipt handle of 1 KB, ids, and names of more limits than a job has. Unused pages cost nothing."""

_HEAD: Final = struct.Struct("<ddII")
"""When the run was last kept alive, by when its code should have ended, and its text's length and checksum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One run.

    Attributes:
        handle: Its message's receipt handle.
        kept_at: When it was last kept alive, on the clock that all processes share (`time.monotonic`).
        over_at: When its timeout is over, on the same clock.
    """

    lane: Lane
    handle: str
    lease: RunLease
    kept_at: float
    over_at: float


class LeaseBoard:
    """The runs of one process. It alone writes; a row that it is writing right now is no row to who reads."""

    def __init__(self, memory: Array[c_ubyte]) -> None:
        self._memory = memory
        self._bytes = memoryview(memory).cast("B")
        self._free = list(range(len(self._bytes) // _ROW))
        self._rows: dict[str, int] = {}

    def enter(self, lane: Lane, handle: str, lease: RunLease) -> None:
        """Write a run down; one that doesn't fit is kept alive by its own process only."""
        timeout_s = lease.timeout.total_seconds()
        text = json.dumps((lane, handle, lease.job_id, lease.claim_id, lease.slots, timeout_s)).encode()
        if not self._free or len(text) > _ROW - _HEAD.size:
            return
        row = self._rows[handle] = self._free.pop()
        now, start = time.monotonic(), row * _ROW
        self._bytes[start + _HEAD.size : start + _HEAD.size + len(text)] = text
        _HEAD.pack_into(self._bytes, start, now, now + timeout_s, len(text), crc32(text))

    def keep(self, handle: str) -> None:
        """Note that a run is being kept alive now."""
        row = self._rows.get(handle)
        if row is not None:
            struct.pack_into("<d", self._bytes, row * _ROW, time.monotonic())

    def leave(self, handle: str) -> None:
        """Take a run off; nothing happens if it isn't there."""
        row = self._rows.pop(handle, None)
        if row is not None:
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


def memory_for(context: BaseContext, *, runs: int) -> Array[c_ubyte]:
    """Make memory for so many runs, which a process of this context can be given."""
    return context.RawArray(c_ubyte, runs * _ROW)


def _entry_of(text: bytes, kept_at: float, over_at: float) -> Entry:
    lane, handle, job_id, claim_id, slots, timeout_s = json.loads(text)
    timeout = timedelta(seconds=timeout_s)
    lease = RunLease(job_id=job_id, claim_id=claim_id, slots=tuple(slots), timeout=timeout)
    return Entry(lane=Lane(lane), handle=handle, lease=lease, kept_at=kept_at, over_at=over_at)

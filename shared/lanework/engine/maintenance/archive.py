"""Archiving jobs before their records expire: compressed JSON lines, one a job."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lanework.engine.messaging.resend import readable
from lanework.engine.queries.job_view import as_json
from lanework.model.job.ids import SHARDS
from lanework.model.job.payload import as_values
from lanework.model.lanes import DLQ_RETENTION
from lanework.model.lifecycle.change import Applied
from lanework.model.lifecycle.retention import ARCHIVE, archived
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanework.engine.maintenance.long_job_progress import LongJobProgress
    from lanework.engine.ports.bundle import Archive, Ports
    from lanework.model.lifecycle.states import JobRecord

PAGE: Final = 100
LARGEST: Final = 8 * 1024 * 1024
"""Characters of the lines of one object, before they are compressed: what a small worker can hold."""

DEAD_FOR: Final = DLQ_RETENTION
"""A dead job is archived when it has been dead for so long: a day before its record expires."""

_BOOKMARK: Final = "archive"
_FIRST_WINDOW: Final = timedelta(days=1)


class Archiver:
    """
    Puts what is due into the archive.

    A job is written, and only then its entry cleared: what a crash cuts off is written again, so that a job may have
    two equal lines. Nothing else of it is changed.
    """

    def __init__(self, ports: Ports, archive: Archive) -> None:
        self._ports = ports
        self._archive = archive

    def run(self, tally: LongJobProgress) -> None:
        """Archive what is due, until nothing is."""
        for shard in range(SHARDS):
            while records := self._due(shard):
                self._put(records, tally)
                changes = [self._ports.ledger.change(record.job_id, archived(record)) for record in records]
                if not any(isinstance(one, Applied) for one in changes):  # they stand otherwise, or the index lags
                    break
        self._dead(tally)

    def _due(self, shard: int) -> list[JobRecord]:
        """Return ended jobs whose time has come, those that expire first."""
        ids = self._ports.ledger.held(ARCHIVE, shard, limit=PAGE)
        found = self._ports.ledger.get_many(ids)
        now = self._ports.clock()
        records = readable([found[one] for one in ids if one in found], self._ports)
        return [one for one in records if one.held_by == ARCHIVE and one.sweep_at is not None and one.sweep_at <= now]

    def _dead(self, tally: LongJobProgress) -> None:
        """Archive dead jobs: their entry is that of the dead, so a bookmark says how far they are archived."""
        until = self._ports.clock() - DEAD_FOR
        mark = self._ports.flags.bookmark(_BOOKMARK)
        since = until - _FIRST_WINDOW if mark is None else datetime.fromisoformat(mark)
        before: str | None = None
        while True:
            page = self._ports.ledger.dead(before=before, limit=PAGE, since=since, until=until)
            found = self._ports.ledger.get_many([key.job_id for key in page.keys])
            self._put([one for one in found.values() if one.state is State.DEAD], tally)
            before = page.cursor
            if before is None:
                break
        self._ports.flags.set_bookmark(_BOOKMARK, until.isoformat())

    def _put(self, records: Sequence[JobRecord], tally: LongJobProgress) -> None:
        for lines in _chunks(self._line(one) for one in records if not one.retired):
            key = f"jobs/{self._ports.clock():%Y/%m/%d}/{self._ports.new_id()}.jsonl.gz"
            self._archive.put(key, gzip.compress("".join(lines).encode(), mtime=0))
            tally.reach(tally.done + len(lines), percent=0)

    def _line(self, record: JobRecord) -> str:
        payload = self._ports.ledger.payload_of(record)
        value, problem = (None, None) if payload is None else as_values(payload)
        fields: dict[str, Any] = {
            **as_json(record),
            "payload": value if problem is None else payload,
            "log": list(self._ports.ledger.log_of(record.job_id)),
        }
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False)
        return f"{text.encode(errors='replace').decode()}\n"


def _chunks(lines: Iterator[str]) -> Iterator[list[str]]:
    """Join lines to what one object takes."""
    chunk: list[str] = []
    size = 0
    for line in lines:
        if chunk and size + len(line) > LARGEST:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line)
    if chunk:
        yield chunk

"""Sends the rows of an outbox that their writers didn't: they crashed after the commit, or AWS didn't answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError, EnqueueError, LaneworkError, QuotaExceededError, UnavailableError
from lanework.outbox.rows import milliseconds, request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lanework.app import App
    from lanework.engine.jobtypes.request import Request
    from lanework.outbox.rows import Row, Rows

BATCH: Final = 100
LEASE: Final = timedelta(minutes=1)
"""How long a relay may take for a batch; what one that was killed had claimed is the next one's after that."""

_FIRST_WAIT: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(hours=1)
_LONGEST_REASON: Final = 1_000
_OUT_OF_REACH: Final = (EnqueueError, UnavailableError, ConfigError)
_TRIES: Final = 3
"""Rows in a row that AWS doesn't take, after which the rest of a batch isn't tried: each costs a client's patience."""

log = logging.getLogger("lanework")


def send_committed(send: Callable[[], object], *, jobs: int, hint: str) -> None:
    """Send what was committed; a failure is logged, not raised, for the commit stands: a relay sends what is left."""
    try:
        send()
    except Exception as error:  # noqa: BLE001 - whatever it is: the rows are there
        reason = str(error) if isinstance(error, LaneworkError) else type(error).__name__
        log.warning(
            "outbox.send_failed",
            extra={"action": "outbox.send_failed", "reason": reason, "jobs": jobs, "hint": hint},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """
    What a relay did.

    Attributes:
        sent: Rows whose jobs were enqueued, now or before.
        kept: Rows that couldn't be sent, and are tried again later: each has its reason.
    """

    sent: int = 0
    kept: int = 0


class Relay:
    """
    Sends rows that are due. Several may run side by side, in as many processes as you like.

    A row that can't be sent stops no other. It is tried again after 10 s, then after twice as long each time, at most
    an hour.
    """

    def __init__(self, rows: Rows, app: App) -> None:
        self._rows = rows
        self._app = app

    def run(self, *, is_over: Callable[[], bool] = lambda: False) -> Relayed:
        """
        Send all that is due, in batches of 100, oldest first.

        Args:
            is_over: Is asked between two batches whether to stop.
        """
        done = Relayed()
        while not is_over():
            claimed, batch = self._batch()
            done = Relayed(sent=done.sent + batch.sent, kept=done.kept + batch.kept)
            if claimed < BATCH:
                break
        return done

    def _batch(self) -> tuple[int, Relayed]:
        now, token = self._app.ports.clock(), self._app.ports.new_id()
        until = milliseconds(now + LEASE)
        rows = self._rows.claim(now_ms=milliseconds(now), until_ms=until, token=token, most=BATCH)
        failed = self._send(rows) if rows else {}
        sent = [row.id for row in rows if row.id not in failed]
        if sent:
            self._rows.remove(sent)
        if failed:
            self._rows.postpone([self._later(row, failed[row.id]) for row in rows if row.id in failed], token=token)
        return len(rows), Relayed(sent=len(sent), kept=len(failed))

    def _send(self, rows: Sequence[Row]) -> Mapping[str, Exception]:
        """Send rows, together if that can be; return by their ids why those that failed did."""
        failed: dict[str, Exception] = {}
        requests: dict[str, Request] = {}
        for row in rows:
            try:
                requests[row.id] = request_of(row, self._app)
            except Exception as error:  # noqa: BLE001 - models are code of the application's; one row stops no other
                failed[row.id] = error
        try:
            self._app.runtime.send_written([*requests.values()])
        except LaneworkError:
            return failed | self._send_each(requests)
        return failed

    def _send_each(self, requests: Mapping[str, Request]) -> dict[str, Exception]:
        """Send one by one: what was sent before, together, is a duplicate now."""
        failed: dict[str, Exception] = {}
        in_a_row: list[LaneworkError] = []
        for row_id, request in requests.items():
            if len(in_a_row) == _TRIES:
                failed[row_id] = in_a_row[-1]
                continue
            try:
                self._app.runtime.send_written([request])
                in_a_row = []
            except LaneworkError as error:
                failed[row_id] = error
                in_a_row = [*in_a_row, error] if isinstance(error, _OUT_OF_REACH) else []
        return failed

    def _later(self, row: Row, error: Exception) -> Row:
        now = self._app.ports.clock()
        due = now + min(_FIRST_WAIT * 2 ** min(row.failures, 20), _LONGEST_WAIT)
        if isinstance(error, QuotaExceededError):
            due = error.retry_at
        # What is no error of ours may quote the payload.
        reason = str(error)[:_LONGEST_REASON] if isinstance(error, LaneworkError) else type(error).__name__
        log.warning(
            "outbox.kept",
            extra={
                "action": "outbox.kept",
                "job_id": row.job_id,
                "job_type": row.job_type,
                "reason": reason,
                "hint": "it is tried again; lanework outbox list shows what waits, lanework outbox retry sends it now",
            },
        )
        return replace(row, due_ms=milliseconds(due), failures=row.failures + 1, reason=reason)

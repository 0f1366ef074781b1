"""A run's own words, kept with its job: progress in the job's item, lines and steps in items beside it."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lanework.errors import ClaimLostError, ConfigError, InvalidOptionError, LaneworkError, UnavailableError
from lanework.model.events import Action
from lanework.model.job.sqs_text import legible
from lanework.model.lifecycle import run_moves
from lanework.model.lifecycle.change import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.engine.messaging.message_events import MessageEvents
    from lanework.engine.ports.bundle import Ports

MOST_LINES: Final = 100
MOST_BYTES: Final = 16 * 1024
LONGEST_NOTE: Final = 200
_LOOK_EVERY: Final = timedelta(seconds=1)


class LedgerRunStore:
    """
    Implements `RunStore` for one attempt.

    Attributes:
        may_wait: Whether the job's code may end its attempt to go on later; a batch function may not, for others' sake.
    """

    def __init__(self, *, job_id: str, claim_id: str, ports: Ports, events: MessageEvents) -> None:
        """Write with this attempt's claim."""
        self.may_wait = True
        self._job_id = job_id
        self._claim_id = claim_id
        self._ports = ports
        self._events = events
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._looked_at: datetime | None = None
        self._cancel_asked = False

    def progress(self, percent: int, note: str | None) -> None:
        """A ledger that doesn't answer doesn't fail the job."""
        legible_note = None if note is None else legible(note, most=LONGEST_NOTE)
        change = run_moves.report_progress(claim_id=self._claim_id, percent=percent, note=legible_note)
        try:
            answer = self._ports.ledger.change(self._job_id, change)
        except (UnavailableError, ConfigError) as error:
            self._events.note(Action.RUN_WRITE_FAILED, reason=f"{change.name}: {error}")
            return
        if isinstance(answer, Refused):
            msg = f"job {self._job_id!r} is no longer held by this attempt: its lease was over"
            raise ClaimLostError(msg)
        self._looked_at = self._ports.clock()
        self._cancel_asked = answer.record.cancel_asked

    def log(self, line: str) -> None:
        self._lines.append(
            f"{self._ports.clock():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + f"Z {legible(str(line), most=MOST_BYTES)}"
        )

    def is_cancelled(self) -> bool:
        now = self._ports.clock()
        if not self._cancel_asked and (self._looked_at is None or now - self._looked_at >= _LOOK_EVERY):
            self._looked_at = now
            with suppress(UnavailableError, ConfigError):  # it is looked at again in a second
                record = self._ports.ledger.get(self._job_id)
                self._cancel_asked = record is not None and record.cancel_asked
        return self._cancel_asked

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether the job was asked to stop, as far as is known without a look."""
        return self._cancel_asked

    def stop(self) -> None:
        """Let the job's code know at its next look that it is to stop."""
        self._cancel_asked = True

    def step(self, name: str) -> str | None:
        return self._ports.ledger.step(self._job_id, name)

    def keep_step(self, name: str, result: str) -> None:
        self._ports.ledger.keep_step(self._job_id, name, result)

    def keep_first(self, name: str, result: str) -> str:
        return self._ports.ledger.keep_first(self._job_id, name, result)

    def until(self, name: str, wait: timedelta) -> datetime | None:
        if not self.may_wait:
            msg = f"job {self._job_id!r} can't wait in a batch function, which runs for others, too: item.snooze(…)"
            raise InvalidOptionError(msg)
        asked = (self._ports.clock() + wait).isoformat(timespec="milliseconds")
        until = datetime.fromisoformat(self.keep_first(name, asked))
        return until if until > self._ports.clock() else None

    def close(self) -> None:
        """Write the lines down, the last ones that fit; a ledger that doesn't answer loses them, not the job."""
        if not self._lines:
            return
        try:
            self._ports.ledger.add_log(
                self._job_id, self._claim_id, at=self._ports.clock(), lines=fitting(tuple(self._lines))
            )
        except LaneworkError as error:
            self._events.note(Action.RUN_WRITE_FAILED, reason=f"log: {error}")


def fitting(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines that fit: at most 100, and at most 16 KB together."""
    kept: list[str] = []
    room = MOST_BYTES
    for line in reversed(lines[-MOST_LINES:]):
        text = line.encode()
        short = line if len(text) <= MOST_BYTES else f"{text[: MOST_BYTES - 3].decode(errors='ignore')}…"
        room -= len(short.encode())
        if room < 0:
            break
        kept.append(short)
    return tuple(reversed(kept))

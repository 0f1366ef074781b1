"""What the engine needs from outside, as protocols: `aws/` and `memory/` provide them, tests/contract holds both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from lanework.engine.ports.code_runner import CodeRunner
from lanework.engine.ports.messages import LONGEST_SQS_DELAY
from lanework.engine.ports.webhooks import Webhooks
from lanework.errors import ContendedError, JobNotFoundError, LaneLeftOutError
from lanework.model.events import Event
from lanework.model.lanes import ALL_LANES
from lanework.model.lifecycle.retention import to_be_archived

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.engine.ports.flags import Flags
    from lanework.engine.ports.lanes import Lanes
    from lanework.engine.ports.ledger import Ledger
    from lanework.engine.ports.limits import Limits
    from lanework.engine.ports.schedules import Scheduler, ScheduleStore
    from lanework.engine.ports.statistics import StatisticsStore
    from lanework.engine.ports.workflows import WorkflowStore
    from lanework.model.events import Action
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.change import Change
    from lanework.model.lifecycle.states import Cause, JobRecord

T = TypeVar("T")

_TRIES: Final = 20
_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.3

Clock = Callable[[], datetime]
"""Gives the time: aware, UTC, whole milliseconds."""

NewId = Callable[[], str]
"""Gives an id that nobody else has."""

Rand = Callable[[], float]
"""Gives a number from 0.0 up to, not including, 1.0."""


class EventSink(Protocol):
    """Where events go."""

    def emit(self, event: Event) -> None:
        """Take one event. Never raises."""

    def flush(self) -> None:
        """Write out what was taken; called once per batch. Never raises."""


class Archive(Protocol):
    """Where jobs go before their records expire."""

    def put(self, key: str, body: bytes) -> None:
        """
        Keep an object, below the stack's own prefix; one with the same key is replaced.

        Raises:
            UnavailableError: It doesn't answer.
            ConfigError: There is no such bucket, or no permission.
        """


def nobody(_: JobRecord) -> None:
    """Tell nobody."""


def nothing() -> None:
    """Do nothing: what is in this process needs no connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """
    Everything that the engine needs from outside, together.

    Attributes:
        look_ahead: What is due within this time is sent now, held back by SQS for what is left of it, and so starts to
            the second; what is due later waits for the sweep. At most SQS's 15 minutes.
        stack_lanes: The lanes that there are, the most urgent first; a stack may leave some out.
        archive: Where jobs go before their records expire; None keeps none.
        webhooks: Sends webhooks of completions and deaths.
        connect: Gets ready to reach what the ports stand for, before the first use. Calls nothing.
        disconnect: Closes connections; what is used later opens others.
        notify: Sends the webhook of a job's completion or death, if it has one. The application sets it; raises
            UnavailableError, and may be repeated.
    """

    ledger: Ledger
    lanes: Lanes
    flags: Flags
    limits: Limits
    schedules: ScheduleStore
    scheduler: Scheduler
    statistics: StatisticsStore
    workflows: WorkflowStore
    events: EventSink
    clock: Clock
    new_id: NewId
    new_nonce: Callable[[], str]
    rand: Rand
    code_runner: CodeRunner = field(default_factory=CodeRunner)
    look_ahead: timedelta = LONGEST_SQS_DELAY
    stack_lanes: tuple[Lane, ...] = ALL_LANES
    archive: Archive | None = None
    webhooks: Webhooks = field(default_factory=Webhooks)
    connect: Callable[[], None] = nothing
    disconnect: Callable[[], None] = nothing
    notify: Callable[[JobRecord], None] = nobody

    def ending(self, change: Change) -> Change:
        """Return the write of a job's end as it is to be made: with an entry for the archive, where there is one."""
        return change if self.archive is None else to_be_archived(change)

    def check_lane(self, lane: Lane) -> None:
        """Refuse, with LaneLeftOutError, a lane that the stack doesn't have."""
        if lane not in self.stack_lanes:
            raise LaneLeftOutError(lane, lanes=self.stack_lanes)

    def existing(self, job_id: str) -> JobRecord:
        """Return a job's record, its payload included; JobNotFoundError if there is none, or it has expired."""
        record = self.ledger.get(job_id)
        if record is None or record.is_expired(self.clock()):
            raise JobNotFoundError(job_id)
        return record

    def emit(
        self,
        action: Action,
        record: JobRecord,
        *,
        cause: Cause | None = None,
        reason: str | None = None,
        public: Mapping[str, object] | None = None,
    ) -> None:
        """Emit an event about a recorded job, as of now."""
        self.events.emit(Event.about(record, action, at=self.clock(), cause=cause, reason=reason, public=public))

    def retry_conflicts(self, attempt: Callable[[], T | None], *, what: str) -> T:
        """
        Write what a read leads to, and do both anew as long as others write in between.

        The pause before each further try is longer than the one before, and random: they add up to 5 s at most, a web
        request's patience.

        Args:
            attempt: Reads, decides and writes; returns None, or raises `ContendedError`, where others were faster.
            what: What is written, for the error, such as `schedule 'nightly'`.

        Returns:
            What the attempt returned that succeeded.

        Raises:
            ContendedError: Others were faster 20 times over. Nothing was written.
        """
        for number in range(_TRIES):
            with suppress(ContendedError):
                done = attempt()
                if done is not None:
                    return done
            longest = min(_FIRST_PAUSE_S * 2**number, _LONGEST_PAUSE_S)
            self.code_runner.pause(longest * (0.5 + self.rand() / 2))
        msg = f"{what} is being written by other processes: {_TRIES} tries failed; try again"
        raise ContendedError(msg)

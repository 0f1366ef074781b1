"""
For people who write jobs: a run to hand to a job in a unit test, a clock that stands still, an application in memory.

Also clients that are as strict as AWS, where emulators aren't.

    receipt = app_in_memory(app).enqueue("user.otp", {...}); drain(app)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from lanework.aws.strict import make_strict as make_strict  # noqa: PLC0414 - it is for tests, and theirs to import from here
from lanework.engine.jobtypes.batch import Batch, BatchItem, PayloadT
from lanework.engine.jobtypes.run import Run
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.ports.bundle import Ports
from lanework.engine.ports.code_runner import CodeRunner
from lanework.memory import (
    MemoryFlags,
    MemoryLanes,
    MemoryLedger,
    MemoryLimits,
    MemoryScheduler,
    MemorySchedules,
    MemoryStatistics,
    MemoryWorkflows,
)
from lanework.memory.drain import Drain
from lanework.model.job.headers import with_headers
from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from lanework.app import App
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.ports.transaction_items import TransactionItems
    from lanework.model.events import Event
    from lanework.model.lifecycle.states import Cause

NOON: Final = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
"""Where a test's clock begins: a Friday."""


@dataclass(slots=True)
class Clock:
    """A clock that moves only by `advance`. Call it for the time."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self.now += by


@dataclass(slots=True)
class EventList:
    """An event sink that keeps what it gets, oldest first."""

    events: list[Event] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)

    def flush(self) -> None:
        """Nothing to do."""

    @property
    def actions(self) -> list[str]:
        """The names of what happened."""
        return [event.action.value for event in self.events]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """
    A job to enqueue, and what must come of it: one row of a `lanework demo`.

    Attributes:
        request: The job, with an id of its own.
        state: The end it must reach.
        attempts: How many attempts that must take.
        cause: Why it must die, if it must.
        times: How often it is enqueued, each time under the same id; it must run once.
        shows: What this row is there to show, in a few words.
    """

    request: Request
    shows: str
    state: State = State.COMPLETED
    attempts: int = 1
    cause: Cause | None = None
    times: int = 1


@dataclass(slots=True)
class Notes:
    """
    What a job said through its run: implements `RunStore` for unit tests.

    Attributes:
        said: What it reported as progress, oldest first.
        lines: What it logged.
        steps: What its steps left, as JSON text; put something in to show a step as done.
        signals: What it gets from `run.wait_for`, by name; a signal that isn't there has not come in time.
        waits: How long it would have waited, oldest first: here no wait takes any time.
        cancelled: What `run.cancelled` answers.
    """

    said: list[tuple[int, str | None]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    signals: dict[str, object] = field(default_factory=dict)
    waits: list[timedelta] = field(default_factory=list)
    cancelled: bool = False

    def progress(self, percent: int, note: str | None) -> None:
        """Keep one report."""
        self.said.append((percent, note))

    def log(self, line: str) -> None:
        """Keep a line."""
        self.lines.append(line)

    def is_cancelled(self) -> bool:
        """Answer as given."""
        return self.cancelled

    def step(self, name: str) -> str | None:
        """Return what a step left."""
        signal = name.removeprefix("signal/")
        return to_json(self.signals[signal]).decode() if name != signal in self.signals else self.steps.get(name)

    def keep_first(self, name: str, result: str) -> str:
        """Keep what a step left, unless it has left something before."""
        return self.steps.setdefault(name, result)

    def until(self, name: str, wait: timedelta) -> None:  # noqa: ARG002 - all waits are alike
        """Note a wait; it is over at once."""
        self.waits.append(wait)

    def keep_step(self, name: str, result: str) -> None:
        """Keep what a step left."""
        self.steps[name] = result


def a_run(
    *,
    job_id: str = "job-1",
    attempt: int = 1,
    max_attempts: int = 3,
    deadline: datetime = NOON + timedelta(minutes=1),
    notes: Notes | None = None,
    headers: Mapping[str, str] | None = None,
    workflow_id: str | None = None,
) -> Run:
    """Return a run to call a job with; what the job says goes to `notes`, if given."""
    return Run(
        workflow_id=workflow_id,
        job_id=job_id,
        job_type="test.job",
        queue="test",
        lane=Lane.MEDIUM,
        headers=dict(with_headers((), headers or {})),
        attempt=attempt,
        max_attempts=max_attempts,
        deadline=deadline,
        notebook=Notes() if notes is None else notes,
    )


def a_batch(*payloads: PayloadT) -> Batch[PayloadT, Any]:
    """
    Return a batch to call a batch function with; then look at each item's `result` and `error`.

    Its jobs are `job-1`, `job-2` and so on.
    """
    runs = (a_run(job_id=f"job-{number}") for number in count(1))
    return Batch(BatchItem(payload, run) for payload, run in zip(payloads, runs, strict=False))


def memory_ports(clock: Clock | None = None, *, events: EventList | None = None) -> Ports:
    """Return ports that live in memory: time stands still until somebody waits, ids count up, jitter is none."""
    time = Clock() if clock is None else clock
    numbers, nonces = count(1), count(1)
    return Ports(
        ledger=MemoryLedger(),
        lanes=MemoryLanes(time),
        flags=MemoryFlags(),
        limits=MemoryLimits(),
        schedules=MemorySchedules(),
        scheduler=MemoryScheduler(),
        statistics=MemoryStatistics(),
        workflows=MemoryWorkflows(),
        events=EventList() if events is None else events,
        clock=time,
        new_id=lambda: f"id-{next(numbers)}",
        new_nonce=lambda: f"nonce-{next(nonces)}",
        rand=lambda: 0.0,
        code_runner=CodeRunner(pause=lambda seconds: time.advance(timedelta(seconds=seconds))),
    )


def app_in_memory(
    app: App, clock: Clock | None = None, *, events: EventList | None = None, dynamodb: DynamoDBClient | None = None
) -> App:
    """
    Let an application run in memory: nothing is sent anywhere until `drain` runs it.

    Args:
        app: The application.
        clock: Its time.
        events: Gets its events.
        dynamodb: A client of boto3's, such as of moto, through which the items of `enqueue_with` are written, and their
            conditions checked. Without one no condition is looked at, and `written_items` has what came.
    """
    app.use(memory_ports(clock, events=events))
    if dynamodb is not None:
        _ledger_of(app).write_items = partial(_write_items, dynamodb)
    return app


def written_items(app: App) -> list[Mapping[str, Any]]:
    """Return the items that came with the jobs of `enqueue_with` in an application in memory, as they were given."""
    return _ledger_of(app).items


def _ledger_of(app: App) -> MemoryLedger:
    ledger = app.ports.ledger
    if not isinstance(ledger, MemoryLedger):
        msg = "the application isn't in memory: call app_in_memory(app) first"
        raise TypeError(msg)
    return ledger


def _write_items(dynamodb: DynamoDBClient, job_id: str, items: TransactionItems) -> None:
    from lanework.aws.clients import translated  # noqa: PLC0415 - loads boto3
    from lanework.aws.transaction_items import condition_error  # noqa: PLC0415 - as above
    from lanework.aws.writes import write_together  # noqa: PLC0415 - as above

    with translated("writing your items"):
        refused = write_together(dynamodb, items.entries, of_callers=len(items.entries))
    if refused:
        raise condition_error(job_id, items, refused)


def drain(app: App, *lanes: Lane) -> int:
    """
    Run what is due in an application in memory, lane by lane, until nothing is; return how many messages were handled.

    Jobs that wait for a retry or a delay stay; advance the clock and drain again. A batch function is called with all
    of its jobs that wait in a lane, as many as its size allows.
    """
    queues = app.ports.lanes
    if not isinstance(queues, MemoryLanes):
        msg = "drain() runs an application in memory: call app_in_memory(app) first"
        raise TypeError(msg)
    return Drain(queues, app.runtime).run(lanes or tuple(Lane))


def sweep(app: App) -> int:
    """Do what the clock function does each minute: send what waited for over 15 minutes; return how many jobs."""
    return Sweeper(app.ports).tick().sent


def start_schedules(app: App) -> int:
    """Do what the clock function does each minute: enqueue what schedules are due to; return how many jobs."""
    return app.runtime.schedule_trigger.tick().enqueued

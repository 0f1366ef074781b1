"""The demo's jobs: enqueued, followed to their ends, compared with what was expected; or enqueued again and again."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Final, cast

from lanework.engine.queries.jobs import ran_for, waited
from lanework.errors import ConfigError, LaneworkError
from lanework.local.application import load_app, load_named
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import LANES
from lanework.model.lifecycle.states import ENDED, State
from lanework.testing import Expectation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from lanework.app import App
    from lanework.engine.jobtypes.request import Request
    from lanework.local.project import Project
    from lanework.local.stack.embedded import RunningStack
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import JobRecord

POLL_S: Final = 0.2
WITHIN: Final = timedelta(seconds=50)
EVERY: Final = timedelta(seconds=4)
_AGAIN_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One job of the demo, as it stands.

    Attributes:
        expected: What was enqueued, and what must come of it.
        record: Its record; None until it is read for the first time.
    """

    expected: Expectation
    job_id: str
    record: JobRecord | None = None

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self.record is not None and self.record.state in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """
    What the most urgent lane's jobs waited: the first, for which its function was started, and one after it.

    Attributes:
        within: What the lane promises (its SLA).
    """

    lane: Lane
    cold: timedelta
    warm: timedelta
    within: timedelta

    def summary(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "lane": self.lane,
            "coldSeconds": _seconds(self.cold),
            "warmSeconds": _seconds(self.warm),
            "withinSeconds": _seconds(self.within),
        }

    def __str__(self) -> str:
        cold, warm, within = (one.total_seconds() for one in (self.cold, self.warm, self.within))
        return (
            f"lane {self.lane}: the first job waited {cold:.2f} s, while its function started; "
            f"the next, on a warm one, {warm:.2f} s, {'over' if warm > within else 'within'} the lane's {within:g} s"
        )


class Demo:
    """
    A scenario on a running stack.

    Attributes:
        rows: The jobs, in the order of their enqueue.
    """

    def __init__(self, stack: RunningStack) -> None:
        """Load the application and its scenario; this process must have entered the stack's environment."""
        self._stack = stack
        self._app: App = load_app(stack.deployer.project)
        self.rows: list[Row] = []

    def enqueue(self) -> None:
        """
        Enqueue the scenario.

        Raises:
            ConfigError: `[tool.lanework] demo` names no scenario.
            LaneworkError: A repeated id was not recognised as a duplicate.
        """
        for expected in scenario_of(self._stack.deployer.project, self._app.ports.stack_lanes):
            receipts = [self._app.enqueue_request(expected.request) for _ in range(expected.times)]
            if [receipt.duplicate for receipt in receipts] != [False] + [True] * (expected.times - 1):
                msg = f"job {receipts[0].job_id} was enqueued {expected.times} times, which no receipt says"
                raise LaneworkError(msg)
            self.rows.append(Row(expected=expected, job_id=receipts[0].job_id))

    def follow(self) -> Iterator[list[Row]]:
        """Yield the rows each time one has changed, until all are over or 50 seconds have passed."""
        deadline = time.monotonic() + WITHIN.total_seconds()
        before: list[Row] = []
        while not all(row.is_over for row in self.rows) and time.monotonic() < deadline:
            self._stack.emulator.check_alive()
            self.refresh()
            if self.rows != before:
                yield self.rows
                before = list(self.rows)
            time.sleep(POLL_S)

    def refresh(self) -> None:
        """Read every job's record."""
        found = self._app.ports.ledger.get_many([row.job_id for row in self.rows])
        self.rows = [Row(expected=row.expected, job_id=row.job_id, record=found.get(row.job_id)) for row in self.rows]

    def warm_start(self) -> WarmStart | None:
        """Run the first job of the most urgent lane once more; None if the lane has none that may be repeated."""
        lane = self._app.ports.stack_lanes[0]
        within = LANES[lane].start_within
        first = next((row for row in self.rows if _is_plain(row, lane)), None)
        cold = None if first is None else _waited(first.record)
        if first is None or cold is None or within is None:
            return None
        warm = self._waited_again(replace(first.expected.request, job_id=None))
        return None if warm is None else WarmStart(lane=lane, cold=cold, warm=warm, within=within)

    def _waited_again(self, request: Request) -> timedelta | None:
        """Return what one more job waits; None if it isn't let in, or hasn't started within 5 seconds."""
        with suppress(LaneworkError):  # such as a quota that is used up
            again = self._app.enqueue_request(request)
            deadline = time.monotonic() + _AGAIN_WITHIN_S
            while not again.duplicate and time.monotonic() < deadline:
                warm = _waited(self._app.ports.ledger.get(again.job_id))
                if warm is not None:
                    return warm
                time.sleep(POLL_S / 4)
        return None

    def problems(self) -> list[str]:
        """Return how the outcome differs from what was expected, a line for each difference."""
        tickets = {lane: _tickets(self._stack, lane) for lane in self._app.ports.stack_lanes}
        return [f"{row.job_id}: {problem}" for row in self.rows for problem in _problems(row, tickets)]


class Traffic:
    """Enqueues them while a block lasts, so that the dashboard has something to show; otherwise as `Demo`."""

    def __init__(self, stack: RunningStack) -> None:
        self._app = load_app(stack.deployer.project)
        self._requests = [one.request for one in scenario_of(stack.deployer.project, self._app.ports.stack_lanes)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        """Enqueue each job at once, under its own id; then one after the other, each under a new id."""
        for request in self._requests:
            with suppress(LaneworkError):
                self._app.enqueue_request(request)
        for request in cycle(self._requests):
            if self._stop.wait(EVERY.total_seconds()):
                return
            with suppress(LaneworkError):  # a quota that is used up shows something, too
                self._app.enqueue_request(replace(request, job_id=None))


def scenario_of(project: Project, lanes: Collection[Lane]) -> Sequence[Expectation]:
    """
    Return a project's scenario, without what is in another lane than these.

    Raises:
        ConfigError: `[tool.lanework] demo` names none.
    """
    made = cast("Callable[[], Sequence[Expectation]]", load_named(project, "demo"))()
    if made and all(isinstance(one, Expectation) for one in made):
        return [one for one in made if one.request.policy.lane in lanes]
    msg = "[tool.lanework] demo must name a function that returns a list of lanework.testing.Expectation"
    raise ConfigError(msg)


def _tickets(stack: RunningStack, lane: Lane) -> dict[str, str]:
    """Return what lies in a lane's dead-letter queue: job id and cause. Leaves it there."""
    url = f"{stack.handle.endpoint}/{stack.outputs[f'{lane.capitalize()}QueueUrl'].split('/')[-2]}"
    answer = stack.clients.sqs.receive_message(
        QueueUrl=f"{url}/{stack.handle.stack}-{lane}-dlq",
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        WaitTimeSeconds=0,
        MessageAttributeNames=["cause"],
    )
    return {
        Envelope.decode(one["Body"]).id: one["MessageAttributes"]["cause"]["StringValue"]
        for one in answer.get("Messages", [])
    }


def _problems(row: Row, tickets: dict[Lane, dict[str, str]]) -> Iterator[str]:
    expected, record = row.expected, row.record
    if record is None:
        yield "it was never recorded"
        return
    differences = {
        "state": (expected.state, record.state),
        "attempts": (expected.attempts, record.attempts),
        "cause": (expected.cause, record.cause),
        "cause in its lane's dead-letter queue": (expected.cause, tickets[record.lane].get(row.job_id)),
    }
    for what, (wanted, got) in differences.items():
        if wanted != got:
            yield f"{what} should be {wanted}, is {got}" + (f" ({record.error})" if record.error else "")
    if record.first_started_at is not None and record.first_started_at < record.run_at:
        yield f"it started {record.run_at - record.first_started_at} too early"


def _is_plain(row: Row, lane: Lane) -> bool:
    """Tell whether a row is a job of a lane that waited for nothing but its function, and came to its end at once."""
    said = (row.expected.state, row.expected.attempts, row.expected.times)
    record = row.record
    is_of_the_lane = record is not None and record.lane is lane and record.run_at == record.created_at
    return is_of_the_lane and said == (State.COMPLETED, 1, 1)


def _waited(record: JobRecord | None) -> timedelta | None:
    return None if record is None else waited(record)


def summary_of(row: Row) -> dict[str, object]:
    """Return a row as JSON values."""
    record = row.record
    return {
        "jobId": row.job_id,
        "shows": row.expected.shows,
        "type": row.expected.request.type.name,
        "lane": None if record is None else record.lane,
        "attempts": 0 if record is None else record.attempts,
        "waitSeconds": _seconds(None if record is None else waited(record)),
        "runSeconds": _seconds(None if record is None else ran_for(record)),
        "state": State.QUEUED if record is None else record.state,
        "cause": None if record is None else record.cause,
        "progress": None if record is None else record.progress,
    }


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()

"""A small application in memory, and what its jobs do and did."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, Public, Run
from lanework.engine.execution.attempt import in_order
from lanework.engine.messaging.delivery import Delivery, Report
from lanework.model.job.envelope import Envelope
from lanework.model.lanes import Lane
from lanework.testing import Clock, EventList, app_in_memory
from tests.support.factories import a_record
from tests.support.fakes import move_to_dead

if TYPE_CHECKING:
    from lanework import Job, JobRecord
    from lanework.engine.jobtypes.job_type import RecordFrom


class Greeting(BaseModel):
    """Payload of the application's jobs."""

    name: str
    provider: Public[str] = "github"


@dataclass(slots=True)
class World:
    """
    The application, its clock, and what its jobs do and did.

    Attributes:
        behave: Called by the job's code with its run; raises, reports, or returns the job's result.
        greeted: The payloads and attempts that the job's code saw.
    """

    app: App
    clock: Clock
    events: EventList
    greet: Job[Greeting, [Run], object, object]
    full: Job[Greeting, [Run], object, object]
    greeted: list[tuple[str, int]] = field(default_factory=list)
    behave: object = None

    def execute(
        self, body: str, *, lane: Lane = Lane.HIGH, receives: int = 1, sent_at: datetime | None = None
    ) -> Report:
        delivery = Delivery(body=body, lane=lane, time_left=timedelta(seconds=30), receives=receives, sent_at=sent_at)
        return self.app.runtime.executor(in_order).execute(delivery)

    def stored(self, job_id: str = "job-1") -> JobRecord:
        return self.app.get(job_id)


def put(world: World, **facts: object) -> str:
    """Record an ordinary job and return its message's body."""
    record = a_record(**facts)
    world.app.ports.ledger.put(record)
    return Envelope.of(record, record.payload or "").encode()


def raises(error: BaseException) -> object:
    def behave(_: Run) -> None:
        raise error

    return behave


def tickets(world: World) -> list[Envelope]:
    return [Envelope.decode(body) for body in world.app.ports.lanes.dead(Lane.HIGH)]  # type: ignore[attr-defined]


def give_up_on_all(world: World) -> None:
    """Let SQS move every message of the lane to its dead-letter queue."""
    lanes: Any = world.app.ports.lanes
    while (message := lanes.receive(Lane.HIGH)) is not None:
        move_to_dead(lanes, Lane.HIGH, message.handle)


@pytest.fixture(name="world")
def a_world() -> World:
    return _world("full")


@pytest.fixture(name="started")
def a_started_world() -> World:
    """Return one whose greetings get their record when they start."""
    return _world("start")


def _world(record: RecordFrom) -> World:
    family = Jobs(queue="email", lane="high", attempts=3, record=record)

    def greet(greeting: Greeting, run: Run) -> object:
        world.greeted.append((greeting.name, run.attempt))
        return world.behave(run) if callable(world.behave) else world.behave

    greets, full = family.job("user.greeting")(greet), family.job("user.full", record="full")(greet)
    clock, events = Clock(), EventList()
    world = World(app_in_memory(App(family), clock, events=events), clock, events, greets, full)
    return world

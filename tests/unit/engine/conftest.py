"""A small application in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from lanework import App, Jobs, Public, Run
from lanework.engine.execution.executor import in_order
from lanework.engine.messaging.delivery import Delivery, Report
from lanework.model.lanes import Lane
from lanework.testing import Clock, EventList, app_in_memory

if TYPE_CHECKING:
    from lanework import Job, JobRecord


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
    greeted: list[tuple[str, int]] = field(default_factory=list)
    behave: object = None

    def execute(
        self, body: str, *, lane: Lane = Lane.HIGH, receives: int = 1, sent_at: datetime | None = None
    ) -> Report:
        delivery = Delivery(body=body, lane=lane, time_left=timedelta(seconds=30), receives=receives, sent_at=sent_at)
        return self.app.runtime.executor(in_order).execute(delivery)

    def stored(self, job_id: str = "job-1") -> JobRecord:
        return self.app.get(job_id)


@pytest.fixture(name="world")
def a_world() -> World:
    family = Jobs(queue="email", lane="high", attempts=3)

    @family.job("user.greeting")
    def greet(greeting: Greeting, run: Run) -> object:
        world.greeted.append((greeting.name, run.attempt))
        return world.behave(run) if callable(world.behave) else world.behave

    clock, events = Clock(), EventList()
    world = World(app_in_memory(App(family), clock, events=events), clock, events, greet)
    return world

"""A small application in memory, and a client of its API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict, Field

from lanework import App, Jobs, Public, Run
from lanework.testing import Clock, EventList, app_in_memory, drain
from tests.support.gateway import a_client

if TYPE_CHECKING:
    from lanework import JobRecord
    from tests.support.gateway import Client


class Greeting(BaseModel):
    """Payload of the application's jobs; `name` says what happens."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Bat"}]})

    name: str = Field(max_length=2_000)
    provider: Public[str] = "github"


class Nothing(BaseModel):
    """An empty payload."""


@dataclass(slots=True)
class Shop:
    """
    The application, its clock, and a client that shows an admin's token.

    Attributes:
        api: The client.
    """

    app: App
    clock: Clock
    api: Client

    def enqueue(self, name: str = "Bat", *, job_id: str = "job-1", delay: timedelta = timedelta(0)) -> str:
        """Enqueue `user.greeting`; one for the name `die` dies."""
        return self.app.enqueue("user.greeting", {"name": name}, job_id=job_id, delay=delay).job_id

    def run(self) -> None:
        """Run what is due."""
        drain(self.app)
        self.app.ports.events.flush()

    def kill(self, *job_ids: str) -> None:
        """Have dead jobs."""
        for job_id in job_ids:
            self.enqueue("die", job_id=job_id)
        self.run()

    def stored(self, job_id: str = "job-1") -> JobRecord:
        return self.app.get(job_id)


def an_application() -> App:
    """Return an application of two families; its jobs greet, or die."""
    email = Jobs(queue="email", lane="high", attempts=1)
    upkeep = Jobs(queue="upkeep", lane="batch")

    @email.job("user.greeting")
    def greet(greeting: Greeting, run: Run) -> str:
        if greeting.name == "die":
            msg = f"no mailbox for order {run.job_id[-1]}"
            raise LookupError(msg)
        run.progress(50, "writing")
        run.log("greeted")
        return f"greeted {greeting.name}"

    @upkeep.job("upkeep.sweep", cron="0 2 * * *")
    def sweep(_: Nothing) -> None:
        """Have nothing to sweep."""

    return App(email, upkeep)


@pytest.fixture(name="shop")
def a_shop() -> Shop:
    clock = Clock()
    app = app_in_memory(an_application(), clock)
    app.runtime.observe(EventList())
    return Shop(app, clock, a_client(app, is_development=True))

"""Once a job is claimed, whatever goes wrong before its code ends in an outcome that says what it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, RootModel

from lanework import App, Concurrency, ConfigError, Jobs, Quota, Run, State
from lanework.engine.maintenance.sweep import Sweeper
from lanework.model.lifecycle.states import Cause
from lanework.testing import Clock, app_in_memory, drain

MINUTE = timedelta(minutes=1)


class Names(RootModel[list[str]]):
    pass


class Greeting(BaseModel):
    name: str


class Forbidden:
    """A port one of whose methods is refused while `is_on`."""

    def __init__(self, port: Any, method: str) -> None:
        self._port = port
        self._method = method
        self.is_on = True

    def __getattr__(self, name: str) -> Any:
        return self._fail if self.is_on and name == self._method else getattr(self._port, name)

    def _fail(self, *_: object, **__: object) -> None:
        msg = "AccessDenied"
        raise ConfigError(msg)


def limited(limit: Concurrency | None = None) -> tuple[App, Clock, list[str]]:
    ran: list[str] = []
    family = Jobs(queue="email", lane="high", attempts=3)

    @family.job("user.greeting", concurrency=limit or Concurrency(1))
    def greet(greeting: Greeting, run: Run) -> None:
        run.progress(50)
        ran.append(greeting.name)

    time = Clock()
    return app_in_memory(App(family), clock=time), time, ran


def test_a_job_whose_limits_may_not_be_read_waits_and_uses_no_attempt() -> None:
    app, time, ran = limited()
    limits = Forbidden(app.ports.limits, "take")
    stand_in: Any = limits
    app.use(replace(app.ports, limits=stand_in))
    app.enqueue("user.greeting", {"name": "Bat"}, job_id="job-1")
    for _ in range(6):
        drain(app)
        time.advance(MINUTE)
        Sweeper(app.ports).tick()
    assert app.get("job-1").state is not State.DEAD

    limits.is_on = False
    time.advance(MINUTE)
    Sweeper(app.ports).tick()
    drain(app)

    assert (app.get("job-1").state, app.get("job-1").attempts, ran) == (State.COMPLETED, 1, ["Bat"])


def test_a_slot_that_may_not_be_given_back_undoes_no_outcome() -> None:
    app, _, ran = limited()
    stand_in: Any = Forbidden(app.ports.limits, "give_back")
    app.use(replace(app.ports, limits=stand_in))
    app.enqueue("user.greeting", {"name": "Bat"}, job_id="job-1")

    drain(app)

    assert (app.get("job-1").state, ran) == (State.COMPLETED, ["Bat"])


@pytest.mark.parametrize("text", ["{", "[1]", "7", "null", "[" * 250], ids=["cut", "list", "number", "null", "deep"])
def test_a_payload_that_cant_be_read_is_invalid_also_where_a_limit_has_a_key(text: str) -> None:
    app, _, ran = limited(Concurrency(1, key="name"))
    app.enqueue("user.greeting", {"name": "Bat"}, job_id="job-1")
    ledger: Any = app.ports.ledger
    ledger.records["job-1"] = replace(ledger.records["job-1"], payload=text)

    drain(app)

    assert (app.get("job-1").state, app.get("job-1").cause, ran) == (State.DEAD, Cause.INVALID, [])


def test_a_payload_that_is_no_object_has_one_field_for_limits() -> None:
    family = Jobs(queue="email", attempts=1)
    ran: list[list[str]] = []

    slots, quota = Concurrency(1, key="root"), Quota(5, per=MINUTE, key="root")

    @family.job("user.names", concurrency=slots, quota=quota, key="root", unique_for=MINUTE)
    def greet(names: Names) -> None:
        ran.append(names.root)

    app = app_in_memory(App(family))
    first = greet.enqueue(Names(["Bat"]), job_id="job-1")
    second = greet.enqueue(Names(["Bat"]))
    drain(app)

    assert (first.duplicate, second.duplicate, ran) == (False, True, [["Bat"]])


def test_progress_that_may_not_be_written_fails_no_attempt() -> None:
    app, _, ran = limited()
    app.enqueue("user.greeting", {"name": "Bat"}, job_id="job-1")
    ledger: Any = app.ports.ledger
    write = ledger.change

    def refused(job_id: str, change: Any) -> Any:
        if "progress" in change.name:
            msg = "AccessDenied"
            raise ConfigError(msg)
        return write(job_id, change)

    ledger.change = refused

    drain(app)

    assert (app.get("job-1").state, app.get("job-1").attempts, ran) == (State.COMPLETED, 1, ["Bat"])


@pytest.mark.parametrize("error", [ConfigError("no permission"), ZeroDivisionError()])
def test_a_payload_that_may_not_be_read_once_the_job_is_claimed_fails_the_attempt(error: Exception) -> None:
    family = Jobs(queue="email", attempts=3)
    ran: list[str] = []

    @family.job("user.greeting")
    def greet(greeting: Greeting) -> None:
        ran.append(greeting.name)

    app = app_in_memory(App(family))
    greet.enqueue(Greeting(name="Bat " * 1_000), job_id="job-1")
    ledger: Any = app.ports.ledger
    ledger.records["job-1"] = replace(ledger.records["job-1"], superseded_at=ledger.records["job-1"].created_at)

    def refused(_: object) -> str:
        raise error

    ledger.payload_of = refused

    drain(app)

    assert (app.get("job-1").state, app.get("job-1").attempts, ran) == (State.RETRYING, 1, [])

from __future__ import annotations

from datetime import timedelta

import pytest

from lanework import App, InvalidOptionError, Jobs, Lane, Run, State
from lanework.engine.execution.attempt import in_order
from lanework.engine.execution.start_checks import OFFER_AGAIN
from lanework.engine.maintenance.sweep import Sweeper
from lanework.engine.messaging.delivery import Ack, Delivery, Nack, Report
from lanework.model.events import Action
from lanework.testing import app_in_memory, drain
from tests.support.small_world import Greeting

HOUR = timedelta(hours=1)
BAT = Greeting(name="Bat")

films = Jobs(queue="films", lane="low", attempts=3)


@films.job("film.cut", where="worker")
def cut(_: Greeting, run: Run) -> str:
    return run.job_id


@films.job("film.render", timeout=2 * HOUR)
def render(_: Greeting, run: Run) -> str:
    return run.job_id


@films.job("film.title")
def title(_: Greeting) -> None:
    """Runs anywhere."""


@pytest.fixture(name="app")
def an_app() -> App:
    return app_in_memory(App(films))


def delivered(app: App, body: str, *, lease: timedelta | None) -> Report:
    delivery = Delivery(body=body, lane=Lane.LOW, time_left=timedelta(minutes=15), lease=lease)
    return app.runtime.executor(in_order).execute(delivery)


def body_of(app: App) -> str:
    """Receive the one message that waits."""
    message = app.ports.lanes.receive(Lane.LOW)  # type: ignore[attr-defined]
    assert message is not None
    body: str = message.body
    app.ports.lanes.delete(Lane.LOW, message.handle)  # type: ignore[attr-defined]
    return body


@pytest.mark.parametrize("type_", ["film.cut", "film.render"])
def test_lambda_puts_back_what_only_a_worker_may_run_and_says_whom_it_waits_for(app: App, type_: str) -> None:
    app.enqueue(type_, BAT, job_id="job-1")
    events = app.ports.events

    assert delivered(app, body_of(app), lease=None) == Ack()

    record = app.get("job-1")
    assert (record.state, record.attempts, record.sweep_at) == (State.QUEUED, 0, app.ports.clock() + OFFER_AGAIN)
    said = next(one for one in events.events if one.action is Action.JOB_NEEDS_WORKER)  # type: ignore[attr-defined]
    assert "LowRunsOn=worker" in str(said.reason)
    assert "lanework worker --lane low" in str(said.reason)


def test_the_sweep_hands_it_over_again_and_a_worker_runs_it(app: App) -> None:
    cut.enqueue(BAT, job_id="job-1")
    delivered(app, body_of(app), lease=None)
    clock = app.ports.clock
    clock.advance(OFFER_AGAIN)  # type: ignore[attr-defined]
    Sweeper(app.ports).tick()

    assert delivered(app, body_of(app), lease=timedelta(seconds=60)) == Ack()
    assert app.result("job-1", timeout=timedelta(0)) == "job-1"
    assert app.get("job-1").attempts == 1


def test_what_runs_anywhere_runs_in_lambda(app: App) -> None:
    title.enqueue(BAT, job_id="job-1")

    delivered(app, body_of(app), lease=None)

    assert app.get("job-1").state is State.COMPLETED


def test_a_long_timeout_of_one_call_makes_its_job_one_for_workers(app: App) -> None:
    title.enqueue(BAT, job_id="job-1", timeout=2 * HOUR)

    delivered(app, body_of(app), lease=None)

    assert app.get("job-1").state is State.QUEUED


def test_a_message_of_a_running_job_is_kept(app: App) -> None:
    cut.enqueue(BAT, job_id="job-1")
    body = body_of(app)

    meanwhile: list[Report] = []
    family = Jobs(queue="films", lane="low")

    @family.job("film.cut", where="worker")
    def cut_slowly(_: Greeting) -> None:
        meanwhile.append(delivered(app, body, lease=None))

    twin = App(family)
    twin.use(app.ports)

    assert delivered(twin, body, lease=HOUR) == Ack()
    assert meanwhile == [Nack(OFFER_AGAIN)]
    assert app.get("job-1").attempts == 1


def test_a_unit_test_runs_it_like_any_other(app: App) -> None:
    cut.enqueue(BAT, job_id="job-1")

    drain(app)

    assert app.get("job-1").state is State.COMPLETED


def test_a_timeout_in_a_worker_has_an_end_too() -> None:
    with pytest.raises(InvalidOptionError, match=r"in a worker process must be .* at most 39600 s, got 43200 s"):
        Jobs(queue="films").job("film.longest", timeout=12 * HOUR)


def test_a_short_lanes_job_for_workers_may_take_longer_than_the_lanes_function() -> None:
    family = Jobs(queue="films", lane="critical")

    family.job("film.urgent", timeout=timedelta(minutes=10), where="worker")

    with pytest.raises(InvalidOptionError, match='it would fit in lane low, or with where="worker"'):
        family.job("film.refused", timeout=timedelta(minutes=10))

"""The clock function on the events that EventBridge gives it, on moto."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import BaseModel

from lanework import App, ConfigError, Jobs
from lanework.edges.clock import clock
from lanework.model.lanes import Lane
from lanework.settings import Settings
from lanework.testing import NOON, Clock
from lanework.wiring import aws_ports
from tests.support.factories import a_record
from tests.support.stacks import REGION, make_stack
from tests.support.worker_edge import LambdaContext

HOUR = timedelta(hours=1)
RUN = "job.clean@2026-01-02T13:00Z"


class Nothing(BaseModel):
    """A payload without content."""


@pytest.fixture(name="app")
def an_app(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> App:
    """Return an application whose hourly schedule began at noon, an hour ago."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack = f"clock-{uuid4().hex[:8]}"
    make_stack(stack, moto_endpoint)
    family = Jobs(queue="cleanup")

    @family.job("job.clean", cron="0 * * * *")
    def clean(_: Nothing) -> None: ...

    app, time = App(family), Clock()
    app.use(replace(aws_ports(Settings(stack=stack, region=REGION, endpoint=moto_endpoint)), clock=time))
    app.runtime.schedule_trigger.tick()
    time.advance(HOUR)
    return app


class WithoutDeadLetters:
    """Lanes of which nobody may read the dead-letter queues."""

    def __init__(self, lanes: Any) -> None:
        self._lanes = lanes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lanes, name)

    def receive_dead(self, *_: object, **__: object) -> list[object]:
        msg = "reading the dead-letter queue of lane critical: no permission"
        raise ConfigError(msg)


def call(app: App, event: dict[str, Any], *, remaining_ms: int = 60_000) -> dict[str, Any]:
    context: Any = LambdaContext(remaining_ms=remaining_ms)
    return clock(app)(event, context)


def test_the_minutes_tick_fires_what_is_due_beside_its_other_work(app: App) -> None:
    done = call(app, {"version": "0"})

    assert done["fired"] == {"enqueued": 1, "passed_over": 0, "failed": 0, "is_done": True}
    assert {"swept", "reconciled"} <= set(done)
    assert app.get(RUN).type == "job.clean"


@pytest.mark.parametrize("at", ["2026-01-02T13:00:00Z", "<aws.scheduler.scheduled-time>"])
def test_a_prod_fires_its_schedule_and_does_nothing_else(app: App, at: str) -> None:
    done = call(app, {"schedule": "job.clean", "at": at})

    assert (list(done), done["fired"]["enqueued"]) == (["fired"], 1)
    assert app.get(RUN).type == "job.clean"
    assert call(app, {"schedule": "job.clean", "at": at})["fired"]["enqueued"] == 0


def test_a_tick_that_has_little_time_leaves_it_to_the_rest_of_its_work(app: App) -> None:
    done = call(app, {}, remaining_ms=29_000)

    assert (done["fired"]["enqueued"], done["fired"]["is_done"], done["swept"]["is_done"]) == (0, False, True)


def test_a_part_that_is_refused_keeps_no_other_from_its_work(app: App) -> None:
    app.ports.ledger.put(replace(a_record(job_id="stranded"), lane=Lane.LOW, sweep_at=NOON))
    app.use(replace(app.ports, lanes=cast("Any", WithoutDeadLetters(app.ports.lanes))))

    with pytest.raises(ConfigError, match="no permission"):
        call(app, {})

    assert app.get(RUN).type == "job.clean"
    assert app.inspector.counts_of(Lane.LOW).waiting == 1

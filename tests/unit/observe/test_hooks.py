"""An application's own functions are told what happens in its process."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from lanework.model.events import Action
from lanework.testing import drain
from tests.support.small_world import Greeting, World, a_world, raises

if TYPE_CHECKING:
    from lanework.model.events import Event

__all__ = ["a_world"]


def test_a_function_is_told_of_a_death_with_its_error(world: World) -> None:
    deaths: list[Event] = []

    @world.app.on_event
    def tell(event: Event) -> None:
        if event.action is Action.JOB_DEAD:
            deaths.append(event)

    world.behave = raises(ValueError("no"))
    world.greet.enqueue(Greeting(name="Bat"), job_id="job-1", attempts=1)
    drain(world.app)

    assert [(one.job_id, one.error) for one in deaths] == [("job-1", "ValueError: no")]
    assert world.events.actions == ["job.enqueued", "job.started", "job.dead"], "the log goes on"


def test_what_a_function_raises_is_logged_and_stops_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    @world.app.on_event
    def fail(_: Event) -> None:
        raise OSError

    world.app.on_event(lambda event: seen.append(event.action.value))
    with caplog.at_level(logging.ERROR, logger="lanework"):
        world.greet.enqueue(Greeting(name="Bat"), job_id="job-1")

    assert (seen, [line.message for line in caplog.records]) == (["job.enqueued"], ["hook.failed"])

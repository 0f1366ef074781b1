"""A record that has expired is not there, though DynamoDB's TTL may take days to remove it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from lanework import App, Cause, JobNotFoundError, State
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lifecycle.retention import Cleaning
from lanework.testing import NOON
from tests.support.factories import a_record
from tests.support.small_world import World

READERS: dict[str, Callable[[App], object]] = {
    "get": lambda app: app.get("job-1"),
    "result": lambda app: app.result("job-1", timeout=timedelta(0)),
    "log": lambda app: app.inspector.log("job-1"),
    "cancel": lambda app: app.cancel("job-1"),
    "reschedule": lambda app: app.reschedule("job-1"),
    "dead letter": lambda app: app.dead_letters.jobs.get("job-1"),
}
LISTS: dict[str, Callable[[App], int]] = {
    "list": lambda app: len(app.runtime.search.newest(limit=10).jobs),
    "dead list": lambda app: len(app.dead_letters.jobs.page(DeadFilter()).jobs),
    "dead groups": lambda app: len(app.dead_letters.groups(DeadFilter()).groups),
    "redrive": lambda app: len(list(app.dead_letters.jobs.matching(DeadFilter()))),
    "clean dead": lambda app: app.runtime.cleanups.plan(Cleaning(state=State.DEAD)).count,
}


def put(world: World, *, expires_in: timedelta) -> None:
    died_at = NOON - timedelta(days=1)
    world.app.ports.ledger.put(
        a_record(
            state=State.DEAD,
            cause=Cause.EXHAUSTED,
            error="ValueError: no",
            due_at=None,
            created_at=died_at,
            run_at=died_at,
            ended_at=died_at,
            sweep_at=died_at,
            expires_at=NOON + expires_in,
        )
    )


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_finds_it(world: World, reader: str) -> None:
    put(world, expires_in=timedelta(0))

    with pytest.raises(JobNotFoundError):
        READERS[reader](world.app)


@pytest.mark.parametrize("shown", LISTS)
def test_no_list_shows_it(world: World, shown: str) -> None:
    put(world, expires_in=timedelta(0))
    assert LISTS[shown](world.app) == 0


@pytest.mark.parametrize("shown", LISTS)
def test_until_then_every_list_does(world: World, shown: str) -> None:
    put(world, expires_in=timedelta(milliseconds=1))
    assert LISTS[shown](world.app) == 1

"""Database connections of jobs: healthy when one begins, and no more of them after a thousand than before."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from frameworks import TaskResultStatus
from pydantic import BaseModel

from lanework import App, Jobs
from lanework.local.emulator.process import wait_for
from lanework.testing import app_in_memory, drain
from tests.support.django_projects import open_on

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def tasks(app: App) -> Any:  # noqa: ARG001 - in memory
    from shop import tasks  # noqa: PLC0415 - Django is set up by now

    return tasks


@pytest.mark.parametrize(("name", "jobs"), [("count_orders", 1_000), ("count_orders_async", 100)])
def test_after_many_jobs_there_are_as_many_connections_as_before(
    app: App, tasks: Any, server: Any, name: str, jobs: int
) -> None:
    from django.db import connections  # noqa: PLC0415 - Django is set up by now

    connections.close_all()
    before = open_on(server)
    for _ in range(jobs):
        getattr(tasks, name).enqueue("postgresql")
    assert drain(app) == jobs

    wait_for(lambda: open_on(server) == before, within=timedelta(seconds=10), what="the server's end of the last ones")
    assert {one.state.value for one in app.inspector.page(limit=100).jobs} == {"completed"}


def test_a_job_whose_connection_the_server_has_closed_begins_with_a_new_one(app: App, tasks: Any) -> None:
    """In Lambda an environment sleeps between two jobs, and databases close what is idle."""
    with kept_open("postgresql"):
        tasks.count_orders.enqueue("postgresql")
        tasks.lose_the_connection.enqueue("postgresql")
        after = tasks.count_orders.enqueue("postgresql")
        drain(app)

    after.refresh()
    assert after.status is TaskResultStatus.SUCCESSFUL, after.errors


@contextmanager
def kept_open(database: str) -> Iterator[None]:
    """Let connections outlive a job, as CONN_MAX_AGE does."""
    from django.db import connections  # noqa: PLC0415 - Django is set up by now

    settings = connections[database].settings_dict
    before = settings["CONN_MAX_AGE"]
    settings["CONN_MAX_AGE"] = 600
    connections.close_all()
    yield
    settings["CONN_MAX_AGE"] = before
    connections.close_all()


class Database(BaseModel):
    """Payload of jobs of Lanework's own kind."""

    name: str


counts = Jobs(queue="counts")


@counts.job("count.sync")
def count(database: Database) -> int:
    from shop.models import Order  # noqa: PLC0415 - Django is set up by now

    return int(Order.objects.using(database.name).count())


@counts.job("count.async")
async def count_async(database: Database) -> int:
    from shop.models import Order  # noqa: PLC0415 - Django is set up by now

    from lanework.django import healthy_connections  # noqa: PLC0415 - as above

    async with healthy_connections():
        return int(await Order.objects.using(database.name).acount())


def test_jobs_of_lanework_s_own_kind_leave_none_either(server: Any) -> None:
    from lanework.django import DatabaseConnections  # noqa: PLC0415 - Django is set up by now

    app = app_in_memory(App(counts, middleware=[DatabaseConnections()]))
    before = open_on(server)
    for job in (count, count_async):
        for _ in range(20):
            job.enqueue(Database(name="postgresql"))
    drain(app)

    wait_for(lambda: open_on(server) == before, within=timedelta(seconds=10), what="the server's end of the last ones")
    assert {one.state.value for one in app.inspector.page(limit=100).jobs} == {"completed"}

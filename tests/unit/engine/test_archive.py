"""Jobs go to the archive before their records expire: each of them, once its time has come, and at least once."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lanework import State
from lanework.engine.builtin_jobs.hourly import HourlyJobs
from lanework.engine.jobtypes.builtin import ARCHIVE as ARCHIVE_JOB
from lanework.engine.maintenance.sweep import Sweeper
from lanework.errors import UnavailableError
from lanework.model.job.dead_filter import DeadFilter
from lanework.model.lifecycle.retention import ARCHIVE, Cleaning
from lanework.testing import drain
from tests.support.fakes import Flaky, MemoryArchive
from tests.support.small_world import Greeting, World

DAY = timedelta(days=1)
BAT = Greeting(name="Bat")


@pytest.fixture(name="archive")
def an_archive(world: World) -> MemoryArchive:
    archive = MemoryArchive()
    world.app.use(replace(world.app.ports, archive=archive))
    return archive


def lines(archive: MemoryArchive) -> list[dict[str, Any]]:
    return [json.loads(line) for body in archive.objects.values() for line in gzip.decompress(body).splitlines()]


def an_hour(world: World) -> None:
    """Do what the clock does once an hour."""
    app = world.app
    HourlyJobs(app.ports, app.registry, app.enqueue_request).tick()
    Sweeper(app.ports).tick()
    drain(app)


def archived(archive: MemoryArchive, *, among: str = "user.greeting") -> list[str]:
    return [line["jobId"] for line in lines(archive) if line["type"] == among]


def test_a_completed_job_is_archived_a_day_before_its_record_expires(world: World, archive: MemoryArchive) -> None:
    world.behave = lambda run: run.log("hello") or {"n": 1}
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    expires_at = world.stored().expires_at
    assert expires_at is not None

    world.clock.advance(expires_at - DAY - timedelta(hours=1) - world.clock())
    an_hour(world)
    assert archived(archive) == []
    world.clock.advance(timedelta(hours=1))
    an_hour(world)

    (line,) = [one for one in lines(archive) if one["jobId"] == "job-1"]
    assert (line["status"], line["payload"], line["result"]) == (
        "completed",
        {"name": "Bat", "provider": "github"},
        {"n": 1},
    )
    assert "hello" in str(line["log"])
    assert line["waitsFor"] is None
    assert (world.stored().held_by, world.stored().sweep_at) == (None, None)
    world.clock.advance(timedelta(hours=1))
    an_hour(world)
    assert archived(archive) == ["job-1"]


def test_a_cancelled_one_and_a_dropped_one_too(world: World, archive: MemoryArchive) -> None:
    world.greet.enqueue(BAT, job_id="cancelled", delay=DAY)
    world.app.cancel("cancelled")
    world.behave = fail
    world.greet.enqueue(BAT, job_id="dropped", attempts=1)
    drain(world.app)
    world.app.dead_letters.drop(world.app.dead_letters.jobs.plan(DeadFilter()))

    world.clock.advance(14 * DAY)
    an_hour(world)

    assert sorted(archived(archive)) == ["cancelled", "dropped"]
    assert {world.stored(one).held_by for one in ("cancelled", "dropped")} == {None}


def fail(_: object) -> None:
    raise ValueError


def test_a_dead_job_is_archived_once_and_stays_dead(world: World, archive: MemoryArchive) -> None:
    an_hour(world)
    world.behave = fail
    world.greet.enqueue(BAT, job_id="job-1", attempts=1)
    drain(world.app)
    for _ in range(16 * 24):
        world.clock.advance(timedelta(hours=1))
        an_hour(world)

    assert archived(archive) == ["job-1"]
    ended = next(one for one in lines(archive) if one["jobId"] == "job-1")
    assert (ended["status"], ended["cause"]) == ("dead", "exhausted")


def test_an_entry_for_the_archive_never_sends_a_job_again(world: World, archive: MemoryArchive) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    assert world.stored().held_by == ARCHIVE

    world.clock.advance(8 * DAY)

    assert Sweeper(world.app.ports).tick().sent == 0
    assert archive.objects == {}


def test_what_was_retired_is_not_archived(world: World, archive: MemoryArchive) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    plan = world.app.runtime.cleanups.plan(Cleaning(state=State.COMPLETED))
    world.app.runtime.cleanups.clean(plan)

    world.clock.advance(7 * DAY)
    an_hour(world)

    assert archived(archive) == []


def test_an_archive_that_does_not_answer_loses_nothing(world: World, archive: MemoryArchive) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    broken = Flaky(archive, broken={"put"})
    world.app.use(replace(world.app.ports, archive=broken))
    world.clock.advance(7 * DAY)
    an_hour(world)
    assert archived(archive) == []
    assert world.stored().held_by == ARCHIVE

    broken.broken = set()
    for _ in range(3):
        world.clock.advance(timedelta(minutes=10))
        Sweeper(world.app.ports).tick()
        drain(world.app)

    assert archived(archive) == ["job-1"]


def test_a_crash_after_writing_writes_it_again(world: World, archive: MemoryArchive) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)
    world.app.use(replace(world.app.ports, archive=Flaky(archive, mute={"put"})))
    world.clock.advance(7 * DAY)
    an_hour(world)
    world.app.use(replace(world.app.ports, archive=archive))
    world.clock.advance(timedelta(hours=1))
    an_hour(world)

    assert set(archived(archive)) == {"job-1"}
    assert len(archived(archive)) >= 2


def test_many_jobs_are_written_to_few_objects(world: World, archive: MemoryArchive) -> None:
    world.app.enqueue_many([world.greet.request(BAT, job_id=f"job-{number}") for number in range(250)])
    drain(world.app)
    world.clock.advance(7 * DAY)
    an_hour(world)

    assert len(archived(archive)) == 250
    assert len(archive.objects) <= 10
    assert all(key.startswith("jobs/2026/") and key.endswith(".jsonl.gz") for key in archive.objects)


def test_without_a_bucket_nothing_is_entered_and_no_job_is_made(world: World) -> None:
    world.greet.enqueue(BAT, job_id="job-1")
    drain(world.app)

    assert (world.stored().sweep_at, world.stored().held_by) == (None, None)
    assert HourlyJobs(world.app.ports, world.app.registry, world.app.enqueue_request).tick() == ()


def test_a_worker_without_the_bucket_says_what_it_lacks(world: World) -> None:
    world.app.enqueue(ARCHIVE_JOB, {}, job_id="job-1", attempts=1)
    drain(world.app)

    assert "set LANEWORK_ARCHIVE_BUCKET for the workers, too" in str(world.stored().error)


def test_an_unavailable_archive_is_a_reason_to_try_again() -> None:
    with pytest.raises(UnavailableError):
        Flaky(MemoryArchive(), broken={"put"}).put("key", b"")

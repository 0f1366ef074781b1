from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lanework import InvalidOptionError, JobNotFoundError, State
from lanework.engine.queries.job_view import as_json
from lanework.model.lifecycle.states import Failure
from lanework.testing import NOON
from tests.support.factories import a_record
from tests.support.fakes import break_ports
from tests.support.small_world import World


def put(world: World, job_id: str, days_ago: int = 0) -> None:
    created = NOON - timedelta(days=days_ago)
    world.app.ports.ledger.put(a_record(job_id=job_id, created_at=created, run_at=created))


def listed(world: World, **options: object) -> list[str]:
    return [job.job_id for job in world.app.runtime.search.newest(**options).jobs]  # type: ignore[arg-type]


def everything(world: World, **options: object) -> list[list[str]]:
    """Return the ids of every page, one after the other."""
    pages, cursor = [], None
    while True:
        page = world.app.inspector.page(cursor=cursor, **options)  # type: ignore[arg-type]
        pages.append([job.job_id for job in page.jobs])
        cursor = page.cursor
        if cursor is None:
            return pages


def test_the_newest_jobs_are_looked_for_over_the_days_and_the_list_says_how_far(world: World) -> None:
    for job_id, days_ago in (("today", 0), ("yesterday", 1), ("last-week", 7)):
        put(world, job_id, days_ago)

    assert listed(world) == ["today", "yesterday", "last-week"]
    assert world.app.runtime.search.newest().seen_until.isoformat() == "2025-12-18T00:00:00+00:00"
    assert (listed(world, limit=2), world.app.runtime.search.newest(limit=2).cursor) == (
        ["today", "yesterday"],
        "2025-12-31|",
    )


def test_a_page_ends_with_its_day_and_its_cursor_goes_on_with_the_one_before(world: World) -> None:
    put(world, "today")
    put(world, "yesterday", days_ago=1)

    page = world.app.inspector.page()

    assert ["today"] == [job.job_id for job in page.jobs]
    assert ("2026-01-01|", "2026-01-02T00:00:00+00:00") == (page.cursor, page.seen_until.isoformat())


def test_a_full_page_says_the_moment_that_it_reached(world: World) -> None:
    for hours in range(3):
        created = NOON - timedelta(hours=hours)
        world.app.ports.ledger.put(a_record(job_id=f"job-{hours}", created_at=created, run_at=created))

    assert world.app.inspector.page(limit=2).seen_until == NOON - timedelta(hours=1)


@pytest.mark.parametrize("options", [{}, {"queue": "email"}])
def test_a_page_costs_one_look_at_the_index_and_one_at_the_jobs(world: World, options: dict[str, Any]) -> None:
    for number in range(300):
        put(world, f"job-{number}")
    ledger, _ = break_ports(world.app)

    world.app.inspector.page(limit=100, **options)

    assert ["recent", "get_many"] == ledger.calls


def test_pages_follow_one_another_over_the_days_without_gap_or_repetition(world: World) -> None:
    ids = [f"job-{number}" for number in range(7)]
    for number, job_id in enumerate(ids):
        put(world, job_id, days_ago=number)
        put(world, f"{job_id}-first", days_ago=number)

    pages = everything(world, limit=1)

    assert sorted(one for page in pages for one in page) == sorted([*ids, *(f"{one}-first" for one in ids)])
    assert {0, 1} == {len(page) for page in pages}


def test_an_expired_record_is_gone_before_dynamodb_removes_it(world: World) -> None:
    world.app.ports.ledger.put(a_record(expires_at=NOON))

    with pytest.raises(JobNotFoundError, match="no job 'job-1'"):
        world.app.get("job-1")
    assert listed(world) == []


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"cursor": "2026|x"}])
def test_what_no_list_can_do_is_refused(world: World, options: dict[str, object]) -> None:
    with pytest.raises(InvalidOptionError):
        listed(world, **options)


def test_a_job_as_json_has_the_names_that_clients_know() -> None:
    record = a_record(
        state=State.COMPLETED,
        attempts=2,
        first_started_at=NOON + timedelta(seconds=1),
        started_at=NOON + timedelta(seconds=5),
        ended_at=NOON + timedelta(seconds=5, milliseconds=250),
        result='{"sent":1}',
        failures=(Failure(attempt=1, life=1, at=NOON, error="OSError: no", error_type="OSError"),),
    )

    job = as_json(record)

    assert ("job-1", "user.greeting", "completed", 2, None) == (
        *(job["jobId"], job["type"], job["status"], job["attemptCount"]),
        job["error"],
    )
    assert ("2026-01-02T12:00:00.000Z", "2026-01-02T12:00:05.250Z") == (job["createdAt"], job["processedAt"])
    assert (job["waitSeconds"], job["runSeconds"], job["result"]) == (1.0, 0.25, {"sent": 1})
    failed = {
        "life": 1,
        "attempt": 1,
        "at": "2026-01-02T12:00:00.000Z",
        "error": "OSError: no",
        "errorType": "OSError",
    }
    assert job["failures"] == [failed]

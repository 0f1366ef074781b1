"""Endpoints about lanes, queues and pauses, in the shapes that seeds 001 and 004 ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lanework import Lane, State
from tests.support.factories import a_record

if TYPE_CHECKING:
    from tests.support.factories import a_record
from tests.support.http_shop import Shop


def test_the_lanes_numbers_have_the_seeds_shape(shop: Shop) -> None:
    shop.enqueue()
    shop.kill("job-2")
    shop.enqueue(job_id="job-3")

    answer = shop.api.get("/api/jobs/metrics").json

    assert answer["success"] is True
    assert list(answer["metrics"]) == ["CRITICAL", "HIGH", "MEDIUM", "LOW", "BATCH"]
    assert answer["metrics"]["HIGH"] == {
        "waiting": 1,
        "active": 0,
        "completed": 1,
        "failed": 1,
        "delayed": 0,
        "total": 3,
    }


def test_messages_are_counted(shop: Shop) -> None:
    shop.enqueue(delay=timedelta(minutes=5))

    assert shop.api.get("/api/stats").json["lanes"]["high"] == {
        "waiting": 0,
        "active": 0,
        "completed": 0,
        "failed": 0,
        "delayed": 1,
        "total": 1,
        "isPaused": False,
        "oldestSeconds": None,
        "lateInLastHour": 0,
        "keptInLastHour": None,
    }


def test_jobs_that_are_queued_while_their_lane_is_empty_are_told_of(shop: Shop) -> None:
    long_ago = shop.app.ports.clock() - timedelta(minutes=5)
    shop.app.ports.ledger.put(a_record(created_at=long_ago, run_at=long_ago))

    assert shop.api.get("/api/stats").json["unsent"] == {"high": 1}
    shop.enqueue()
    assert shop.api.get("/api/stats").json["unsent"] == {}


def test_prometheus_can_read_the_metrics(shop: Shop) -> None:
    shop.enqueue()
    shop.app.pause(lane="low")

    answer = shop.api.get("/metrics")

    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    samples = [one for family in families for one in family.samples]
    found = {(one.name, *sorted(one.labels.items())): one.value for one in samples}
    assert found["lanework_messages", ("lane", "high"), ("state", "waiting")] == 1
    assert found["lanework_lane_paused", ("lane", "low")] == 1


def test_the_queues_numbers_have_the_seeds_shape(shop: Shop) -> None:
    shop.enqueue()
    shop.run()

    answer = shop.api.get("/api/v1/jobs/queues").json

    numbers = {"waiting": 0, "active": 0, "completed": 1, "failed": 0, "delayed": 0, "paused": 0}
    assert (answer["success"], answer["data"]["email"]) == (True, numbers)
    assert shop.api.get("/api/v1/jobs/queues/email/stats").json["data"] == numbers


def test_failed_jobs_of_a_queue_are_listed_by_position_with_private_fields_masked(shop: Shop) -> None:
    shop.kill("job-1")
    shop.clock.advance(timedelta(seconds=1))
    shop.kill("job-2")

    (failed,) = shop.api.get("/api/v1/jobs/queues/email/failed?start=1&end=1").json["data"]

    assert failed == {
        "id": "job-1",
        "name": "user.greeting",
        "data": {"name": "•••", "provider": "github"},
        "failedReason": "LookupError: no mailbox for order 1",
        "attemptsMade": 1,
        "timestamp": 1767355200000,
    }


@pytest.mark.parametrize("query", ["start=5&end=1", "start=20"])
def test_positions_that_end_before_they_start_are_refused_by_name(shop: Shop, query: str) -> None:
    answer = shop.api.get(f"/api/v1/jobs/queues/email/failed?{query}")

    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert [("query", "start"), ("query", "end")] == [(one["in"], one["field"]) for one in answer.json["errors"]]


def test_a_failed_job_of_a_queue_is_retried(shop: Shop) -> None:
    shop.kill("job-1")

    assert shop.api.post("/api/v1/jobs/queues/email/job/job-1/retry").json["data"]["status"] == "queued"
    assert shop.api.post("/api/v1/jobs/queues/upkeep/job/job-1/retry").status == 404


def test_a_queue_is_paused_and_resumed(shop: Shop) -> None:
    assert shop.api.post("/api/v1/jobs/queues/email/pause").json["paused"] == ["queue:email"]
    shop.enqueue()
    shop.run()
    assert shop.stored().state is State.PARKED
    assert shop.api.get("/api/v1/jobs/queues/email/stats").json["data"]["paused"] == 1

    answer = shop.api.post("/api/v1/jobs/queues/email/resume").json

    assert answer == {"success": True, "resumed": "queue:email", "released": 1}


def test_a_lane_is_paused_by_its_priority_and_resumed_by_its_name(shop: Shop) -> None:
    assert shop.api.post("/api/jobs/pause", {"priority": 5}).json == {"success": True, "paused": ["lane:batch"]}
    assert shop.api.get("/api/jobs/pauses").json["paused"] == ["lane:batch"]
    assert shop.api.post("/api/jobs/resume", {"lane": "batch"}).json["resumed"] == "lane:batch"
    assert shop.api.get("/api/jobs/pauses").json["paused"] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "name one lane"),
        ({"lane": "low", "queue": "email"}, "name one lane"),
        ({"lane": "low", "priority": 4}, "give one of them"),
        ({"lane": "hihg"}, "did you mean 'high'"),
        ({"priority": 6}, "6"),
        ({"queue": "emial"}, "did you mean 'email'"),
        ({"type": "user.greating"}, "did you mean 'user.greeting'"),
    ],
)
def test_a_pause_of_nothing_in_particular_is_refused(shop: Shop, body: dict[str, object], says: str) -> None:
    answer = shop.api.post("/api/jobs/pause", body)

    assert (answer.status, says in answer.json["detail"]) == (400, True)


def test_a_queue_is_cleaned_by_a_job(shop: Shop) -> None:
    shop.enqueue()
    shop.run()
    shop.clock.advance(timedelta(days=1))

    answer = shop.api.post("/api/v1/jobs/queues/email/clean", {"grace": 3_600_000, "status": "completed"})

    assert answer.status == 202
    shop.run()
    assert shop.stored(answer.json["jobId"]).state is State.COMPLETED
    assert shop.stored().retired


@pytest.mark.parametrize("body", [{}, {"grace": -1}, {"grace": 0, "status": "complete"}, {"grace": 0, "limit": 5}])
def test_a_cleaning_that_is_not_clear_is_refused(shop: Shop, body: dict[str, object]) -> None:
    assert shop.api.post("/api/v1/jobs/queues/email/clean", body).status in {400, 422}


@pytest.mark.parametrize("path", ["stats", "failed"])
def test_a_misspelt_queue_is_told_the_nearest(shop: Shop, path: str) -> None:
    answer = shop.api.get(f"/api/v1/jobs/queues/emial/{path}")

    assert (answer.status, answer.problem, "did you mean 'email'" in answer.json["detail"]) == (
        404,
        "unknown-queue",
        True,
    )


def test_a_stack_of_two_lanes_shows_two_and_refuses_a_job_for_another(shop: Shop) -> None:
    shop.app.use(replace(shop.app.ports, stack_lanes=(Lane.HIGH, Lane.BATCH)), is_flushed=True)

    assert list(shop.api.get("/api/stats").json["lanes"]) == ["high", "batch"]
    assert [one["lane"] for one in shop.api.get("/api/sla").json["lanes"]] == ["high", "batch"]
    refused = shop.api.post("/api/jobs", {"type": "user.greeting", "payload": {"name": "Bat"}, "lane": "low"})
    assert refused.status == 400
    assert "lane 'low' is one that this stack leaves out" in refused.json["detail"]

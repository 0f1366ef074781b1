"""Endpoints about dead jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lanework import State
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from tests.support.http_shop import Shop


def test_the_dead_are_listed_in_the_seeds_shape(shop: Shop) -> None:
    shop.kill("job-1", "job-2")

    listed = shop.api.get("/api/admin/dlq").json

    asked_for = {
        "jobType": "user.greeting",
        "status": "dlq",
        "error": "LookupError: no mailbox for order 1",
        "attemptCount": 1,
        "createdAt": "2026-01-02T12:00:00.000Z",
        "processedAt": "2026-01-02T12:00:00.000Z",
    }
    assert (listed["count"], {job["jobId"] for job in listed["jobs"]}) == (2, {"job-1", "job-2"})
    (first,) = (job for job in listed["jobs"] if job["jobId"] == "job-1")
    assert first | asked_for == first


def test_the_dead_are_filtered_and_paged(shop: Shop) -> None:
    shop.kill("job-1")
    shop.clock.advance(timedelta(minutes=1))
    shop.kill("job-2", "job-3")

    page = shop.api.get("/api/admin/dlq?limit=2&cause=exhausted").json
    since = shop.api.get("/api/admin/dlq?diedAfter=2026-01-02T12:00:30Z").json

    assert (page["count"], page["cursor"] is None) == (2, False)
    assert {job["jobId"] for job in since["jobs"]} == {"job-2", "job-3"}


@pytest.mark.parametrize("path", ["dlq", "dlq/groups"])
@pytest.mark.parametrize("before", ["2026-01-02T11:00:00Z", "2026-01-02T12:00:00Z", "2026-01-02T12:30:00%2B01:00"])
def test_a_time_of_death_that_ends_before_it_begins_is_refused_by_name(shop: Shop, path: str, before: str) -> None:
    answer = shop.api.get(f"/api/admin/{path}?diedAfter=2026-01-02T12:00:00Z&diedBefore={before}")

    wrong = {"in": "query", "field": "diedAfter", "message": "must lie before diedBefore"}
    assert (answer.status, answer.problem, answer.json["errors"]) == (400, "invalid-request", [wrong])


@pytest.mark.parametrize("action", ["redrive", "drop"])
def test_an_order_for_a_time_that_ends_before_it_begins_moves_nothing(shop: Shop, action: str) -> None:
    time = {"diedAfter": "2026-01-02T12:00:00Z", "diedBefore": "2026-01-02T11:00:00Z"}

    answer = shop.api.post(f"/api/admin/dlq/{action}", time)

    wrong = {"in": "body", "field": "diedAfter", "message": "must lie before diedBefore"}
    assert (answer.status, answer.problem, answer.json["errors"]) == (422, "invalid-request", [wrong])


def test_the_dead_are_grouped_by_their_error(shop: Shop) -> None:
    shop.kill("job-1", "job-2", "job-3")

    (group,) = shop.api.get("/api/admin/dlq/groups").json["groups"]

    assert (group["count"], group["types"], group["lanes"]) == (3, ["user.greeting"], ["high"])


def test_a_dry_run_says_what_would_move_and_moves_nothing(shop: Shop) -> None:
    shop.kill("job-1", "job-2")

    answer = shop.api.post("/api/admin/dlq/redrive", {"cause": "exhausted", "dryRun": True})

    assert (answer.json["matched"], answer.json["dryRun"], answer.json["moved"]) == (2, True, None)
    assert shop.stored("job-1").state is State.DEAD


def test_chosen_jobs_are_redriven_at_once(shop: Shop) -> None:
    shop.kill("job-1", "job-2")

    answer = shop.api.post("/api/admin/dlq/redrive", {"jobIds": ["job-1"]})

    assert (answer.status, answer.json["moved"]) == (202, 1)
    assert (shop.stored("job-1").state, shop.stored("job-2").state) == (State.QUEUED, State.DEAD)


def test_a_job_of_which_no_message_can_be_made_is_reported_apart_with_its_cause(shop: Shop) -> None:
    """It counted as redriven, and was dead again a minute later."""
    shop.kill("job-1", "job-2")
    ledger: Any = shop.app.ports.ledger
    ledger.records["job-1"] = replace(ledger.records["job-1"], max_attempts=0)

    many = shop.api.post("/api/admin/dlq/redrive", {"jobIds": ["job-1", "job-2"]})
    one = shop.api.post("/api/jobs/job-1/retry")

    assert (many.json["moved"], many.json["passedOver"], list(many.json["leftOut"])) == (1, 1, ["job-1"])
    assert many.json["leftOut"]["job-1"].startswith("not sendable: ")
    assert "attempts" in many.json["leftOut"]["job-1"]
    assert (one.status, "not sendable: " in one.json["detail"]) == (409, True)
    assert (shop.stored("job-1").state, shop.stored("job-1").life) == (State.DEAD, 1)


@pytest.mark.parametrize("how", [{"canary": True}, {"rate": 5}])
def test_what_takes_longer_than_a_request_is_a_job(shop: Shop, how: dict[str, object]) -> None:
    shop.kill("job-1")

    answer = shop.api.post("/api/admin/dlq/redrive", {"all": True, **how})

    assert shop.stored(answer.json["jobId"]).type == "lanework.redrive"


def test_a_dropped_job_is_cancelled(shop: Shop) -> None:
    shop.kill("job-1")

    assert shop.api.post("/api/admin/dlq/drop", {"all": True}).json["moved"] == 1
    assert shop.stored("job-1").state is State.CANCELLED


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "no jobs are selected"),
        ({"all": True, "cause": "exhausted"}, "exclude each other"),
        ({"cause": "exausted"}, "did you mean 'exhausted'"),
        ({"all": True, "rate": 0}, "rate"),
    ],
)
def test_an_order_that_is_not_clear_moves_nothing(shop: Shop, body: dict[str, Any], says: str) -> None:
    shop.kill("job-1")

    answer = shop.api.post("/api/admin/dlq/redrive", body)

    assert (answer.status, says in answer.json["detail"]) == (400, True)
    assert shop.stored("job-1").state is State.DEAD


def test_where_nothing_matches_it_is_told_what_the_dead_are(shop: Shop) -> None:
    shop.kill("job-1")

    answer = shop.api.post("/api/admin/dlq/redrive", {"type": "user.greating"})

    assert (answer.status, answer.problem) == (404, "nothing-matches")
    assert "did you mean 'user.greeting'" in answer.json["detail"]


def test_a_job_that_is_named_twice_is_moved_once(shop: Shop) -> None:
    shop.kill("job-1", "job-2")

    answer = shop.api.post("/api/admin/dlq/redrive", {"jobIds": ["job-1", "job-1"]}).json

    assert (answer["matched"], answer["moved"], answer["passedOver"]) == (1, 1, 0)


@pytest.mark.parametrize("action", ["redrive", "drop"])
def test_of_several_jobs_those_that_are_dead_are_moved_and_the_answer_names_the_others(shop: Shop, action: str) -> None:
    shop.kill("job-1", "job-2")
    shop.enqueue("Bat", job_id="alive")

    answer = shop.api.post(f"/api/admin/dlq/{action}", {"jobIds": ["job-1", "alive", "nobody", "job-2"]})

    assert (answer.status, answer.json["matched"], answer.json["moved"]) == (202, 2, 2)
    assert {"alive": "queued", "nobody": "not found"} == answer.json["leftOut"]
    assert shop.stored("job-2").state is not State.DEAD


def test_a_cursor_of_another_list_is_refused(shop: Shop) -> None:
    shop.enqueue("Bat", job_id="job-1")

    answer = shop.api.get("/api/admin/dlq?cursor=2026-01-02%7C2026-01-02T12:00:00.000%2B00:00%23email%23x%23job-1")

    assert (answer.status, answer.problem) == (400, "invalid-option")


def test_what_is_nobodys_job_is_listed_where_the_list_ends(shop: Shop) -> None:
    shop.app.ports.lanes.send_to_dlq(Lane.HIGH, "not json", cause="invalid", error="")
    Reconciler(shop.app.ports).tick()

    answer = shop.api.get("/api/admin/dlq")
    page = shop.api.get("/dead")

    (found,) = answer.json["unreadable"]
    assert (found["lane"], found["count"], found["problem"].startswith("not a Lanework message")) == ("high", 1, True)
    assert "1 message in the dead-letter queue of lane high, and in no job of this list" in page.text

"""Endpoints about jobs, in the shapes that seeds 000 and 004 ask for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lanework import Lane, State
from lanework.testing import NOON

if TYPE_CHECKING:
    from tests.support.http_shop import Shop


def test_a_job_is_enqueued_by_words_of_its_type_with_its_payload_as_the_body(shop: Shop) -> None:
    answer = shop.api.post("/api/jobs/greeting", {"name": "Bat"})

    assert answer.status == 202
    assert (answer.json["message"], answer.json["status"]) == ("user.greeting enqueued", "enqueued")
    shop.run()
    assert shop.stored(answer.json["jobId"]).result == '"greeted Bat"'


def test_everything_that_a_call_may_say_can_be_said(shop: Shop) -> None:
    wanted = {
        "type": "user.greeting",
        "payload": {"name": "Bat"},
        "lane": 1,
        "delaySeconds": 60,
        "jobId": "mine",
        "tenant": "shop-7",
        "attempts": 4,
        "backoffSeconds": 3,
        "timeoutSeconds": 2,
    }

    assert shop.api.post("/api/jobs", wanted).json["jobId"] == "mine"

    stored = shop.stored("mine")
    assert (stored.lane, stored.max_attempts, stored.tenant) == (Lane.CRITICAL, 4, "shop-7")
    assert (stored.run_at, stored.backoff_base) == (NOON + timedelta(minutes=1), timedelta(seconds=3))


def test_a_repeated_id_is_told_and_enqueues_nothing_new(shop: Shop) -> None:
    wanted = {"type": "user.greeting", "payload": {"name": "Bat"}, "jobId": "mine"}

    statuses = [shop.api.post("/api/jobs", wanted).json["status"] for _ in range(2)]

    assert statuses == ["enqueued", "duplicate"]


def test_a_request_that_is_repeated_with_its_idempotency_key_is_one_job(shop: Shop) -> None:
    def send(path: str, body: object, key: str) -> list[str]:
        answer = shop.api.post(path, body, Idempotency_Key=key).json
        return [one["jobId"] for one in answer.get("jobs", [answer])]

    job = {"type": "user.greeting", "payload": {"name": "Bat"}}
    assert send("/api/jobs", job, "k1") == send("/api/jobs", job, "k1") != send("/api/jobs", job, "k2")
    assert send("/api/jobs/greeting", {"name": "Bat"}, "k3") == send("/api/jobs/greeting", {"name": "Bat"}, "k3")
    first, second = send("/api/jobs/batch", {"jobs": [job, job]}, "k4")
    assert first != second
    assert send("/api/jobs/batch", {"jobs": [job, job]}, "k4") == [first, second]


def test_a_key_and_an_id_of_ones_own_exclude_each_other(shop: Shop) -> None:
    answer = shop.api.post("/api/jobs", {"type": "user.greeting", "jobId": "mine"}, Idempotency_Key="k1")

    assert (answer.status, "Idempotency-Key" in answer.json["detail"]) == (400, True)


def test_of_many_none_is_enqueued_if_one_can_not_be(shop: Shop) -> None:
    good, bad = {"type": "user.greeting", "payload": {"name": "Bat"}}, {"type": "user.greeting", "payload": {}}

    answer = shop.api.post("/api/jobs/batch", {"jobs": [good, bad]})

    assert (answer.status, answer.problem) == (422, "invalid-payload")
    assert shop.api.get("/api/jobs").json["jobs"] == []


def test_many_are_answered_in_their_order(shop: Shop) -> None:
    jobs = [{"type": "user.greeting", "payload": {"name": "Bat"}, "jobId": f"job-{number}"} for number in range(25)]

    answer = shop.api.post("/api/jobs/batch", {"jobs": jobs})

    assert [one["jobId"] for one in answer.json["jobs"]] == [one["jobId"] for one in jobs]


def test_a_job_shows_what_the_seed_asks_for_and_no_payload(shop: Shop) -> None:
    shop.enqueue()
    shop.run()

    job = shop.api.get("/api/jobs/job-1").json

    asked_for = {
        "jobId": "job-1",
        "type": "user.greeting",
        "status": "completed",
        "createdAt": "2026-01-02T12:00:00.000Z",
        "processedAt": "2026-01-02T12:00:00.000Z",
        "attemptCount": 1,
        "error": None,
    }
    assert job | asked_for == job
    assert "payload" not in job


def test_progress_lines_and_payload_can_be_read(shop: Shop) -> None:
    shop.enqueue()
    shop.run()

    assert shop.api.get("/api/jobs/job-1/progress").json == {
        "jobId": "job-1",
        "status": "completed",
        "progress": 50,
        "note": "writing",
    }
    assert shop.api.get("/api/jobs/job-1/logs").json["lines"] == ["2026-01-02T12:00:00.000Z greeted"]
    assert shop.api.get("/api/jobs/job-1/payload").json["payload"] == {"name": "Bat", "provider": "github"}


@pytest.mark.parametrize("path", ["", "/progress", "/logs", "/payload"])
def test_a_job_that_does_not_exist_is_not_found(shop: Shop, path: str) -> None:
    answer = shop.api.get(f"/api/jobs/none{path}")

    assert (answer.status, answer.problem) == (404, "job-not-found")


def test_a_list_is_paged_newest_first(shop: Shop) -> None:
    for number in range(5):
        shop.enqueue(job_id=f"job-{number}")
        shop.clock.advance(timedelta(seconds=1))

    seen, cursor = [], ""
    while True:
        page = shop.api.get(f"/api/jobs?limit=2{cursor}").json
        seen.append([one["jobId"] for one in page["jobs"]])
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor'].replace('#', '%23').replace('+', '%2B').replace('|', '%7C')}"

    assert [job_id for page in seen for job_id in page] == ["job-4", "job-3", "job-2", "job-1", "job-0"]
    assert max(map(len, seen)) == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type=user.greeting", ["job-2", "job-1"]),
        ("queue=email&status=dead", ["job-2"]),
        ("lane=2&status=completed", ["job-1"]),
        ("lane=low", []),
    ],
)
def test_a_list_can_be_filtered(shop: Shop, query: str, expected: list[str]) -> None:
    shop.enqueue()
    shop.clock.advance(timedelta(seconds=1))
    shop.kill("job-2")
    shop.run()

    assert [one["jobId"] for one in shop.api.get(f"/api/jobs?{query}").json["jobs"]] == expected


@pytest.mark.parametrize("path", ["/api/jobs", "/api/admin/dlq"])
@pytest.mark.parametrize(("query", "meant"), [("type=user.greting", "user.greeting"), ("queue=emial", "email")])
def test_a_typo_in_a_filter_is_refused_with_what_may_be_meant(shop: Shop, path: str, query: str, meant: str) -> None:
    answer = shop.api.get(f"{path}?{query}")

    assert answer.status == 400
    assert f"did you mean '{meant}'?" in answer.json["detail"]


def test_the_dead_are_found_behind_hundreds_of_newer_jobs(shop: Shop) -> None:
    shop.kill("job-2")
    shop.clock.advance(timedelta(seconds=1))
    for _ in range(150):
        shop.app.enqueue("user.greeting", {"name": "Bat"})

    found = shop.api.get("/api/jobs?status=dead").json

    assert ([one["jobId"] for one in found["jobs"]], found["cursor"]) == (["job-2"], None)


@pytest.mark.parametrize("path", ["/api/jobs", "/api/admin/dlq", "/api/schedules"])
@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", ""])
def test_no_list_can_be_asked_for_without_bounds(shop: Shop, path: str, limit: str) -> None:
    answer = shop.api.get(f"{path}?limit={limit}")

    assert (answer.status, answer.problem) == (400, "invalid-request")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "2026-13-45%7C",
        "2026-01-02%7Cx",
        "2026-01-02T12:00:00.000%2B00:00%23job-1",
        "9999-12-31%7C",
        "0001-01-01%7C",
    ],
)
def test_a_cursor_from_elsewhere_is_refused(shop: Shop, cursor: str) -> None:
    answer = shop.api.get(f"/api/jobs?cursor={cursor}")

    assert (answer.status, answer.problem) == (400, "invalid-option")


def test_a_waiting_job_is_cancelled_at_once(shop: Shop) -> None:
    shop.enqueue()

    assert shop.api.post("/api/jobs/job-1/cancel").json == {"jobId": "job-1", "outcome": "cancelled"}
    assert shop.stored().state is State.CANCELLED


def test_what_has_ended_can_not_be_cancelled_and_says_what_would_work(shop: Shop) -> None:
    shop.kill("job-1")

    answer = shop.api.post("/api/jobs/job-1/cancel")

    assert (answer.status, answer.problem) == (409, "too-late")
    assert "drop it" in answer.json["detail"]


def test_a_dead_job_is_retried_with_another_payload(shop: Shop) -> None:
    shop.kill("job-1")

    answer = shop.api.post("/api/jobs/job-1/retry", {"payload": {"name": "Bat"}})

    assert (answer.status, answer.json["status"], answer.json["life"]) == (202, "queued", 3)
    shop.clock.advance(timedelta(minutes=1))
    shop.run()
    assert shop.stored().result == '"greeted Bat"'


def test_a_dead_job_is_retried_without_a_body(shop: Shop) -> None:
    shop.kill("job-1")

    assert shop.api.post("/api/jobs/job-1/retry").json["life"] == 2


def test_another_payload_that_does_not_fit_is_refused(shop: Shop) -> None:
    shop.kill("job-1")

    answer = shop.api.post("/api/jobs/job-1/retry", {"payload": {"name": 7}})

    assert (answer.status, answer.problem) == (422, "invalid-payload")
    assert answer.json["errors"][0]["field"] == "payload.name"


def test_a_job_that_is_well_is_not_retried(shop: Shop) -> None:
    shop.enqueue()

    assert shop.api.post("/api/jobs/job-1/retry").problem == "not-dead"


def test_a_waiting_job_is_rescheduled(shop: Shop) -> None:
    shop.enqueue(delay=timedelta(hours=1))

    answer = shop.api.post("/api/jobs/job-1/reschedule", {"delaySeconds": 30})

    assert (answer.status, answer.json["runAt"]) == (200, "2026-01-02T12:00:30.000Z")


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/batch", "/api/jobs/user-greeting"])
def test_the_trace_of_a_request_goes_along_with_its_jobs(shop: Shop, path: str) -> None:
    job = {"type": "user.greeting", "payload": {"name": "Bat"}}
    body: object = {"/api/jobs": job, "/api/jobs/batch": {"jobs": [job]}}.get(path, job["payload"])

    answer = shop.api.post(path, body, traceparent=TRACE, tracestate="vendor=1")

    assert answer.status == 202
    one = answer.json["jobs"][0] if "jobs" in answer.json else answer.json
    assert shop.stored(one["jobId"]).headers == (("traceparent", TRACE), ("tracestate", "vendor=1"))


def test_a_trace_that_is_none_is_passed_over(shop: Shop) -> None:
    answer = shop.api.post("/api/jobs/user-greeting", {"name": "Bat"}, traceparent="nonsense", tracestate="a=1")

    assert shop.stored(answer.json["jobId"]).headers == ()


def test_a_trace_that_does_not_fit_beside_a_correlation_id_keeps_no_job_from_being_enqueued(shop: Shop) -> None:
    job = {"type": "user.greeting", "payload": {"name": "Bat"}, "correlationId": "x" * 600}

    answer = shop.api.post("/api/jobs", job, traceparent=TRACE, tracestate=f"vendor={'1' * 500}")

    assert answer.status == 202
    assert dict(shop.stored(answer.json["jobId"]).headers) == {"correlation-id": "x" * 600, "traceparent": TRACE}


def test_a_job_may_have_a_webhook_and_say_what_it_belongs_to(shop: Shop) -> None:
    job = {"type": "user.greeting", "payload": {"name": "Bat"}, "jobId": "job-1", "correlationId": "request-7"}
    assert shop.api.post("/api/jobs", {**job, "webhook": "https://hooks.example.com"}).status == 202

    assert shop.stored().webhook == "https://hooks.example.com"
    assert shop.api.get("/api/jobs/job-1").json["correlationId"] == "request-7"
    assert "<code>request-7</code>" in shop.api.get("/jobs/job-1").text
    refused = shop.api.post("/api/jobs", {**job, "jobId": "job-2", "webhook": "http://10.0.0.1/"})
    assert (refused.status, refused.problem) == (400, "invalid-option")


def test_a_signal_is_kept_once_and_refused_by_a_job_that_ended(shop: Shop) -> None:
    shop.enqueue()

    said = [shop.api.post("/api/jobs/job-1/signal", {"name": "approved", "payload": {"by": "Bat"}}) for _ in range(2)]
    assert [(one.status, one.json["outcome"]) for one in said] == [(200, "kept"), (200, "repeated")]

    shop.run()
    ended = shop.api.post("/api/jobs/job-1/signal", {"name": "approved"})
    assert (ended.status, ended.problem) == (409, "job-ended")
    assert shop.api.post("/api/jobs/job-1/signal", {"name": "a/b"}).problem == "invalid-option"
    assert shop.api.post("/api/jobs/job-2/signal", {"name": "approved"}).problem == "job-not-found"


@pytest.mark.parametrize(
    ("name", "says"),
    [("greating", "did you mean"), ("user", None), ("nothing-at-all", "no job type"), ("redrive", "no job type")],
)
def test_words_of_no_type_are_told_the_nearest(shop: Shop, name: str, says: str | None) -> None:
    answer = shop.api.post(f"/api/jobs/{name}", {"name": "Bat"})

    if says is None:
        assert answer.status == 202
    else:
        assert (answer.status, answer.problem, says in answer.json["detail"]) == (404, "unknown-job-type", True)


def test_laneworks_own_jobs_can_not_be_enqueued_past_their_endpoints(shop: Shop) -> None:
    answer = shop.api.post("/api/jobs", {"type": "lanework.drop", "payload": {"which": {}}})

    assert (answer.status, answer.problem) == (400, "unknown-job-type")


def test_in_development_a_type_is_tried_with_its_example(shop: Shop) -> None:
    answer = shop.api.post("/api/jobs/test/greeting", {"provider": "gitlab"})

    assert answer.status == 202
    assert shop.api.get(f"/api/jobs/{answer.json['jobId']}/payload").json["payload"] == {
        "name": "Bat",
        "provider": "gitlab",
    }


JOB = {"type": "user.greeting", "payload": {"name": "Bat"}}


@pytest.mark.parametrize("key", ["", " ", "\t", "x" * 256, "ключ", "a\x07b", "a\x00b"])
@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/jobs", JOB), ("/api/jobs/greeting", {"name": "Bat"}), ("/api/jobs/batch", {"jobs": [JOB]})],
)
def test_a_key_that_is_none_is_a_bad_request_and_enqueues_nothing(
    shop: Shop, path: str, body: object, key: str
) -> None:
    answer = shop.api.post(path, body, Idempotency_Key=key)

    assert (answer.status, "Idempotency-Key" in answer.json["detail"]) == (400, True)
    assert shop.api.get("/api/jobs").json["jobs"] == []


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("/api/jobs", {**JOB, "payload": {"name": "Dorj"}}),
        ("/api/jobs", {**JOB, "payload": {"name": "x" * 1500}}),
        ("/api/jobs", {**JOB, "lane": "low"}),
        ("/api/jobs", {**JOB, "delaySeconds": 60}),
        ("/api/jobs", {**JOB, "type": "upkeep.sweep", "payload": {}}),
        ("/api/jobs/greeting", {"name": "Bat"}),
        ("/api/jobs/batch", {"jobs": [JOB]}),
        ("/api/jobs/batch", {"jobs": [JOB, JOB, JOB]}),
    ],
)
def test_the_same_key_with_another_request_is_refused_and_enqueues_nothing(
    shop: Shop, path: str, other: object
) -> None:
    first = shop.api.post("/api/jobs", JOB, Idempotency_Key="k1")

    answer = shop.api.post(path, other, Idempotency_Key="k1")

    assert (first.status, answer.status, answer.problem) == (202, 422, "idempotency-key-reused")
    assert len(shop.api.get("/api/jobs").json["jobs"]) == 1
    again = shop.api.post("/api/jobs", {"payload": {"name": "Bat"}, "type": "user.greeting"}, Idempotency_Key="k1")
    assert (again.status, again.json["status"], again.json["jobId"]) == (202, "duplicate", first.json["jobId"])


def test_a_key_of_several_jobs_with_others_enqueues_none_of_them(shop: Shop) -> None:
    two, three = {"jobs": [JOB, JOB]}, {"jobs": [JOB, JOB, JOB]}
    shop.api.post("/api/jobs/batch", two, Idempotency_Key="k1")

    assert shop.api.post("/api/jobs/batch", three, Idempotency_Key="k1").status == 422
    assert len(shop.api.get("/api/jobs").json["jobs"]) == 2


def test_an_id_that_another_types_job_has_is_a_conflict_that_names_both(shop: Shop) -> None:
    shop.enqueue(job_id="mine")

    answer = shop.api.post("/api/jobs", {"type": "upkeep.sweep", "jobId": "mine"})

    assert (answer.status, answer.problem) == (409, "job-id-taken")
    assert "upkeep.sweep" in answer.json["detail"]
    assert "user.greeting" in answer.json["detail"]


def test_an_answer_says_that_the_payload_differs(shop: Shop) -> None:
    shop.enqueue(job_id="mine")

    same, other = (
        shop.api.post("/api/jobs", {**JOB, "payload": {"name": name}, "jobId": "mine"}).json for name in ("Bat", "Dorj")
    )

    assert (same["status"], same["payloadDiffers"]) == ("duplicate", False)
    assert (other["status"], other["payloadDiffers"]) == ("duplicate", True)
    assert "with another payload" in other["message"]

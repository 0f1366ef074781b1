"""Endpoints about workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from lanework import State, batch, chain, group

if TYPE_CHECKING:
    from lanework import Request
    from tests.support.http_shop import Shop


def greet(shop: Shop, name: str = "Bat") -> Request:
    return shop.app.request("user.greeting", {"name": name})


def enqueue(shop: Shop, *names: str) -> None:
    plan = batch([greet(shop, name) for name in names], on_success=greet(shop))
    shop.app.workflows.enqueue(plan, workflow_id="w")


def test_a_workflow_is_listed_and_shown_with_its_counts(shop: Shop) -> None:
    enqueue(shop, "Bat", "die")
    shop.run()

    listed = shop.api.get("/api/workflows").json
    shown = shop.api.get("/api/workflows/w").json

    assert [(one["workflowId"], one["status"]) for one in listed["workflows"]] == [("w", "failed")]
    assert (shown["jobs"], shown["completed"], shown["dead"], shown["percent"]) == (2, 1, 1, 100)
    assert listed["workflows"][0].items() <= shown.items()


def test_workflows_are_paged_and_a_cursor_of_the_list_of_jobs_is_refused(shop: Shop) -> None:
    enqueue(shop, "Bat")
    of_jobs = shop.api.get("/api/jobs?limit=1").json["cursor"]
    own = shop.api.get("/api/workflows?limit=1").json["cursor"]

    older = shop.api.get(f"/api/workflows?cursor={quote(own)}")
    answer = shop.api.get(f"/api/workflows?cursor={quote(of_jobs)}")

    assert older.status == 200
    assert (answer.status, answer.problem) == (400, "invalid-option")
    assert shop.api.get(f"/api/jobs?cursor={quote(own)}").problem == "invalid-option"


def test_a_workflow_is_drawn(shop: Shop) -> None:
    shop.app.workflows.enqueue(chain(greet(shop), group([greet(shop)]), greet(shop)), workflow_id="w")

    graph = shop.api.get("/api/workflows/w/graph").json

    assert [(one["name"], one["within"]) for one in graph["nodes"]] == [
        ("workflow/w", None),
        ("w.1", "workflow/w"),
        ("workflow/w.2", "workflow/w"),
        ("w.2.1", "workflow/w.2"),
        ("w.3", "workflow/w"),
    ]
    assert graph["edges"] == [
        {"parent": "w.1", "child": "w.2.1", "when": "completed"},
        {"parent": "workflow/w.2", "child": "w.3", "when": "completed"},
    ]
    assert shop.api.get("/api/workflows/w/graph?limit=2").json["leftOut"] == 2


def test_the_page_of_many_jobs_has_the_totals_of_all_and_draws_the_dead(shop: Shop) -> None:
    enqueue(shop, *["Bat"] * 350, "die")
    shop.run()

    page = shop.api.get("/workflows/w").text

    assert '<progress max="351" value="351" aria-label="Progress"></progress>1 dead, 350 completed</p>' in page
    assert '<text class="below" x="18" y="40">1 dead, 298 completed</text>' in page
    assert "52 more jobs not drawn: those that need attention come first." in page


def test_results_are_read_page_by_page(shop: Shop) -> None:
    shop.app.workflows.enqueue(group(greet(shop, f"user {n}") for n in range(300)), workflow_id="w")
    shop.run()

    found: list[str] = []
    cursor: int | None = None
    for _ in range(10):
        query = "" if cursor is None else f"&cursor={cursor}"
        page = shop.api.get(f"/api/workflows/w/results?limit=90{query}").json
        found += [one["result"] for one in page["results"]]
        cursor = page["cursor"]
        if cursor is None:
            break

    assert found == [f"greeted user {n}" for n in range(300)]


def test_what_died_is_retried_and_what_waits_is_cancelled(shop: Shop) -> None:
    enqueue(shop, "Bat", "die")
    shop.run()

    assert shop.api.post("/api/workflows/w/retry").json == {"workflowId": "w", "jobs": 1}
    assert shop.stored("w.2").life == 2
    assert shop.api.post("/api/workflows/w/cancel").json == {"workflowId": "w", "jobs": 1}
    assert shop.stored("w.2").state is State.CANCELLED


@pytest.mark.parametrize("path", ["", "/graph", "/results"])
def test_an_unknown_workflow_is_told(shop: Shop, path: str) -> None:
    answer = shop.api.get(f"/api/workflows/nobody{path}")

    assert (answer.status, answer.problem) == (404, "workflow-not-found")


def test_a_job_waits_for_others_by_the_api(shop: Shop) -> None:
    body = {"type": "user.greeting", "payload": {"name": "Bat"}, "after": ["job-1"], "onFailure": "run"}
    assert shop.api.post("/api/jobs", body).problem == "unknown-parent"

    shop.enqueue()
    job_id = shop.api.post("/api/jobs", body).json["jobId"]

    shown = shop.api.get(f"/api/jobs/{job_id}").json
    assert (shown["status"], shown["after"], shown["waitsForJobs"]) == ("blocked", ["job-1"], ["job-1"])

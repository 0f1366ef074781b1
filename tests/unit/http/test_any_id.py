"""Every id that a job may have leads to that job: in the API, in links of pages, whatever other paths are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.support.http_shop import Shop

WORDS = [
    *("api", "job", "jobs", "metrics", "pauses", "pause", "resume", "batch", "test", "admin", "dlq", "groups", "drop"),
    *(
        "redrive",
        "alerts",
        "costs",
        "sla",
        "stats",
        "series",
        "schedules",
        "next",
        "run",
        "workflows",
        "graph",
        "results",
    ),
    *("queues", "failed", "clean", "v1", "retry", "cancel", "signal", "reschedule", "logs", "payload", "progress"),
    *("dead", "plan", "docs", "health", "limits", "login", "logout", "static", "cost", "openapi.json", "bulk"),
]
MARKED = ["a.b", "a..b", "a...", "a:b", "a@b", "a=b", "a+b", "a~b", "a-b", "a_b", "A", "0", "a" * 128, "a+b@c.d:e=f~g"]


@pytest.mark.parametrize("job_id", [*WORDS, *MARKED])
def test_a_job_is_found_under_its_id(shop: Shop, job_id: str) -> None:
    shop.enqueue(job_id=job_id)

    for path in (f"/api/job/{job_id}", f"/api/job/{quote(job_id, safe='')}"):
        answer = shop.api.get(path)
        assert (answer.status, answer.json.get("jobId")) == (200, job_id)
    for part in ("progress", "logs", "payload"):
        answer = shop.api.get(f"/api/jobs/{job_id}/{part}")
        assert (answer.status, answer.json.get("jobId")) == (200, job_id)
    page = shop.api.get(f"/jobs/{job_id}")
    assert (page.status, job_id in page.text) == (200, True)
    links = [quote(one, safe=":@=+~") for one in [job_id]]
    assert any(re.search(rf'href="[^"]*jobs/{re.escape(one)}"', shop.api.get("/jobs").text) for one in [job_id, *links])
    assert shop.api.post(f"/api/jobs/{job_id}/cancel").status == 200


@pytest.mark.parametrize("job_id", [one for one in WORDS if one not in ("metrics", "pauses")])
def test_where_no_other_path_is_called_so_the_usual_one_leads_to_it_too(shop: Shop, job_id: str) -> None:
    shop.enqueue(job_id=job_id)

    assert shop.api.get(f"/api/jobs/{job_id}").json["jobId"] == job_id


@pytest.mark.parametrize("job_id", ["a/b", "..", ".", "a%2Fb", "a b", "ключ", "%2e%2e", "a?b", "a#b"])
def test_what_can_be_no_id_is_not_found_and_nothing_else(shop: Shop, job_id: str) -> None:
    for path in (f"/api/job/{quote(job_id, safe='')}", f"/jobs/{quote(job_id, safe='')}"):
        assert shop.api.get(path).status == 404

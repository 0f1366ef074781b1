"""Endpoints about schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.http_shop import Shop

DAILY = {"type": "user.greeting", "payload": {"name": "Bat"}, "cron": "0 9 * * *", "tz": "Asia/Ulaanbaatar"}


def test_a_schedule_is_added_shown_and_removed(shop: Shop) -> None:
    added = shop.api.send("PUT", "/api/schedules/greet-daily", DAILY)

    assert (added.status, added.json["source"], added.json["nextAt"]) == (200, "dynamic", "2026-01-03T01:00:00Z")
    assert shop.api.get("/api/schedules/greet-daily").json["cron"] == "0 9 * * *"
    assert shop.api.send("DELETE", "/api/schedules/greet-daily").json == {"removed": "greet-daily"}
    assert shop.api.get("/api/schedules/greet-daily").problem == "unknown-schedule"


def test_schedules_are_listed_by_name_and_paged(shop: Shop) -> None:
    shop.api.send("PUT", "/api/schedules/greet-daily", DAILY)

    first = shop.api.get("/api/schedules?limit=1").json
    second = shop.api.get(f"/api/schedules?limit=1&cursor={first['cursor']}").json

    assert [one["name"] for page in (first, second) for one in page["schedules"]] == ["greet-daily", "upkeep.sweep"]
    assert second["cursor"] is None


@pytest.mark.parametrize("cursor", ["abc", "upkeep.sweep", "2026-01-02%7C", "1"])
def test_a_cursor_from_elsewhere_is_refused(shop: Shop, cursor: str) -> None:
    answer = shop.api.get(f"/api/schedules?cursor={cursor}")

    assert (answer.status, answer.problem) == (400, "invalid-option")


def test_the_next_ticks_are_told(shop: Shop) -> None:
    answer = shop.api.get("/api/schedules/upkeep.sweep/next?count=2").json

    assert answer["ticks"] == ["2026-01-03T02:00:00Z", "2026-01-04T02:00:00Z"]


def test_a_schedule_is_paused_resumed_and_run_now(shop: Shop) -> None:
    assert shop.api.post("/api/schedules/upkeep.sweep/pause").json["paused"] is True
    assert shop.api.post("/api/schedules/upkeep.sweep/resume").json["paused"] is False

    answer = shop.api.post("/api/schedules/upkeep.sweep/run")

    assert (answer.status, shop.stored(answer.json["jobId"]).type) == (202, "upkeep.sweep")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (DAILY | {"cron": "0 25 * * *"}, "25"),
        (DAILY | {"everySeconds": 60}, "cron"),
        (DAILY | {"type": "user.greating"}, "did you mean 'user.greeting'"),
        (DAILY | {"tz": "Asia/Ulanbatar"}, "Ulanbatar"),
        (DAILY | {"overlap": "never"}, "never"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(shop: Shop, body: dict[str, object], says: str) -> None:
    answer = shop.api.send("PUT", "/api/schedules/greet-daily", body)

    assert (answer.status, says in answer.json["detail"]) == (400, True)


def test_a_declared_schedule_is_changed_in_its_code(shop: Shop) -> None:
    answer = shop.api.send("DELETE", "/api/schedules/upkeep.sweep")

    assert (answer.status, "declared by a job type" in answer.json["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/next"), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/run"), ("DELETE", "")],
)
def test_a_schedule_that_does_not_exist_is_not_found(shop: Shop, method: str, path: str) -> None:
    assert shop.api.send(method, f"/api/schedules/nothing{path}").problem == "unknown-schedule"

"""Endpoints about what jobs did lately."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.http_shop import Shop


@pytest.fixture(autouse=True)
def busy(shop: Shop) -> None:
    """Have one job that completed in time, one that started late, and one that died."""
    shop.enqueue()
    shop.kill("job-2")
    shop.enqueue(job_id="job-3")
    shop.clock.advance(timedelta(minutes=2))
    shop.run()


@pytest.mark.parametrize(("by", "name"), [("lane", "high"), ("queue", "email"), ("type", "user.greeting")])
@pytest.mark.parametrize(("over", "steps", "length"), [("hour", 60, 60), ("day", 24, 3600)])
def test_a_series_has_a_step_for_every_minute_or_hour(
    shop: Shop, by: str, name: str, over: str, steps: int, length: int
) -> None:
    answer = shop.api.get(f"/api/stats/series?by={by}&over={over}").json

    (series,) = answer["series"].values()
    assert list(answer["series"]) == [name]
    assert (len(series), answer["stepSeconds"]) == (steps, length)
    assert {key: sum(step[key] for step in series) for key in series[0]} == {
        "started": 3,
        "completed": 2,
        "failed": 0,
        "dead": 1,
        "late": 1,
    }


def test_slas_are_told_by_lane_and_type_with_the_jobs_that_were_late(shop: Shop) -> None:
    answer = shop.api.get("/api/sla?over=hour").json

    (high,) = (one for one in answer["lanes"] if one["lane"] == "high")
    assert (high["slaSeconds"], high["starts"], high["late"], round(high["kept"], 2)) == (5, 3, 1, 0.67)
    assert [one["type"] for one in answer["types"]] == ["user.greeting"]
    assert [(one["jobId"], one["waitedSeconds"]) for one in answer["lateJobs"]] == [("job-3", 120)]


def test_costs_are_told_by_type(shop: Shop) -> None:
    answer = shop.api.get("/api/costs").json

    (one,) = answer["types"]
    assert (one["type"], one["jobs"]) == ("user.greeting", 3)
    assert answer["usd"] == pytest.approx(one["usd"] + answer["idleUsd"])
    assert one["usdPerMillion"] == pytest.approx(one["usd"] / 3 * 1_000_000)


@pytest.mark.parametrize("path", ["/api/stats/series?over=week", "/api/stats/series?by=job", "/api/costs?over=1"])
def test_a_time_that_is_not_kept_is_refused(shop: Shop, path: str) -> None:
    assert shop.api.get(path).problem == "invalid-request"


def test_alerts_are_told_and_shown_until_they_are_over(shop: Shop) -> None:
    shop.app.runtime.alert_manager().tick({})

    (alert,) = [one for one in shop.api.get("/api/alerts").json["active"] if one["rule"] == "death"]
    assert ("user.greeting", None) == (alert["subject"], alert["until"])
    assert alert["nextStep"] == "lanework dlq list --type user.greeting"
    page = shop.api.get("/").text
    assert "job-2 in lane high after 1 attempt" in page
    assert 'href="./dead?type=user.greeting&amp;within=hour">' in page

    shop.clock.advance(timedelta(hours=2))
    shop.app.runtime.alert_manager().tick({})
    shop.clock.advance(timedelta(minutes=5))
    shop.app.runtime.alert_manager().tick({})

    answer = shop.api.get("/api/alerts").json
    assert answer["active"] == []
    assert "death" in [one["rule"] for one in answer["resolved"]]
    assert "note alert" not in shop.api.get("/").text

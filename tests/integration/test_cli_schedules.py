"""`lanework schedules` on moto, with the example application's own jobs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from lanework.errors import LaneworkError
from lanework.model.schedule.timetable import Timetable
from tests.support.commands import said
from tests.support.stacks import REGION

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="scheduler")
def a_scheduler(stack: str, moto_endpoint: str) -> Any:
    """EventBridge with the stack's group and tick."""
    client = boto3.client("scheduler", region_name=REGION, endpoint_url=moto_endpoint)
    client.create_schedule_group(Name=stack)
    client.create_schedule(
        Name=f"{stack}-tick",
        GroupName=stack,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:lambda:{REGION}:123456789012:function:{stack}-clock",
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
        },
    )
    return client


@pytest.fixture(name="lanework")
def a_lanework(stack: str) -> Callable[..., str]:  # noqa: ARG001 - it is there
    """Run a command; return what it printed, or raise what it complained of."""
    return lambda *words: said("schedules", *words)


def listed(lanework: Callable[..., str]) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(lanework("list", "--json"))}


def test_a_schedule_is_added_shown_paused_run_and_removed(
    lanework: Callable[..., str], scheduler: Any, stack: str
) -> None:
    words = (
        "add",
        "greeting",
        "demo.greet",
        "-p",
        '{"name": "Bat"}',
        "--cron",
        "0 2 * * *",
        "--tz",
        "Asia/Ulaanbaatar",
    )
    assert lanework(*words) == "greeting: At 02:00 every day, Asia/Ulaanbaatar\n"
    assert lanework(*words) == "greeting: At 02:00 every day, Asia/Ulaanbaatar\n"
    told = scheduler.get_schedule(Name="greeting", GroupName=stack)
    assert (told["ScheduleExpression"], told["ScheduleExpressionTimezone"]) == ("cron(0 2 * * ? *)", "Asia/Ulaanbaatar")

    shown = listed(lanework)["greeting"]
    upcoming = Timetable(cron="0 2 * * *", tz="Asia/Ulaanbaatar").next(datetime.now(UTC))
    assert upcoming is not None
    assert shown == {
        "name": "greeting",
        "type": "demo.greet",
        "cron": "0 2 * * *",
        "everySeconds": None,
        "tz": "Asia/Ulaanbaatar",
        "words": "At 02:00 every day",
        "overlap": "skip",
        "catchUp": "latest",
        "source": "dynamic",
        "paused": False,
        "nextAt": f"{upcoming:%Y-%m-%dT%H:%M:%SZ}",
        "lastRun": None,
        "lastStatus": None,
    }
    assert lanework("pause", "greeting") == "greeting: paused\n"
    assert json.loads(lanework("pause", "greeting", "--json"))["nextAt"] is None
    assert "paused" in lanework("list")
    assert lanework("resume", "greeting").startswith(
        f"greeting: resumed, next {upcoming + timedelta(hours=8):%Y-%m-%d} 02:00 +08"
    )

    job_id = lanework("run", "greeting").strip()
    assert job_id.startswith("greeting@")
    assert job_id.endswith("Z+manual")
    assert lanework("remove", "greeting") == "greeting: removed\n"
    assert "greeting" not in lanework("list")
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule(Name="greeting", GroupName=stack)


def test_what_the_code_declares_is_listed_before_the_first_minute_and_can_be_paused(
    lanework: Callable[..., str],
) -> None:
    assert {(one["source"], one["paused"]) for one in listed(lanework).values()} == {("declared", False)}
    (line,) = (one for one in lanework("list").splitlines() if one.startswith("cleanup.expired-tokens "))
    assert "At 02:00 every day, UTC" in line

    lanework("pause", "cleanup.expired-tokens")

    assert {name for name, one in listed(lanework).items() if one["paused"]} == {"cleanup.expired-tokens"}


@pytest.mark.usefixtures("scheduler")
def test_the_next_ticks_are_shown_in_the_schedules_zone_and_in_utc(lanework: Callable[..., str]) -> None:
    lanework("add", "half", "demo.greet", "--cron", "0 9 1 1 *", "--tz", "Asia/Kathmandu")
    year = datetime.now(UTC).year + 1

    lines = lanework("next", "half", "-n", "2").splitlines()

    assert lines[0].split() == ["Asia/Kathmandu", "UTC"]
    assert lines[1].split() == [f"{year}-01-01", "09:00", "+0545", f"{year}-01-01", "03:15:00Z"]
    assert json.loads(lanework("next", "half", "--json", "-n", "1")) == [f"{year}-01-01T03:15Z"]


@pytest.mark.usefixtures("scheduler")
def test_an_interval_is_added_in_words(lanework: Callable[..., str]) -> None:
    assert lanework("add", "often", "demo.greet", "--every", "6h") == "often: Every 6 hours\n"
    assert json.loads(lanework("remove", "often", "--json")) == {"removed": "often"}


def test_a_stack_that_eventbridge_does_not_know_keeps_the_schedule_and_says_so(lanework: Callable[..., str]) -> None:
    with pytest.raises(LaneworkError, match="'often' is recorded, and the minute tick starts it, up to a minute late"):
        lanework("add", "often", "demo.greet", "--every", "6h")

    assert {"cleanup.expired-tokens", "often"} <= set(listed(lanework))


@pytest.mark.usefixtures("scheduler")
def test_outside_of_a_project_the_table_says_enough_to_look_and_to_pause(
    lanework: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lanework("add", "often", "demo.greet", "--every", "6h")
    monkeypatch.chdir(tmp_path)

    assert set(listed(lanework)) == {"often"}
    assert lanework("pause", "often") == "often: paused\n"
    assert lanework("remove", "often") == "often: removed\n"
    assert lanework("list") == "there are no schedules\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("add", "x", "demo.gret", "--every", "6h"), "unknown job type 'demo.gret', did you mean 'demo.greet'?"),
        (("add", "x", "demo.greet"), "a schedule has either cron= or every="),
        (("add", "x", "demo.greet", "--cron", "0 25 * * *"), "cron field 2 (hour) can't be '25': 0 to 23"),
        (("add", "x", "demo.greet", "--cron", "0 2 * * *", "--tz", "Mongolia"), "unknown time zone 'Mongolia'"),
        (("add", "X", "demo.greet", "--every", "6h"), "schedule 'X' can't be used as a name"),
        (
            ("add", "cleanup.expired-tokens", "demo.greet", "--every", "6h"),
            "schedule 'cleanup.expired-tokens' is declared",
        ),
        (("remove", "cleanup.expired-tokens"), "schedule 'cleanup.expired-tokens' is declared by a job type"),
        (("pause", "cleanup.expired-token"), "unknown schedule 'cleanup.expired-token', did you mean"),
    ],
)
def test_a_mistake_is_refused_in_a_line_that_says_what_would_work(
    lanework: Callable[..., str], words: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(LaneworkError) as refused:
        lanework(*words)

    assert str(refused.value).startswith(complaint)
    assert "\n" not in str(refused.value)

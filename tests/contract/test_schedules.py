"""What every store of schedules must do, and what EventBridge is told of those that were added."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from lanework.errors import ConfigError
from lanework.model.schedule.schedule import CatchUp, Overlap, Schedule, Source, begun
from lanework.model.schedule.timetable import Timetable
from lanework.testing import NOON
from tests.support.backends import Backend, ids_due
from tests.support.stacks import REGION

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HOURLY = Schedule(name="hourly", job_type="job.clean", timetable=Timetable(cron="0 * * * *"))


def test_a_schedule_comes_back_as_it_was_written(backend: Backend) -> None:
    store = backend.ports.schedules
    cron = Schedule(
        name="a.b_c-1",
        job_type="job.clean",
        timetable=Timetable(cron="cron(0 2 ? * MON *)", tz="Asia/Ulaanbaatar"),
        payload='{"нэр":"Бат"}',
        overlap=Overlap.ALLOW,
        catch_up=CatchUp.ALL,
    )
    every = Schedule(name="every", job_type="job.clean", timetable=Timetable(every=90 * MINUTE))
    for schedule in (cron, every):
        record = replace(begun(schedule, Source.DYNAMIC, now=NOON), last_run="a.b@1")

        written = store.write(record)

        assert written is not None
        assert written == replace(record, revision=written.revision)
        assert store.get(schedule.name) == written
    paused = store.write(
        replace(store.get("every") or begun(every, Source.DYNAMIC, now=NOON), paused=True, due_at=None)
    )
    assert (store.get("every"), [one.schedule for one in store.all()]) == (paused, [cron, every])
    assert store.get("nobody") is None


def test_of_two_writers_that_read_the_same_one_is_refused(backend: Backend) -> None:
    store = backend.ports.schedules
    new = begun(HOURLY, Source.DYNAMIC, now=NOON)
    first = store.write(new)
    assert first is not None
    assert store.write(new) is None

    assert store.write(first.reserved(NOON + HOUR)) is not None

    assert store.write(first.paused_now()) is None
    assert store.remove(first) is False
    found = store.get("hourly")
    assert found is not None
    assert (found.last_run, found.is_settled) == ("hourly@2026-01-02T13:00Z", False)
    assert found.revision == first.revision + 1


def test_only_what_is_due_is_found_soonest_first(backend: Backend) -> None:
    store = backend.ports.schedules
    for name, minute in (("c", 10), ("a", 20), ("b", 30)):
        schedule = replace(HOURLY, name=name, timetable=Timetable(cron=f"{minute} * * * *"))
        store.write(begun(schedule, Source.DYNAMIC, now=NOON))
    paused = begun(replace(HOURLY, name="p"), Source.DYNAMIC, now=NOON).paused_now()
    store.write(paused)

    assert store.due(until=NOON + 9 * MINUTE, limit=10) == []
    assert store.due(until=NOON + 20 * MINUTE, limit=10) == ["c", "a"]
    assert store.due(until=NOON + HOUR, limit=2) == ["c", "a"]


def test_a_schedule_that_is_due_is_no_job_of_the_sweep(backend: Backend) -> None:
    backend.ports.schedules.write(begun(HOURLY, Source.DYNAMIC, now=NOON))

    assert [ids_due(backend.ports.ledger, shard, until=NOON + 2 * HOUR, limit=10) for shard in range(4)] == [[]] * 4


def test_a_removed_schedule_is_gone_and_its_name_is_free(backend: Backend) -> None:
    store = backend.ports.schedules
    record = store.write(begun(HOURLY, Source.DYNAMIC, now=NOON))
    assert record is not None

    assert store.remove(record) is True

    assert (store.get("hourly"), store.all(), store.due(until=NOON + 2 * HOUR, limit=10)) == (None, [], [])
    assert store.remove(record) is False
    assert store.write(record) is None
    again = store.write(begun(HOURLY, Source.DECLARED, now=NOON))
    assert store.get("hourly") == again


@pytest.fixture(name="aws")
def an_aws(backend: Backend) -> Any:
    """The Scheduler's client, with the stack's group and tick as template.yaml makes them."""
    if backend.name == "memory":
        return None
    client = boto3.client("scheduler", region_name=REGION, endpoint_url=backend.endpoint)
    client.create_schedule_group(Name=backend.stack)
    client.create_schedule(
        Name=f"{backend.stack}-tick",
        GroupName=backend.stack,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:lambda:eu-west-1:123456789012:function:clock",
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
        },
    )
    return client


def test_a_schedule_is_told_to_eventbridge_told_again_and_forgotten(backend: Backend, aws: Any) -> None:
    scheduler: Any = backend.ports.scheduler
    changed = replace(HOURLY, timetable=Timetable(cron="0 2 * * *", tz="Asia/Ulaanbaatar"))

    assert [scheduler.create(one) for one in (HOURLY, changed, changed)] == [True] * 3

    if backend.name == "memory":
        assert scheduler.schedules == {"hourly": changed}
    else:
        made = aws.get_schedule(Name="hourly", GroupName=backend.stack)
        assert made["ScheduleExpression"] == "cron(0 2 * * ? *)"
        assert made["ScheduleExpressionTimezone"] == "Asia/Ulaanbaatar"
        assert made["Target"]["Arn"] == "arn:aws:lambda:eu-west-1:123456789012:function:clock"
        assert made["Target"]["RoleArn"] == "arn:aws:iam::123456789012:role/scheduler"
        assert made["Target"]["Input"] == '{"schedule": "hourly", "at": "<aws.scheduler.scheduled-time>"}'
    scheduler.delete("hourly")
    scheduler.delete("hourly")
    scheduler.create(HOURLY)


def test_the_ticks_own_name_is_refused_and_so_is_a_stack_without_a_tick(backend: Backend) -> None:
    scheduler: Any = backend.ports.scheduler
    if backend.name == "memory":
        assert scheduler.create(HOURLY), "in memory there is no tick"
        return

    with pytest.raises(ConfigError, match="the stack's own tick has it"):
        scheduler.create(replace(HOURLY, name=f"{backend.stack}-tick"))
    with pytest.raises(ConfigError, match=r"to copy the target from: deploy template\.yaml"):
        scheduler.create(HOURLY)

"""Probes of EventBridge, its Scheduler, SNS and SSM: one for each line that begins with their names."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from lanework.local.probe.functions import make_role
from lanework.local.probe.lab import TAG, check, refused
from lanework.local.probe.sqs import arn_of, make_queue, receive

if TYPE_CHECKING:
    from lanework.local.probe.lab import Lab

INVALID: Final = "ValidationException"
LEAD_S: Final = 5
"""How far ahead a schedule is that is to fire: creating it may take some seconds."""


def _make_group(lab: Lab) -> str:
    scheduler, name = lab.client("scheduler"), lab.name()
    lab.delete_later(f"schedule group {name}", lambda: scheduler.delete_schedule_group(Name=name))
    scheduler.create_schedule_group(Name=name, Tags=[{"Key": TAG, "Value": lab.prefix}])
    return name


def _make_target(lab: Lab) -> dict[str, str]:
    url = make_queue(lab)
    return {"url": url, "Arn": arn_of(lab, url), "RoleArn": make_role(lab)}


def _schedule(lab: Lab, *, target: dict[str, Any] | None = None, **options: Any) -> str:  # noqa: ANN401 - as boto has them
    """Make a schedule, which goes with its group; return its name."""
    group = lab.shared("schedule group", lambda: _make_group(lab))
    place = lab.shared("schedule target", lambda: _make_target(lab))
    request = {
        "Name": lab.name(),
        "GroupName": group,
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": place["Arn"], "RoleArn": place["RoleArn"], **(target or {})},
        **options,
    }
    lab.client("scheduler").create_schedule(**request)
    return str(request["Name"])


def scheduler_name(lab: Lab) -> str:
    return refused(lambda: _schedule(lab, Name="not/allowed"), INVALID)


def scheduler_name_size(lab: Lab) -> str:
    return refused(lambda: _schedule(lab, Name="n" * 65), INVALID)


def scheduler_same_name(lab: Lab) -> str:
    name = _schedule(lab)
    return refused(lambda: _schedule(lab, Name=name), "ConflictException")


def scheduler_expression(lab: Lab) -> str:
    return refused(lambda: _schedule(lab, ScheduleExpression="cron(0 9 * * *)"), INVALID)


def scheduler_zone(lab: Lab) -> str:
    return refused(lambda: _schedule(lab, ScheduleExpressionTimezone="Europe/Nowhere"), INVALID)


def scheduler_retries(lab: Lab) -> str:
    policy = {"RetryPolicy": {"MaximumRetryAttempts": 186, "MaximumEventAgeInSeconds": 300}}
    return refused(lambda: _schedule(lab, target=policy), INVALID)


def scheduler_event_age(lab: Lab) -> str:
    policy = {"RetryPolicy": {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 59}}
    return refused(lambda: _schedule(lab, target=policy), INVALID)


def scheduler_keeps(lab: Lab) -> str:
    name = _schedule(lab, ScheduleExpression="cron(0 9 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")
    group = lab.shared("schedule group", lambda: _make_group(lab))
    found = lab.client("scheduler").get_schedule(Name=name, GroupName=group)
    kept = (found["ScheduleExpression"], found.get("ScheduleExpressionTimezone"))
    check(kept == ("cron(0 9 * * ? *)", "Europe/Berlin"), "the expression or the zone is lost")
    return "kept with its zone"


def scheduler_fires(lab: Lab) -> str:
    return _late_by(lab, "UTC")


def scheduler_fires_in_zone(lab: Lab) -> str:
    return _late_by(lab, "Asia/Tokyo")


def scheduler_time(lab: Lab) -> str:
    body, due, _ = _fired(lab, "UTC")
    check(body.startswith(f"{due:%Y-%m-%dT%H:%M}"), f"the time in the message is {body}")
    return f"the time in the message is {body}"


def _late_by(lab: Lab, zone: str) -> str:
    _, due, came = _fired(lab, zone)
    late_s = (came - due).total_seconds()
    check(late_s >= 0, "before its time")
    return f"{late_s:.0f} s after its time"


def _fired(lab: Lab, zone: str) -> tuple[str, datetime, datetime]:
    """Let a schedule, which a zone's probes share, send its time; return that, and when it was due and came."""
    fired: tuple[str, datetime, datetime] = lab.shared(f"schedule in {zone}", lambda: _fire(lab, zone))
    return fired


def _fire(lab: Lab, zone: str) -> tuple[str, datetime, datetime]:
    url, due = make_queue(lab), datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=LEAD_S)
    _schedule(
        lab,
        target={"Arn": arn_of(lab, url), "Input": '"<aws.scheduler.scheduled-time>"'},
        ScheduleExpression=f"at({due.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M:%S})",
        ScheduleExpressionTimezone=zone,
        ActionAfterCompletion="DELETE",
    )
    body = receive(lab, url)["Body"]
    return str(json.loads(body)), due, datetime.now(UTC)


def _put_events(lab: Lab, *entries: dict[str, Any]) -> dict[str, Any]:
    usual = {"Source": "lanework.probe", "DetailType": "probe", "Detail": "{}"}
    answer: dict[str, Any] = lab.client("events").put_events(Entries=[{**usual, **one} for one in entries])
    return answer


def _failed_with(lab: Lab, code: str, **entry: str) -> str:
    (answer,) = _put_events(lab, entry)["Entries"]
    check("ErrorCode" in answer, "accepted")
    check(answer["ErrorCode"] == code, f"failed with {answer['ErrorCode']}")
    return code


def events_entries(lab: Lab) -> str:
    return refused(lambda: _put_events(lab, *[{}] * 11), INVALID)


def events_size(lab: Lab) -> str:
    detail = json.dumps({"text": "x" * 1_100_000})
    return refused(lambda: _put_events(lab, {"Detail": detail}), INVALID)


def events_detail_is_json(lab: Lab) -> str:
    return _failed_with(lab, "MalformedDetail", Detail="not JSON")


def events_detail_type(lab: Lab) -> str:
    return _failed_with(lab, "InvalidArgument", DetailType="")


def _topic(lab: Lab) -> str:
    def make() -> str:
        sns, name = lab.client("sns"), lab.name()
        made: dict[str, str] = {}
        lab.delete_later(f"SNS topic {name}", lambda: made and sns.delete_topic(TopicArn=made["arn"]))
        made["arn"] = sns.create_topic(Name=name, Tags=[{"Key": TAG, "Value": lab.prefix}])["TopicArn"]
        return made["arn"]

    return str(lab.shared("topic", make))


def sns_size(lab: Lab) -> str:
    publish = lab.client("sns").publish
    return refused(lambda: publish(TopicArn=_topic(lab), Message="x" * (256 * 1024 + 1)), "InvalidParameter")


def sns_subject(lab: Lab) -> str:
    publish = lab.client("sns").publish
    return refused(lambda: publish(TopicArn=_topic(lab), Message="x", Subject="s" * 101), "InvalidParameter")


def _put_parameter(lab: Lab, value: str, kind: str) -> str:
    ssm, name = lab.client("ssm"), f"/{lab.name()}"
    lab.delete_later(f"SSM parameter {name}", lambda: ssm.delete_parameter(Name=name))
    ssm.put_parameter(Name=name, Value=value, Type=kind, Tags=[{"Key": TAG, "Value": lab.prefix}])
    return name


def ssm_secure_string(lab: Lab) -> str:
    name = _put_parameter(lab, "user:password", "SecureString")
    found = lab.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    check(found["Value"] == "user:password", "another value came back")
    return "read with decryption"


def ssm_size(lab: Lab) -> str:
    return refused(lambda: _put_parameter(lab, "x" * 4097, "String"), INVALID)

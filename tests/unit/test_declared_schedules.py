"""`lanework check` on schedules: what the code declares and the template has are the same, or it says what to paste."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner

from jobs import app as example
from lanework.cli.main import app as command
from lanework.doctor.case import Code, examine
from lanework.doctor.rules.schedules import RULES
from lanework.local.deployment.declared_schedules import to_paste
from lanework.local.deployment.sam_transform import lint_template
from lanework.local.deployment.template import read_template
from lanework.local.doctor_input import template_case
from lanework.model.schedule.schedule import Schedule
from lanework.model.schedule.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
EXAMPLE = [one.schedule for one in example.registry.types if one.schedule is not None]
DECLARED = [one for one in EXAMPLE if one.name == "cleanup.expired-tokens"]
EVENT = re.compile(r"^        \w+:\n          Type: ScheduleV2\n(?:          .*\n)+", re.MULTILINE)
NIGHTLY = Schedule(
    name="job.clean_up-2",
    job_type="job.clean_up-2",
    timetable=Timetable(cron="30 2 * * MON", tz="Asia/Ulaanbaatar"),
)


def with_one_schedule() -> str:
    """Return the example's template with one schedule of its many."""
    text = TEMPLATE.read_text()
    for event in EVENT.findall(text):
        if "-tick" not in event and "Name: cleanup.expired-tokens\n" not in event:
            text = text.replace(event, "")
    return text


def problems(tmp_path: Path, *changes: tuple[str, str], declared: Sequence[Schedule] = DECLARED) -> tuple[str, ...]:
    """Return what is wrong once these parts of the template are replaced; it has one schedule beside the tick."""
    text = with_one_schedule()
    for has, instead in changes:
        assert has in text
        text = text.replace(has, instead)
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return compared(path, declared)


def compared(path: Path, declared: Sequence[Schedule]) -> tuple[str, ...]:
    case = template_case(read_template(path), Code(attempts={}, schedules=tuple(declared)))
    return tuple(f"schedule {one.about!r}: {one.what}" for one in examine(case, RULES))


def test_the_examples_template_has_the_schedules_of_its_jobs(tmp_path: Path) -> None:
    assert "newsletter.weekly" in [one.name for one in EXAMPLE]
    assert compared(TEMPLATE, EXAMPLE) == ()
    assert problems(tmp_path) == ()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("cron(0 2 * * ? *)", "cron(0 3 * * ? *)"), "ScheduleExpression is cron(0 3 * * ? *), the code says cron(0 2"),
        (("Timezone: UTC", "Timezone: Asia/Tokyo"), "ScheduleExpressionTimezone is Asia/Tokyo, the code says UTC"),
        (("Name: cleanup.expired-tokens", "Name: cleanup"), "Name is cleanup, the code says cleanup.expired-tokens"),
        (
            ('"at": "<aws.scheduler.scheduled-time>"', '"at": ""'),
            'Input is {"schedule": "cleanup.expired-tokens", "at": ""}',
        ),
        (("Timezone: UTC", "Timezone: UTC\n            State: DISABLED"), "State is DISABLED, the code says ENABLED"),
        (
            ("GroupName: !Ref ScheduleGroup", "GroupName: default"),
            "GroupName is default, it must be the stack's own group",
        ),
    ],
)
def test_a_difference_is_said_field_by_field(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    (problem,) = problems(tmp_path, change)

    assert problem.startswith(f"schedule 'cleanup.expired-tokens': {complaint}")


def test_a_schedule_that_no_job_type_declares_any_more_is_found(tmp_path: Path) -> None:
    assert problems(tmp_path, declared=()) == (
        "schedule 'cleanup.expired-tokens': no job type declares it; remove it from the template",
    )
    renamed = Schedule(name="cleanup.expired-token", job_type="x", timetable=Timetable(cron="0 2 * * *"))
    missing, gone = problems(tmp_path, declared=[renamed])
    assert missing == "schedule 'cleanup.expired-token': the template doesn't have it"
    assert gone.endswith("no job type declares it, did you mean 'cleanup.expired-token'?")


def test_what_is_printed_mends_the_template_when_it_is_pasted(tmp_path: Path) -> None:
    declared = [*DECLARED, NIGHTLY, Schedule(name="b", job_type="b", timetable=Timetable(every=timedelta(hours=7)))]
    template = tmp_path / "before.yaml"
    template.write_text(with_one_schedule())
    found = compared(template, declared)
    assert [one.split(":")[0] for one in found] == ["schedule 'job.clean_up-2'", "schedule 'b'"]
    pasted = to_paste(read_template(template), declared[1:])
    mended = tmp_path / "template.yaml"

    mended.write_text(
        template.read_text().replace("        CleanupExpiredTokens:", f"{pasted}        CleanupExpiredTokens:")
    )

    assert compared(mended, declared) == ()
    assert lint_template(read_template(mended)) == []


def test_a_template_that_never_had_a_schedule_is_told_of_the_group_and_the_role_too() -> None:
    clock: dict[str, Any] = {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "handlers.clock.handler"}}
    template: dict[str, Any] = {"Resources": {"Clock": clock}}
    assert to_paste(template, []) == ""

    text = to_paste(template, [NIGHTLY])

    head, _, events = text.partition("# under Events of the clock function\n")
    assert head.startswith("# under Resources\n  ScheduleGroup:\n")
    assert set(yaml.load(head, _Loader)) == {"ScheduleGroup", "SchedulerRole"}  # noqa: S506 - a safe loader's child
    event = yaml.load(events, _Loader)["JobCleanUp2"]["Properties"]  # noqa: S506 - as above
    assert (event["Name"], event["ScheduleExpressionTimezone"]) == ("job.clean_up-2", "Asia/Ulaanbaatar")


def test_eventbridge_calls_as_a_role_that_may_only_call_the_clock() -> None:
    resources = read_template(TEMPLATE)["Resources"]
    events = [event["Properties"] for event in resources["Clock"]["Properties"]["Events"].values()]
    (policy,) = resources["SchedulerRole"]["Properties"]["Policies"]
    (trust,) = resources["SchedulerRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (allowed,) = policy["PolicyDocument"]["Statement"]

    assert {str(event["RoleArn"]) for event in events} == {"{'Fn::GetAtt': ['SchedulerRole', 'Arn']}"}
    assert {str(event["GroupName"]) for event in events} == {"{'Ref': 'ScheduleGroup'}"}
    assert (allowed["Action"], allowed["Resource"]) == ("lambda:InvokeFunction", {"Fn::GetAtt": ["Clock", "Arn"]})
    assert trust["Condition"]["StringEquals"] == {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"},
        "aws:SourceArn": {"Fn::GetAtt": ["ScheduleGroup", "Arn"]},
    }


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads the short forms, such as `!Ref`."""


_Loader.add_multi_constructor("!", lambda _, tag, node: {tag: node.value})


def test_the_command_prints_what_to_paste_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project here is the example with a template that lacks the schedule."""
    text = TEMPLATE.read_text()
    begin, end = text.index("        CleanupExpiredTokens:"), text.index("\nOutputs:")
    (tmp_path / "template.yaml").write_text(text[:begin] + text[end:])
    for name in ("handlers", "shared", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(command, ["check"])

    assert result.exit_code == 1
    assert "template.yaml: cleanup.expired-tokens: the template doesn't have it" in result.stderr
    assert result.stdout.startswith("# under Events of the clock function\n        CleanupExpiredTokens:\n")

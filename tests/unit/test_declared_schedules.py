"""`lanework check` on schedules: what the code declares and the template has are the same, or it writes them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from jobs import app as example
from lanework.cli.main import app as command
from lanework.doctor.case import Code, examine
from lanework.doctor.rules.schedules import RULES
from lanework.errors import ConfigError
from lanework.local.deployment.declared_schedules import events_yaml
from lanework.local.deployment.template import read_template
from lanework.local.doctor_input import template_case
from lanework.model.schedule.schedule import Schedule
from lanework.model.schedule.timetable import Timetable
from lanework.starter.leave_out import without_example
from lanework.starter.schedules import schedules_in, with_schedules
from lanework.starter.upgrade import rewrite

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


def test_the_examples_template_is_what_check_write_makes_of_it() -> None:
    text = TEMPLATE.read_text()

    assert with_schedules(text, events_yaml(EXAMPLE)) == text


def test_what_is_written_mends_the_template(tmp_path: Path) -> None:
    declared = [*DECLARED, NIGHTLY, Schedule(name="b", job_type="b", timetable=Timetable(every=timedelta(hours=7)))]
    template = tmp_path / "template.yaml"
    template.write_text(with_one_schedule())
    found = compared(template, declared)
    assert [one.split(":")[0] for one in found] == ["schedule 'job.clean_up-2'", "schedule 'b'"]

    rewrite([template, tmp_path / "none.yaml"], lambda text: with_schedules(text, events_yaml(declared)))

    assert compared(template, declared) == ()
    events = read_template(template)["Resources"]["Clock"]["Properties"]["Events"]
    assert events["JobCleanUp2"]["Properties"]["ScheduleExpressionTimezone"] == "Asia/Ulaanbaatar"


def test_schedules_that_are_written_take_the_place_of_those_before_and_nothing_else_changes(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_bytes(without_example(TEMPLATE.read_text()).replace("\n", "\r\n").encode())
    bare = template.read_bytes()

    rewrite([template], lambda text: with_schedules(text, events_yaml([NIGHTLY])))
    once = template.read_bytes()
    rewrite([template], lambda text: with_schedules(text, events_yaml([NIGHTLY])))

    assert (template.read_bytes(), b"\n" in once.replace(b"\r\n", b"")) == (once, False)
    assert schedules_in(once.decode().replace("\r\n", "\n")) == events_yaml([NIGHTLY])
    rewrite([template], lambda text: with_schedules(text, ""))
    assert template.read_bytes() == bare


def test_a_template_whose_clock_has_no_tick_is_said_to_have_none() -> None:
    with pytest.raises(ConfigError, match=r"below the event Tick of the function Clock, and template\.yaml has none"):
        with_schedules("Resources:\n", events_yaml([NIGHTLY]))


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


def test_check_names_the_command_that_writes_a_schedule_and_the_command_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project here is the example with a template that lacks the schedules."""
    (tmp_path / "template.yaml").write_text(with_schedules(TEMPLATE.read_text(), ""))
    for name in ("handlers", "shared", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(command, ["check"])

    assert result.exit_code == 1
    assert "template.yaml: cleanup.expired-tokens: the template doesn't have it" in result.stderr
    assert "type  lanework check --write" in result.stderr

    result = CliRunner().invoke(command, ["check", "--write"])

    assert (result.exit_code, "nothing to complain about" in result.stdout) == (0, True)
    assert schedules_in((tmp_path / "template.yaml").read_text()) == events_yaml(EXAMPLE)

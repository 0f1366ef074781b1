"""`lanework doctor` on a live stack: what was changed behind the template's back is found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner, Result

from jobs import app as example
from lanework import App, Jobs
from lanework.aws.clients import Clients, bare_session
from lanework.aws.deployed.stack import Look
from lanework.cli.main import app as command
from lanework.cli.main import main
from lanework.doctor.case import Finding, examine
from lanework.doctor.rules import RULES
from lanework.local.doctor_input import live_case
from lanework.local.project import find_project
from lanework.local.stack.embedded import RunningStack, embedded_stack
from lanework.local.stack.producer_env import enter
from lanework.settings import Settings
from lanework.wiring import aws_ports, utc_now
from tests.support.rights import UNDER_IAM

ROOT = Path(__file__).parents[2]


class Nothing(BaseModel):
    """The payload of a job that only another version of the code has."""


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    before = dict(os.environ)
    with embedded_stack(find_project(ROOT), fresh=True, name="patient", checks_rights=UNDER_IAM) as running:
        enter(running.handle, running.clients)
        example.use(aws_ports(Settings.from_env()))
        yield running
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _environment_of_each_test() -> Iterator[None]:
    """Keep the stack that one test's command line names from the tests after it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def diagnosis(*, look: Look | None = None, clock: Callable[[], datetime] = utc_now) -> list[Finding]:
    settings = Settings.from_env()
    example.use(aws_ports(settings))
    case = live_case(settings, look or Look(Clients(settings)), find_project(ROOT), example, clock=clock)
    return examine(case, RULES)


def rules_that_find(about: str, findings: list[Finding]) -> set[str]:
    assert {one.about for one in findings} == {about}
    return {one.rule for one in findings}


def client(service: str, stack: RunningStack) -> Any:
    make: Any = bare_session(stack.handle.region).client
    return make(service, endpoint_url=stack.handle.endpoint)


def run(*words: str) -> Result:
    return CliRunner().invoke(command, ["doctor", *words])


@pytest.mark.usefixtures("stack")
def test_a_stack_as_the_template_makes_it_has_nothing_to_complain_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    result = run()

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"stack patient in us-east-1: nothing to complain about ({len(RULES)} rules)\n"


def test_a_queue_that_was_changed_by_hand_is_found_with_what_to_type(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    url = f"{stack.handle.endpoint}/000000000000/patient-low"
    stack.clients.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})

    result = run("--json")

    stack.clients.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "905"})
    assert result.exit_code == 1
    found = {one["rule"]: one for one in json.loads(result.stdout)["findings"]}
    assert found.keys() == {"visibility", "drift"}
    assert found["visibility"]["what"] == "a message is hidden for 30 s, its function may take 900 s"
    assert found["visibility"]["todo"] == "LowQueue: VisibilityTimeout: 905"
    assert diagnosis() == []


def test_a_schedule_that_fires_at_another_time_than_the_code_says_is_found(stack: RunningStack) -> None:
    scheduler = client("scheduler", stack)
    has = scheduler.get_schedule(GroupName="patient", Name="cleanup.expired-tokens")
    same = {key: has[key] for key in ("GroupName", "Name", "FlexibleTimeWindow", "Target", "ScheduleExpression")}
    scheduler.update_schedule(**{**same, "ScheduleExpression": "cron(0 5 * * ? *)"})

    findings = diagnosis()

    scheduler.update_schedule(**same)
    assert {one.rule for one in findings} == {"schedules", "drift"}
    assert "ScheduleExpression is cron(0 5 * * ? *), the code says cron(0 2 * * ? *)" in findings[0].what


def test_a_role_that_lost_a_policy_lacks_permissions(stack: RunningStack) -> None:
    iam = client("iam", stack)
    role = next(one["RoleName"] for one in iam.list_roles()["Roles"] if "ClockRole" in one["RoleName"])
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=name)

    findings = diagnosis()

    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    assert rules_that_find("ClockRole", findings) == {"permissions", "drift"}
    assert any("sqs:ReceiveMessage" in one.what and "patient-high-dlq" in one.what for one in findings)


def test_an_alarm_that_was_deleted_is_missed(stack: RunningStack) -> None:
    cloudwatch = client("cloudwatch", stack)
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["patient-high-errors"])["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=["patient-high-errors"])

    findings = diagnosis()

    settable = ("AlarmName", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods")
    kept = (*settable, "DatapointsToAlarm", "Threshold", "ComparisonOperator", "AlarmActions", "OKActions")
    cloudwatch.put_metric_alarm(**{key: alarm[key] for key in kept})
    assert {(one.rule, one.about) for one in findings} == {("alarms", "HighWorker"), ("drift", "HighErrorsAlarm")}


@pytest.mark.usefixtures("stack")
def test_a_look_that_is_refused_is_told_with_the_action_to_allow_and_spares_the_noise() -> None:
    class Refusing(Clients):
        def make(self, service: str) -> Any:
            made = super().make(service)
            denied = {"Error": {"Code": "AccessDenied", "Message": "not yours"}, "ResponseMetadata": {}}
            for event in ("before-call.sqs.GetQueueAttributes", "before-call.iam.ListRolePolicies"):
                made.meta.events.register(event, lambda **_: (type("Answer", (), {"status_code": 403})(), denied))
            return made

    findings = diagnosis(look=Look(Refusing(Settings.from_env())))

    assert {one.rule for one in findings} == {"readable"}
    assert {one.todo.split()[1] for one in findings} == {"sqs:GetQueueAttributes", "iam:ListRolePolicies"}


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(minutes=-2)])
def test_a_clock_that_is_off_is_told(off: timedelta) -> None:
    findings = diagnosis(clock=lambda: datetime.now(UTC) + off)

    assert [(one.rule, one.about) for one in findings] == [("clock-skew", "this machine")]


@pytest.mark.usefixtures("stack")
def test_the_code_that_runs_is_compared_with_the_code_that_is_here(tmp_path: Path) -> None:
    settings = Settings.from_env()
    example.use(aws_ports(settings))
    for name in ("template.yaml", "handlers", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "shared" / "jobs").mkdir(parents=True)
    (tmp_path / "shared" / "jobs" / "edited.py").write_text("edited = True\n")

    case = live_case(settings, Look(Clients(settings)), find_project(tmp_path), example, clock=utc_now)

    assert case.live.changed_files is not None
    assert {"jobs/edited.py", "jobs/demo.py"} <= set(case.live.changed_files)


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "there is no stack 'shop-prod' in us-east-1: say which with --stack"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "set AWS_REGION, or start the embedded stack"),
        ({"AWS_REGION": "eu-wst-1", "AWS_ENDPOINT_URL": ""}, "unknown region 'eu-wst-1', did you mean 'eu-west-1'?"),
        (
            {"AWS_ENDPOINT_URL": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "no AWS credentials found; set AWS_PROFILE",
        ),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect to the endpoint URL"),
    ],
)
def test_a_stack_that_can_not_be_found_is_one_line_that_says_what_to_do(
    variables: dict[str, str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    for name, value in {**variables, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}.items():
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.argv", ["lanework", "doctor", "--stack", "shop-prod"])

    with pytest.raises(SystemExit) as ended:
        main()

    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert line.startswith("lanework: ")
    assert says in line


@pytest.mark.usefixtures("stack")
def test_jobs_of_a_type_that_the_code_does_not_have_are_counted() -> None:
    ghosts = Jobs(queue="ghosts")

    @ghosts.job("ghost.walk", lane="low")
    def walk(_: Nothing) -> None: ...

    elsewhere = App(ghosts)
    elsewhere.use(aws_ports(Settings.from_env()))
    walk.enqueue(Nothing())

    findings = diagnosis()

    assert [(one.rule, one.about) for one in findings] == [("unknown-types", "ghost.walk")]
    assert findings[0].what.startswith("1 job waits, or died of it")

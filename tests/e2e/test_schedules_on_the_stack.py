"""
Schedules on the embedded stack for three minutes, through a deployment: each tick once, as the model computes them.

MiniStack's EventBridge differs from AWS's in what the tests below name: it leaves the placeholder of the scheduled
time, and reads a cron in UTC whatever its zone.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from pydantic import BaseModel

from lanework import App, Jobs, State
from lanework.local.emulator.process import wait_for
from lanework.local.project import Project, project_at
from lanework.local.stack.embedded import embedded_stack
from lanework.model.schedule.timetable import Timetable
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.ports import free_port
from tests.support.rights import UNDER_IAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.stack.embedded import RunningStack

ROOT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)
EVERY_MINUTE = Timetable(cron="* * * * *")

JOBS = """
import os

import boto3
from pydantic import BaseModel

from lanework import App, Jobs, Run

VERSION = "1"
family = Jobs(queue="notes", lane="high")


class Note(BaseModel):
    text: str = ""


@family.job("note.tick", cron="* * * * *", overlap="allow")
def note(note: Note, run: Run) -> str:
    table = boto3.client("dynamodb")
    table.update_item(
        TableName=os.environ["APP_TABLE"],
        Key={"pk": {"S": "runs"}, "sk": {"S": run.job_id}},
        UpdateExpression="ADD runs :one SET version = :version",
        ExpressionAttributeValues={":one": {"N": "1"}, ":version": {"S": VERSION}},
    )
    return note.text


app = App(family)
"""

CLOCK = """
import json
import os

import boto3

from jobs import app
from lanework.edges.clock import clock

clocked = clock(app)


def handler(event, context):
    item = {"pk": {"S": "events"}, "sk": {"S": context.aws_request_id}, "event": {"S": json.dumps(event)}}
    boto3.client("dynamodb").put_item(TableName=os.environ["APP_TABLE"], Item=item)
    return clocked(event, context)
"""

EVENT = """\
        NoteTick:
          Type: ScheduleV2
          Properties:
            Name: note.tick
            GroupName: !Ref ScheduleGroup
            ScheduleExpression: cron(* * * * ? *)
            ScheduleExpressionTimezone: UTC
            Input: '{"schedule": "note.tick", "at": "<aws.scheduler.scheduled-time>"}'
            RoleArn: !GetAtt SchedulerRole.Arn
            RetryPolicy: {MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 300}
"""


class Note(BaseModel):
    """The payload that the project's job has."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """
    What three minutes were like.

    Attributes:
        began: A minute before the first tick that ran: of two before the first look, only the newest does.
        ended: Up to when every tick was waited for.
        runs: How often each run id ran, and on which version of the code.
        events: What EventBridge gave to the clock function.
        app: The application, connected.
        stack: The stack, still up.
        local: The tick of the schedule in Kathmandu.
    """

    began: datetime
    ended: datetime
    runs: dict[str, tuple[int, str]]
    events: list[dict[str, Any]]
    app: App
    stack: RunningStack
    local: datetime

    def runs_of(self, name: str) -> dict[str, int]:
        return {run: count for run, (count, _) in self.runs.items() if run.startswith(f"{name}@")}


def a_project(root: Path) -> Project:
    """Make a project of one job type that is enqueued every minute, whose clock notes what it is given."""
    shutil.copytree(
        ROOT / "shared" / "lanework", root / "shared" / "lanework", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "handlers", root / "handlers", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "shared" / "jobs").mkdir()
    (root / "shared" / "jobs" / "__init__.py").write_text(JOBS)
    (root / "handlers" / "clock.py").write_text(CLOCK)
    jobs = "        - !Ref ProducerPolicy  # it runs no jobs, so has none of their secrets\n"
    text = (ROOT / "template.yaml").read_text().replace(jobs, f"{jobs}        - !Ref ApplicationPolicy\n")
    begin, end = text.index("        CleanupExpiredTokens:"), text.index("\nOutputs:")
    (root / "template.yaml").write_text(text[:begin] + EVENT + text[end:])
    shutil.copy(ROOT / "shared" / "requirements.txt", root / "shared" / "requirements.txt")
    return project_at(root)


def an_app(stack: RunningStack) -> App:
    """Return an application with the same job type, for a producer outside of the stack."""
    family = Jobs(queue="notes", lane="high")

    @family.job("note.tick", cron="* * * * *", overlap="allow")
    def note(note: Note) -> str:
        return note.text

    app = App(family)
    handle = stack.handle
    app.use(aws_ports(Settings(stack=handle.stack, region=handle.region, endpoint=handle.endpoint)))
    return app


def noted(stack: RunningStack, kind: str) -> list[dict[str, Any]]:
    answer: Any = stack.clients.dynamodb.query(
        TableName=f"{stack.handle.stack}-app",
        KeyConditionExpression="pk = :kind",
        ExpressionAttributeValues={":kind": {"S": kind}},
    )
    found: list[dict[str, Any]] = answer["Items"]
    return found


def count_of(name: str, stack: RunningStack) -> int:
    return sum(item["sk"]["S"].startswith(f"{name}@") for item in noted(stack, "runs"))


@pytest.fixture(scope="module", name="observed")
def three_minutes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    with pytest.MonkeyPatch.context() as env:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            env.setenv(name, "test")
        project = a_project(tmp_path_factory.mktemp("notes"))
        with embedded_stack(project, port=free_port(), checks_rights=UNDER_IAM) as stack:
            yield observe(project, stack)


def observe(project: Project, stack: RunningStack) -> Observed:
    app = an_app(stack)
    store = app.ports.schedules
    stack.clients.functions.invoke(FunctionName="lanework-clock", Payload=b"{}")  # the first tick could take a minute
    assert store.get("note.tick") is not None
    local = next(EVERY_MINUTE.after(datetime.now(UTC) + timedelta(seconds=20)))
    shown = local.astimezone(ZoneInfo("Asia/Kathmandu"))
    app.schedules.add("local", "note.tick", cron=f"{shown.minute} {shown.hour} * * *", tz="Asia/Kathmandu")
    wait_for(lambda: count_of("note.tick", stack) >= 1, within=timedelta(seconds=75), what="the first tick")
    jobs = project.shared / "jobs" / "__init__.py"
    jobs.write_text(jobs.read_text().replace('VERSION = "1"', 'VERSION = "2"'))
    stack.deployer.deploy()
    enough = count_of("note.tick", stack) + 2
    wait_for(
        lambda: count_of("note.tick", stack) >= enough and count_of("local", stack) > 0,
        within=timedelta(seconds=140),
        what="two ticks after the deployment",
    )
    record = store.get("note.tick")
    assert record is not None
    last_run = record.last_run
    wait_for(
        lambda: last_run in {item["sk"]["S"] for item in noted(stack, "runs")},
        within=timedelta(seconds=10),
        what="the last tick's run",
    )
    runs = {item["sk"]["S"]: (int(item["runs"]["N"]), item["version"]["S"]) for item in noted(stack, "runs")}
    earliest = min(run for run in runs if run.startswith("note.tick@")).partition("@")[2]
    return Observed(
        began=datetime.fromisoformat(earliest) - MINUTE,
        ended=record.last_tick,
        runs=runs,
        events=[json.loads(item["event"]["S"]) for item in noted(stack, "events")],
        app=app,
        stack=stack,
        local=local,
    )


def test_each_minute_ran_once_through_a_deployment(observed: Observed) -> None:
    ticks = EVERY_MINUTE.between(observed.began, observed.ended)

    assert observed.runs_of("note.tick") == {f"note.tick@{tick:%Y-%m-%dT%H:%MZ}": 1 for tick in ticks}
    assert {version for _, version in observed.runs.values()} == {"1", "2"}


def test_a_schedule_in_a_zone_that_ministack_ignores_is_started_by_the_minutes_tick(observed: Observed) -> None:
    """MiniStack reads the hour of Kathmandu as one of UTC, and would prod nearly six hours late."""
    run = f"local@{observed.local:%Y-%m-%dT%H:%MZ}"

    assert observed.runs_of("local") == {run: 1}
    started = observed.app.get(run).started_at
    assert started is not None
    assert timedelta(0) <= started - observed.local < timedelta(seconds=80)


def test_ministack_delivers_the_input_of_a_schedule_and_leaves_the_time_as_the_placeholder(observed: Observed) -> None:
    """AWS fills in the time; the clock takes the newest tick where it isn't."""
    prods = [event for event in observed.events if "schedule" in event]

    assert {"schedule": "note.tick", "at": "<aws.scheduler.scheduled-time>"} in prods
    assert all(event == prods[0] for event in prods)
    assert len(observed.events) > len(prods), "the minute's tick comes with an event of its own"


def test_every_schedule_is_in_the_stacks_own_group(observed: Observed) -> None:
    handle = observed.stack.handle
    scheduler = boto3.client("scheduler", region_name=handle.region, endpoint_url=handle.endpoint)

    for name in ("lanework-tick", "note.tick", "local"):
        found = scheduler.get_schedule(Name=name, GroupName=handle.stack)
        assert found["Target"]["Arn"].endswith(":function:lanework-clock")
    assert found["ScheduleExpressionTimezone"] == "Asia/Kathmandu", "kept, though not followed"


def test_the_list_says_that_the_last_runs_completed(observed: Observed) -> None:
    states = {one.record.schedule.name: one.last_state for one in observed.app.schedules.list()}

    assert states["local"] is State.COMPLETED
    assert set(states) == {"local", "note.tick"}

"""`sam deploy`: jobs run in every lane, a deployment loses none, stacks don't touch each other, and nothing is left."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import boto3
import pytest

from jobs import app as example
from lanework import App, Lane, State
from lanework.engine.jobtypes.request import request_of
from lanework.local.emulator.process import wait_for
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.sam import Sam

REGION = "us-east-1"
ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def stacks(sam: Sam) -> Iterator[Sam]:
    """Two stacks of one build. Greeting takes a second there, so that a deployment meets jobs that run."""
    source = sam.root / "shared" / "jobs" / "demo.py"
    source.write_text(source.read_text().replace("asyncio.sleep(0)", "asyncio.sleep(1)"))
    sam.build()
    for name in ("shop-blue", "shop-green"):
        sam.deploy(name, tags=f"team={name}")
    yield sam
    for name in _stacks(sam):
        sam.delete(name)


def _client(service: str, sam: Sam) -> Any:
    make: Any = boto3.client  # its stubs know services by literal names only
    return make(service, region_name=REGION, endpoint_url=sam.environment["AWS_ENDPOINT_URL"])


def _stacks(sam: Sam) -> list[str]:
    found = _client("cloudformation", sam).describe_stacks()["Stacks"]
    return [one["StackName"] for one in found if one["StackName"].startswith("shop-")]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


def in_stack(sam: Sam, name: str) -> App:
    endpoint = sam.environment["AWS_ENDPOINT_URL"]
    example.use(aws_ports(Settings(stack=name, region=REGION, endpoint=endpoint, account=ACCOUNT)))
    return example


def greet(app: App, ids: list[str], lane: Lane = Lane.MEDIUM) -> None:
    job_type = app.registry.get("demo.greet")
    app.enqueue_many([request_of(job_type, {"name": "Bat"}, {"job_id": one, "lane": lane}) for one in ids])


def until_completed(app: App, ids: list[str]) -> None:
    def are_completed() -> bool:
        return all(app.get(one).state is State.COMPLETED for one in ids)

    wait_for(are_completed, within=timedelta(seconds=60), what=f"{len(ids)} jobs")


def test_jobs_run_in_all_five_lanes(stacks: Sam) -> None:
    app = in_stack(stacks, "shop-blue")
    for lane in Lane:
        greet(app, [f"in-{lane}"], lane)

    until_completed(app, [f"in-{lane}" for lane in Lane])
    assert {app.result(f"in-{lane}", timeout=timedelta(0)) for lane in Lane} == {"Hello, Bat!"}


def test_a_stacks_tags_are_on_what_is_made_of_it(stacks: Sam) -> None:
    queue = _client("sqs", stacks).get_queue_url(QueueName="shop-blue-low")["QueueUrl"]
    function = _client("lambda", stacks).get_function(FunctionName="shop-blue-clock")
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/shop-blue-jobs"
    kept = _client("dynamodb", stacks).list_tags_of_resource(ResourceArn=table)["Tags"]

    assert _client("sqs", stacks).list_queue_tags(QueueUrl=queue)["Tags"]["team"] == "shop-blue"
    assert function["Tags"]["team"] == "shop-blue"
    assert {"Key": "team", "Value": "shop-blue"} in kept


@contextmanager
def enqueuing(app: App, ids: list[str]) -> Iterator[None]:
    """Enqueue five jobs a second while a block runs; their ids are added to the list."""
    over = threading.Event()

    def enqueue() -> None:
        while not over.wait(0.2):
            job_id = f"during-{len(ids)}"
            greet(app, [job_id])
            ids.append(job_id)

    producer = threading.Thread(target=enqueue)
    producer.start()
    try:
        yield
    finally:
        over.set()
        producer.join()


def test_a_deployment_with_jobs_in_flight_loses_none(stacks: Sam) -> None:
    app = in_stack(stacks, "shop-blue")
    greet(app, ["before"])
    until_completed(app, ["before"])
    source = stacks.root / "shared" / "jobs" / "demo.py"
    source.write_text(source.read_text().replace("Hello, ", "Good evening, "))
    stacks.build()

    during: list[str] = []
    with enqueuing(app, during):
        said = stacks.deploy("shop-blue")
    after = [f"after-{number}" for number in range(10)]
    greet(app, after)

    assert re.search(r"UPDATE_COMPLETE\s+AWS::CloudFormation", said)
    until_completed(app, [*during, *after])
    assert app.result("before", timeout=timedelta(0)) == "Hello, Bat!"
    assert {app.result(one, timeout=timedelta(0)) for one in during} <= {"Hello, Bat!", "Good evening, Bat!"}
    assert {app.result(one, timeout=timedelta(0)) for one in after} == {"Good evening, Bat!"}
    assert {app.get(one).attempts for one in [*during, *after]} == {1}


def test_a_parameter_out_of_its_range_is_refused_by_name_before_anything_is_made(stacks: Sam) -> None:
    said = stacks.deploy("shop-narrow", refused=True, CriticalWorkers="1")

    assert "CriticalWorkers" in said
    assert left_of("shop-narrow", stacks) == []


def test_two_stacks_in_one_account_do_not_touch_each_other(stacks: Sam) -> None:
    blue, both = "only-in-blue", "in-both"
    greet(in_stack(stacks, "shop-blue"), [blue, both])
    until_completed(example, [blue, both])
    app = in_stack(stacks, "shop-green")
    assert {blue, both}.isdisjoint(job.job_id for job in app.runtime.search.newest(limit=100).jobs)

    greet(app, [both])
    until_completed(app, [both])

    assert app.result(both, timeout=timedelta(0)) == "Hello, Bat!", "green still runs what it was deployed with"
    assert blue not in [job.job_id for job in app.runtime.search.newest(limit=100).jobs]


def test_a_deleted_stack_leaves_nothing_behind_and_its_neighbour_alone(stacks: Sam) -> None:
    until_the_clock_has_ticked("shop-blue", stacks)
    blue = in_stack(stacks, "shop-blue")
    wait_for(
        lambda: not any(one.holds_anything for one in blue.inspector.counts().values()),
        within=timedelta(seconds=60),
        what="what the tick sent to run",
    )
    stacks.delete("shop-blue")

    assert left_of("shop-blue", stacks) == []
    app = in_stack(stacks, "shop-green")
    greet(app, ["still-there"])
    until_completed(app, ["still-there"])
    assert left_of("shop-green", stacks) != []


def until_the_clock_has_ticked(stack: str, sam: Sam) -> None:
    """Wait for an end of the clock's tick: what an invocation logs while its log group is deleted makes it anew."""
    logs = _client("logs", sam)
    names = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
    (group,) = (name for name in names if f"{stack}-clock" in name)
    began = int(time.time() * 1000)

    def has_logged() -> bool:
        return bool(logs.filter_log_events(logGroupName=group, startTime=began)["events"])

    wait_for(has_logged, within=timedelta(seconds=90), what=f"a tick of {stack}")


def left_of(stack: str, sam: Sam) -> list[str]:
    """Name everything in the account that is called after a stack."""
    lists: dict[str, Callable[[], list[str]]] = {
        "sqs": lambda: _client("sqs", sam).list_queues().get("QueueUrls", []),
        "dynamodb": lambda: _client("dynamodb", sam).list_tables()["TableNames"],
        "lambda": lambda: [one["FunctionName"] for one in _client("lambda", sam).list_functions()["Functions"]],
        "layers": lambda: [one["LayerName"] for one in _client("lambda", sam).list_layers()["Layers"]],
        "mappings": lambda: [
            one["EventSourceArn"] for one in _client("lambda", sam).list_event_source_mappings()["EventSourceMappings"]
        ],
        "logs": lambda: [one["logGroupName"] for one in _client("logs", sam).describe_log_groups()["logGroups"]],
        "iam": lambda: [one["RoleName"] for one in _client("iam", sam).list_roles()["Roles"]],
        "policies": lambda: [one["PolicyName"] for one in _client("iam", sam).list_policies(Scope="Local")["Policies"]],
        "groups": lambda: [one["Name"] for one in _client("scheduler", sam).list_schedule_groups()["ScheduleGroups"]],
        "schedules": lambda: [
            f"{one['GroupName']}/{one['Name']}" for one in _client("scheduler", sam).list_schedules()["Schedules"]
        ],
        "rules": lambda: [one["Name"] for one in _client("events", sam).list_rules()["Rules"]],
        "alarms": lambda: [one["AlarmName"] for one in _client("cloudwatch", sam).describe_alarms()["MetricAlarms"]],
        "dashboards": lambda: [
            one["DashboardName"] for one in _client("cloudwatch", sam).list_dashboards()["DashboardEntries"]
        ],
        "topics": lambda: [one["TopicArn"] for one in _client("sns", sam).list_topics()["Topics"]],
        "apis": lambda: [one["Name"] for one in _client("apigatewayv2", sam).get_apis()["Items"]],
    }
    return [f"{kind}: {name}" for kind, list_ in lists.items() for name in list_() if stack in name]

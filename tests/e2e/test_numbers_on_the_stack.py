"""Numbers, alerts and metrics of jobs that ran in the embedded stack's own functions."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lanework import App, State
from lanework.http.auth.tokens import Role, hash_of, new_token
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from lanework.local.stack.logs import LogTail
from lanework.model.lanes import Lane
from lanework.model.stats.numbers import Count, Key
from tests.support.ports import free_port
from tests.support.projects import a_project, application_on
from tests.support.rights import UNDER_IAM, let_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.stack.embedded import RunningStack

ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=120)
TOKEN = new_token(Role.VIEWER)

CODE = """
from pydantic import BaseModel
from lanework import App, Jobs

ops = Jobs(queue="ops", lane="critical", attempts=1)

class Order(BaseModel):
    works: bool = True

class JobEventDocument(BaseModel):
    title: str

@ops.job("ops.work")
def work(order: Order) -> None:
    if not order.works:
        raise LookupError("no such thing")

@ops.job("ops.alert")
def alert(notice: JobEventDocument) -> str:
    return notice.title

app = App(ops)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    project = a_project(tmp_path_factory.mktemp("counted") / "shop", CODE)
    parameters = {
        "CloudWatchMetrics": "true",
        "AlertJob": "ops.alert",
        "ApiTokens": f"viewer:{hash_of(TOKEN)}",
    }
    with embedded_stack(project, port=free_port(), parameters=parameters, checks_rights=UNDER_IAM) as running:
        yield running


@pytest.fixture
def app(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> App:
    return application_on(stack, monkeypatch)


def tick(stack: RunningStack) -> dict[str, Any]:
    answer = stack.clients.functions.invoke(FunctionName=f"{stack.handle.stack}-clock", Payload=b"{}")
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    return found


def a_listener(stack: RunningStack) -> tuple[Any, str]:
    """Subscribe a queue to the alarms' topic."""
    sqs: Any = stack.clients.make("sqs")
    url = sqs.create_queue(QueueName="listener")["QueueUrl"]
    queue = let_in(sqs, url, "sns.amazonaws.com")
    stack.clients.make("sns").subscribe(TopicArn=stack.outputs["AlarmTopicArn"], Protocol="sqs", Endpoint=queue)
    return sqs, url


def test_what_ran_is_counted_told_and_measured(stack: RunningStack, app: App) -> None:
    begun = datetime.now(UTC)
    sqs, url = a_listener(stack)
    for number in range(3):
        app.enqueue("ops.work", {}, job_id=f"job-{number}")
    app.enqueue("ops.work", {"works": False}, job_id="doomed")
    wait_for(lambda: app.get("doomed").state is State.DEAD, within=SOON, what="a death")
    key = Key(lane=Lane.CRITICAL, queue="ops", type="ops.work")

    def ended() -> int:
        numbers = app.runtime.statistics.last_hour().numbers
        return numbers[key].ended if key in numbers else 0

    wait_for(lambda: ended() == 4, within=SOON, what="four ends to be counted")
    numbers = app.runtime.statistics.last_hour().numbers
    assert (4, 3, 1) == (numbers[key][Count.STARTED], numbers[key][Count.COMPLETED], numbers[key][Count.DEAD])
    assert numbers[Key(lane=Lane.CRITICAL)][Count.INVOCATIONS] == 4
    assert app.runtime.costs(app.runtime.statistics.last_hour()).types[0].usage.gb_seconds > 0

    wait_for(lambda: tick(stack)["alerts"] >= 1, within=SOON, what="an alert")
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)["Messages"]
    subjects = [json.loads(one["Body"])["Subject"] for one in got]
    assert subjects.count("Lanework: death ops.work") == 1
    told = next(one.job_id for one in app.runtime.search.newest().jobs if one.job_id.startswith("alert-death-ops.work"))
    wait_for(lambda: app.get(told).state is State.COMPLETED, within=SOON, what="the alert's job")
    assert app.get(told).result == '"death ops.work"'

    def measured() -> set[str]:
        lines = [one.text for one in LogTail(clients=stack.clients, stack=stack.handle.stack, since=begun).read()]
        emf = [json.loads(line) for line in lines if '"CloudWatchMetrics"' in line]
        return {job_id for one in emf if one["type"] == "ops.work" for job_id in one["job_ids"]}

    # The emulator stores an invocation's lines a while after its end, the last ones' later.
    wait_for(lambda: len(measured()) > 1, within=SOON, what="CloudWatch's metrics")
    assert measured() <= {"doomed", "job-0", "job-1", "job-2"}

    headers = {"Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(f"{stack.api}metrics", headers=headers)  # noqa: S310 - the stack's own
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        families: Any = text_string_to_metric_families(answer.read().decode())  # type: ignore[no-untyped-call]
    found = {
        sample.labels["outcome"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "lanework_jobs_ended_total" and sample.labels["type"] == "ops.work"
    }
    assert found == {"completed": 3, "failed": 0, "dead": 1, "cancelled": 0}

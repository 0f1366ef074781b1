"""
Events of S3, SNS, EventBridge and of another program's queue on the embedded stack: one job each.

The stack checks rights: the function has its own role, and services send only where a queue's policy lets them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from lanework import App, State
from lanework.local.emulator.process import wait_for
from lanework.local.stack.embedded import embedded_stack
from tests.support.ports import free_port
from tests.support.projects import a_project, application_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanework.local.project import Project
    from lanework.local.stack.embedded import RunningStack

SOON = timedelta(seconds=60)

JOBS = """
from pydantic import BaseModel

from lanework import App, Jobs
from lanework.aws_events import EventPattern, S3Created, SnsTopic, SqsQueue

family = Jobs(queue="reports", lane="high")


class Upload(BaseModel):
    bucket: str
    key: str
    sequencer: str


class Order(BaseModel):
    order: int


@family.job("upload.import")
def load(upload: Upload) -> str:
    return upload.key


@family.job("order.place")
def place(order: Order) -> int:
    return order.order


@family.job("order.pay")
def pay(order: Order) -> int:
    return order.order


@family.job("order.ship")
def ship(order: Order) -> int:
    return order.order


family.on(S3Created("uploads", prefix="in/"), load)
family.on(SnsTopic("orders"), place)
family.on(EventPattern({"source": ["shop.orders"]}), pay)
family.on(SqsQueue("shipments"), ship)
app = App(family)
"""


def check(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANEWORK_"))}
    command: list[str | Path] = [Path(sys.executable).parent / "lanework", "check", *words]
    return subprocess.run(command, cwd=project.root, env=mine, capture_output=True, text=True, check=False, timeout=120)


class Aws:
    """
    What others do on the account.

    A queue of the test's gets a copy of all that goes to Lanework's, for replays: no emulator delivers twice by itself.
    """

    def __init__(self, stack: RunningStack) -> None:
        session = boto3.Session("test", "test", region_name=stack.handle.region)
        self.stack = stack.handle.stack
        at: Any = {"endpoint_url": stack.handle.endpoint}
        self.s3, self.sns = session.client("s3", **at), session.client("sns", **at)
        self.sqs, self.bus = session.client("sqs", **at), session.client("events", **at)
        self.copies = self.sqs.create_queue(QueueName="copies")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.copies, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        services = {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
        allow = {"Effect": "Allow", "Principal": services, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self.sqs.set_queue_attributes(QueueUrl=self.copies, Attributes={"Policy": policy})
        self.topic = self.sns.create_topic(Name="orders")["TopicArn"]
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        self.bus.put_rule(Name="copies", EventPattern=json.dumps({"source": ["shop.orders", "aws.s3"]}))
        self.bus.put_targets(Rule="copies", Targets=[{"Id": "copies", "Arn": arn}])
        self.s3.create_bucket(Bucket="uploads")
        ours = arn.replace("copies", f"{self.stack}-aws-events")
        notified: Any = {"QueueArn": ours, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": IN}}}
        self.s3.put_bucket_notification_configuration(
            Bucket="uploads",
            NotificationConfiguration={"QueueConfigurations": [notified], "EventBridgeConfiguration": {}},
        )

    def url(self, queue: str) -> str:
        url: str = self.sqs.get_queue_url(QueueName=f"{self.stack}-{queue}")["QueueUrl"]
        return url

    def copied(self) -> list[str]:
        """Return the bodies of what came to the queue of copies so far, and leave them there."""
        found: list[str] = []
        while page := self.sqs.receive_message(QueueUrl=self.copies, MaxNumberOfMessages=10).get("Messages"):
            found += [one["Body"] for one in page]
            for one in page:
                self.sqs.delete_message(QueueUrl=self.copies, ReceiptHandle=one["ReceiptHandle"])
        return found

    def is_empty(self, queue: str) -> bool:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=names)["Attributes"]
        return {counts[name] for name in names} == {"0"}


TOPIC = """
  Orders:
    Type: AWS::SNS::Topic
    Properties: {TopicName: orders}
"""

IN = [{"Name": "prefix", "Value": "in/"}]


@pytest.fixture(scope="module", name="stack")
def a_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    project = a_project(tmp_path_factory.mktemp("shop"), JOBS)
    template = project.template.read_text()
    project.template.write_text(template.replace("\nResources:\n", f"\nResources:\n{TOPIC}"))
    missing = check(project)
    assert missing.returncode == 1
    assert "template.yaml has not what on(…) declares: S3Created('uploads', prefix='in/'), SnsTopic" in missing.stderr
    written = check(project, "--write")
    assert written.returncode == 0, written.stderr + written.stdout
    with embedded_stack(project, port=free_port(), checks_rights=True) as stack:
        yield stack


@pytest.fixture(scope="module", name="aws")
def the_account(stack: RunningStack) -> Aws:
    return Aws(stack)


@pytest.fixture(name="app")
def an_app(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> App:
    return application_on(stack, monkeypatch)


def ended(app: App) -> dict[str, list[object]]:
    """Return the results of all jobs that completed, by job type."""
    found: dict[str, list[object]] = {}
    for job in app.runtime.search.page(limit=100).jobs:
        if job.state is State.COMPLETED and not job.type.startswith("lanework."):
            found.setdefault(job.type, []).append(app.result(job.job_id, timeout=SOON))
    return {name: sorted(results, key=str) for name, results in found.items()}


def test_each_event_is_one_job_however_often_and_in_whatever_order_it_comes(aws: Aws, app: App) -> None:
    for number in (1, 2):
        aws.s3.put_object(Bucket="uploads", Key=f"in/a b+ü {number}.csv", Body=b"x" * number)
        aws.sns.publish(TopicArn=aws.topic, Message=json.dumps({"order": number}))
        detail = json.dumps({"order": number + 10})
        aws.bus.put_events(Entries=[{"Source": "shop.orders", "DetailType": "placed", "Detail": detail}])
        aws.sqs.send_message(QueueUrl=aws.url("shipments"), MessageBody=json.dumps({"order": number + 20}))
    expected = {
        "upload.import": ["in/a b+ü 1.csv", "in/a b+ü 2.csv"],
        "order.place": [1, 2],
        "order.pay": [11, 12],
        "order.ship": [21, 22],
    }
    wait_for(lambda: ended(app) == expected, within=SOON, what="a job for each event")

    copies = aws.copied()
    assert len(copies) == 6, "of each S3 object, message and event"
    for body in [*reversed(copies), *copies]:
        aws.sqs.send_message(QueueUrl=aws.url("aws-events"), MessageBody=body)
    wait_for(lambda: aws.is_empty("aws-events") and aws.is_empty("high"), within=SOON, what="the replays")

    assert ended(app) == expected
    assert app.dead_letters.messages.all() == []


def test_what_matches_nothing_lies_in_the_dead_letter_queue_until_a_source_means_it(aws: Aws, app: App) -> None:
    stray = {"id": "1", "source": "shop.unknown", "detail-type": "x", "detail": {}}
    aws.sqs.send_message(QueueUrl=aws.url("aws-events"), MessageBody=json.dumps(stray))
    messages = app.dead_letters.messages
    wait_for(lambda: len(messages.all()) == 1, within=SOON, what="the refused event")

    (refused,) = messages.all()
    assert refused.queue == "aws-events"
    assert str(refused.reason).startswith("no source of this application means an event of source 'shop.unknown'")
    assert [one.queue for one in messages.resend("aws-events")] == ["aws-events"]
    wait_for(lambda: len(messages.all()) == 1, within=SOON, what="its second refusal")

"""Alerts on SNS, as moto's server and MiniStack play it: what a subscriber gets."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import boto3
import pytest

from lanework.aws.clients import Clients
from lanework.aws.sns_alerts import TopicChannel
from lanework.errors import ConfigError
from lanework.model.stats.alert_rules import Rule
from lanework.model.stats.alerts import Alert
from lanework.settings import Settings
from lanework.testing import NOON
from tests.support.endpoints import endpoints
from tests.support.stacks import REGION

ALERT = Alert(
    rule=Rule.DEATH,
    subject="user.greeting",
    text="1 job of type user.greeting died within an hour",
    next_step="lanework dlq list --type user.greeting",
    since=NOON,
)


@pytest.fixture(params=endpoints("moto", "ministack"))
def endpoint(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    found: str = request.getfixturevalue(f"{request.param}_endpoint")
    return found


def test_a_subscriber_gets_a_subject_and_what_to_type(endpoint: str) -> None:
    name = f"alerts-{uuid4().hex[:8]}"
    sns = boto3.client("sns", region_name=REGION, endpoint_url=endpoint)
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint)
    topic = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    channel = TopicChannel(Clients(Settings(stack=name, region=REGION, endpoint=endpoint)), topic=topic)

    channel.notify(ALERT)

    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    got = json.loads(message["Body"])
    assert got["Subject"] == "Lanework: death user.greeting"
    assert got["Message"] == (
        "1 job of type user.greeting died within an hour.\nSince 2026-01-02 12:00 UTC.\n\n"
        "lanework dlq list --type user.greeting\n"
    )


def test_a_topic_that_does_not_exist_is_said(endpoint: str) -> None:
    clients = Clients(Settings(stack="none", region=REGION, endpoint=endpoint))
    channel = TopicChannel(clients, topic=f"arn:aws:sns:{REGION}:000000000000:nowhere")

    with pytest.raises(ConfigError, match="publishing an alert"):
        channel.notify(ALERT)


def test_that_it_is_over_is_said_with_the_time() -> None:
    published: list[dict[str, str]] = []

    class Sns:
        def publish(self, **message: str) -> None:
            published.append(message)

    class Fake:
        sns = Sns()

    over = Alert(
        rule=ALERT.rule,
        subject=ALERT.subject,
        text=ALERT.text,
        next_step=ALERT.next_step,
        since=NOON,
        until=NOON + timedelta(hours=1),
    )
    TopicChannel(Fake(), topic="arn").notify(over)  # type: ignore[arg-type]

    (sent,) = published
    assert sent["Subject"] == "Lanework: Resolved: death user.greeting"
    assert "It was over at 2026-01-02 13:00 UTC." in sent["Message"]

"""A job that SQS itself gave up on, on MiniStack with a real redrive policy: the reconciler brings it back."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import boto3
import pytest

from lanework import App, State
from lanework.engine.maintenance.reconcile import Reconciler
from lanework.engine.maintenance.sweep import Sweeper
from lanework.local.emulator.process import wait_for
from lanework.model.lanes import Lane
from lanework.settings import Settings
from lanework.wiring import aws_ports
from tests.support.deliverer import GuardItem, app, write
from tests.support.stacks import REGION, make_stack


def test_a_job_that_sqs_delivered_too_often_is_sent_again_and_its_letter_is_gone(
    ministack_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    stack = f"moved-{uuid4().hex[:8]}"
    make_stack(stack, ministack_endpoint)
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=ministack_endpoint)
    lane, dlq = (sqs.get_queue_url(QueueName=f"{stack}-high{end}")["QueueUrl"] for end in ("", "-dlq"))
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    sqs.set_queue_attributes(QueueUrl=lane, Attributes={"RedrivePolicy": policy})
    application: App = app
    application.use(aws_ports(Settings(stack=stack, region=REGION, endpoint=ministack_endpoint)))
    write.enqueue(GuardItem(text="mark"), job_id="job-1")

    def is_moved() -> bool:
        sqs.receive_message(QueueUrl=lane, VisibilityTimeout=0, WaitTimeSeconds=0)
        return application.inspector.counts()[Lane.HIGH].dead == 1

    wait_for(is_moved, within=timedelta(seconds=20), what="SQS to move the message")
    reconciled = Reconciler(application.ports).tick()
    swept = Sweeper(application.ports).tick()

    job = application.get("job-1")
    counts = application.inspector.counts()[Lane.HIGH]
    assert (reconciled.letters, swept.sent, counts.dead) == (1, 1, 0)
    assert (job.state, job.bounces, job.attempts) == (State.QUEUED, 1, 0)
    assert counts.delayed == 1, "a minute's wait, held by the queue"

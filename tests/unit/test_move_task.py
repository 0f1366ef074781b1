from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lanework import App, ConfigError, InvalidOptionError, Lane
from lanework.aws.lanes import SqsLanes
from lanework.errors import UnsupportedError
from lanework.testing import memory_ports


class Sqs:
    """As much of an SQS client as a move needs; keeps what it was asked for, and refuses with a code."""

    class meta:  # noqa: N801 - boto's name
        endpoint_url = "https://sqs.eu-west-1.amazonaws.com"

    def __init__(self, refuses: str | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._refuses = refuses

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803
        name = QueueUrl.rpartition("/")[2]
        return {"Attributes": {AttributeNames[0]: f"arn:aws:sqs:eu-west-1:123456789012:{name}"}}

    def start_message_move_task(self, **request: Any) -> None:
        self.asked.append(request)
        if self._refuses is not None:
            answer: Any = {"Error": {"Code": self._refuses, "Message": "There is already a task running."}}
            raise ClientError(answer, "StartMessageMoveTask")


class Clients:
    account = "123456789012"

    def __init__(self, sqs: Sqs) -> None:
        self.sqs = sqs


def lanes(sqs: Sqs) -> SqsLanes:
    return SqsLanes(Clients(sqs), stack="shop", report=lambda *_: None)  # type: ignore[arg-type]


def test_a_move_names_its_destination_since_what_a_program_buried_has_no_recorded_source() -> None:
    sqs = Sqs()

    lanes(sqs).move_back(Lane.HIGH, rate=None)
    lanes(sqs).move_back(Lane.LOW, rate=50)

    arn = "arn:aws:sqs:eu-west-1:123456789012:shop"
    assert sqs.asked == [
        {"SourceArn": f"{arn}-high-dlq", "DestinationArn": f"{arn}-high"},
        {"SourceArn": f"{arn}-low-dlq", "DestinationArn": f"{arn}-low", "MaxNumberOfMessagesPerSecond": 50},
    ]


def test_an_endpoint_that_does_not_know_the_call_is_told_apart_from_a_refusal() -> None:
    with pytest.raises(UnsupportedError, match=r"the SQS of https://sqs\.eu-west-1.* has no StartMessageMoveTask"):
        lanes(Sqs("InvalidAction")).move_back(Lane.HIGH, rate=None)
    with pytest.raises(ConfigError, match="There is already a task running"):
        lanes(Sqs("AWS.SimpleQueueService.UnsupportedOperation")).move_back(Lane.HIGH, rate=None)


def test_a_rate_that_sqs_does_not_take_is_refused_before_it_is_asked() -> None:
    app = App()
    app.use(memory_ports())

    for rate in (0, 501):
        with pytest.raises(InvalidOptionError, match=f"SQS moves 1 to 500 messages a second, got a rate of {rate}"):
            app.dead_letters.move_back(Lane.HIGH, rate=rate)

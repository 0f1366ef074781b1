"""An application behind the worker edge as Lambda calls it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from lanework import App, Run
from lanework.aws.clients import Clients
from lanework.model.lanes import Lane
from tests.support.stacks import REGION

if TYPE_CHECKING:
    from lanework.aws.clients import Clients
from lanework import Job


class Number(BaseModel):
    """Payload of the application's jobs."""

    n: int


@dataclass(slots=True)
class LambdaContext:
    """What Powertools and the edge read of an invocation's context."""

    remaining_ms: int = 30_000
    function_name: str = "edge-worker-high"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:edge-worker-high"
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass(slots=True)
class Edge:
    """
    The application and its worker function.

    Attributes:
        clients: What the application reaches AWS with.
        calls: AWS operations so far, counted there.
    """

    app: App
    square: Job[Number, [Run], int, int]
    handler: Any
    stack: str
    sqs: Any
    clients: Clients
    ran: list[int] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def url(self, lane: Lane, suffix: str = "") -> str:
        name = f"{self.stack}-{lane}{suffix}"
        return str(self.sqs.get_queue_url(QueueName=name)["QueueUrl"])

    def receive(self, lane: Lane, suffix: str = "") -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url(lane, suffix), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def event(self, lane: Lane, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the event that the mapping of a lane hands to its function."""
        return {
            "Records": [
                {
                    "messageId": one["MessageId"],
                    "receiptHandle": one["ReceiptHandle"],
                    "body": one["Body"],
                    "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767355200000"},
                    "messageAttributes": {},
                    "md5OfBody": one["MD5OfBody"],
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:{self.stack}-{lane}",
                    "awsRegion": REGION,
                }
                for one in messages
            ]
        }

    def deliver(self, lane: Lane = Lane.HIGH) -> list[str]:
        """Receive what is there and hand it to the worker; return the message ids that it wants to keep."""
        messages = self.receive(lane)
        answer = self.handler(self.event(lane, messages), LambdaContext())
        kept = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        for one in messages:
            if one["MessageId"] not in kept:
                self.sqs.delete_message(QueueUrl=self.url(lane), ReceiptHandle=one["ReceiptHandle"])
        return kept

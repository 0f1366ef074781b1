"""What comes on EventBridge's bus of a running stack, through a rule and a queue of the test's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.rights import let_in

if TYPE_CHECKING:
    from lanework.local.stack.embedded import RunningStack


class WatchedBus:
    """
    A bus, and a rule that puts Lanework's events into a queue.

    Attributes:
        seen: The details of all that has come so far, in the order in which they were read.
    """

    def __init__(self, stack: RunningStack, *, make: str | None = None) -> None:
        """Watch the default bus from now on, or make another one of this name."""
        self._sqs: Any = stack.clients.make("sqs")
        events: Any = stack.clients.make("events")
        self._url = self._sqs.create_queue(QueueName="watched")["QueueUrl"]
        if make is not None:
            events.create_event_bus(Name=make)
        bus = make or "default"
        events.put_rule(Name="watch", EventBusName=bus, EventPattern=json.dumps({"source": ["lanework"]}))
        target: Any = {"Id": "queue", "Arn": let_in(self._sqs, self._url, "events.amazonaws.com")}
        events.put_targets(Rule="watch", EventBusName=bus, Targets=[target])
        self.seen: list[dict[str, Any]] = []

    def transitions(self) -> list[tuple[str, str]]:
        """Read what came; return the job and the type of all that has."""
        for message in self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            assert event["detail-type"] == event["detail"]["type"]
            self.seen.append(event["detail"])
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [(one["jobId"], one["type"]) for one in self.seen]

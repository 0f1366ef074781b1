"""Tables and queues as template.yaml makes them, for tests that need no functions."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from lanework.model.lanes import LANES, Lane
from tests.support.localstack_session import REGION, session_for

__all__ = ["REGION", "make_stack"]

_ATTRIBUTES: Any = [
    {"AttributeName": name, "AttributeType": "N" if name == "sweep_at" else "S"}
    for name in ("pk", "sk", "recent_shard", "recent_key", "sweep_shard", "sweep_at")
]


def make_stack(stack: str, endpoint: str, *, visibility: timedelta | None = None) -> None:
    """Make what template.yaml makes, as far as the ports touch it; visibility defaults to the lane's own."""
    session = session_for(endpoint)
    sqs = session.client("sqs")
    for lane in Lane:
        hidden_for = visibility or LANES[lane].timeout + timedelta(seconds=5)
        letters = sqs.create_queue(QueueName=f"{stack}-{lane}-dlq")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.create_queue(
            QueueName=f"{stack}-{lane}",
            Attributes={
                "VisibilityTimeout": str(int(hidden_for.total_seconds())),
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1000}),
            },
        )
    session.client("dynamodb").create_table(
        TableName=f"{stack}-jobs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=_ATTRIBUTES,
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": _keys(f"{name}_shard", sort),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for name, sort in (("recent", "recent_key"), ("sweep", "sweep_at"))
        ],
    )


def _keys(partition: str, sort: str) -> Any:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]

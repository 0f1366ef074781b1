"""Hands messages to the worker function as Lambda does, and says as JSON what CPU each took: `invoke.py QUEUE_ARN`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import handlers.worker


class Context:
    """What the function reads of an invocation's context."""

    function_name = "bench-worker-critical"
    memory_limit_in_mb = 256
    aws_request_id = "request-1"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:bench-worker-critical"

    def get_remaining_time_in_millis(self) -> int:
        """Return what an invocation of the lane has."""
        return 30_000


def main() -> None:
    """Invoke it once for each message that standard input holds, as SQS answers a receive."""
    spent, modules = [], [len(sys.modules)]
    for message in json.load(sys.stdin):
        began = time.process_time()
        answer: Any = handlers.worker.handler(_event(message), Context())  # type: ignore[arg-type]
        spent.append((time.process_time() - began) * 1000)
        modules.append(len(sys.modules))
        assert answer == {"batchItemFailures": []}, answer  # noqa: S101 - a job that didn't run measures nothing
    print(json.dumps({"cpu_ms": spent, "modules": modules}))


def _event(message: dict[str, Any]) -> dict[str, Any]:
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767355200000"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": sys.argv[1],
        "awsRegion": "eu-west-1",
    }
    return {"Records": [record]}


if __name__ == "__main__":
    main()

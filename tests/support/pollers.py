"""
Worker processes to be killed: each polls its lane's queue and hands what comes to the real edge, as a mapping would.

Arguments: endpoint, stack, file that the jobs append to, file for the events. This process has loaded everything and
then makes a worker by fork for each line on stdin, so that a replacement is there at once; it says the worker's process
id on stdout. When stdin ends, so do its workers, by their ids.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import boto3
from pydantic import BaseModel

from lanework import App, Jobs, Run
from lanework.edges.worker import worker
from lanework.settings import Settings
from lanework.wiring import aws_ports

REGION = "eu-west-1"
INVOCATION_S = 4.0
"""How long an invocation may take; a lease is five seconds longer."""

WORK_S = 0.1


class Task(BaseModel):
    """Payload: what to write."""

    text: str


family = Jobs(queue="tasks", lane="high", attempts=5)
effects = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(os.devnull)


@family.job("task.do", timeout=timedelta(seconds=1))
def do(task: Task, run: Run) -> str:
    """Have an effect, and take long enough to be killed in the middle."""
    effect = f"{task.text} attempt {run.attempt}"
    with effects.open("a") as file:
        file.write(f"{effect}\n")
    time.sleep(WORK_S)
    return effect


app = App(family)


@dataclass(slots=True)
class Context:
    """As much of an invocation's context as is read."""

    function_name: str = "worker"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:000000000000:function:worker"
    aws_request_id: str = "1"
    ends_at: float = field(default_factory=lambda: time.monotonic() + INVOCATION_S)

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the invocation."""
        return max(int((self.ends_at - time.monotonic()) * 1000), 0)


def work(endpoint: str, stack: str, parent: int) -> None:
    """Poll, run, delete, until killed or left alone."""
    app.use(aws_ports(Settings(stack=stack, region=REGION, endpoint=endpoint, account="000000000000")))
    handler = worker(app)
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=endpoint)
    url = f"{endpoint}/000000000000/{stack}-high"
    while os.getppid() == parent:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5, WaitTimeSeconds=1)
        messages = {one["MessageId"]: one for one in answer.get("Messages", [])}
        event = {
            "Records": [
                {
                    "messageId": message_id,
                    "receiptHandle": one["ReceiptHandle"],
                    "body": one["Body"],
                    "attributes": {},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:{stack}-high",
                    "awsRegion": REGION,
                }
                for message_id, one in messages.items()
            ]
        }
        failures = handler(event, Context())["batchItemFailures"]  # type: ignore[arg-type]
        for message_id in messages.keys() - {one["itemIdentifier"] for one in failures}:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[message_id]["ReceiptHandle"])


def main(endpoint: str, stack: str, log: str) -> None:
    """Make a worker for each line on stdin."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what was killed needs no burial
    workers: list[int] = []
    for _ in sys.stdin:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            with Path(log).open("a") as events:
                os.dup2(events.fileno(), 1)
            work(endpoint, stack, parent)
            os._exit(0)
        workers.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in workers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[4])
